"""Every bundled model as a package: its size, and the seconds to write, check and import it.

    DIGITS_DATA_DIR=… python -m benchmarks.packages

The check runs `predict.py` and the Keras file on all test images, each in its own process.
"""

import dataclasses
import itertools
import tempfile
import time
from pathlib import Path

from benchmarks import _results
from digits.data import datasets
from digits.models import catalogue
from digits.packages import check, intake, pack
from digits.runs.registry import Registry
from digits.settings import Settings


def main() -> None:
    images = datasets.load_test(Settings.from_environment()).test.images
    figures = {}
    with tempfile.TemporaryDirectory(prefix="digits-benchmark-") as folder:
        url = f"sqlite:///{folder}/registry.sqlite"
        settings = dataclasses.replace(Settings.from_environment(), runs_dir=Path(folder), registry_url=url)
        registry = Registry(url)
        for model in catalogue.bundled():
            times = [time.perf_counter()]
            package = pack.pack(model, registry)
            times.append(time.perf_counter())
            proof = check.check_package(package, model, images, settings, with_keras=True)
            times.append(time.perf_counter())
            run_id = intake.import_package(package, model.id, registry=registry, settings=settings, owner="benchmark")
            times.append(time.perf_counter())
            imported = catalogue.find(run_id, settings)
            writing, checking, importing = (round(after - before, 1) for before, after in itertools.pairwise(times))
            figures[model.id] = {
                "bytes": len(package),
                "write_seconds": writing,
                "prove_seconds": checking,
                "import_seconds": importing,
                "proof": str(proof),
                "same_test_hits": imported.test_accuracy.correct == model.test_accuracy.correct,
            }
            print(model.id, figures[model.id], flush=True)
    print("Written to", _results.save("packages", figures))


if __name__ == "__main__":
    main()
