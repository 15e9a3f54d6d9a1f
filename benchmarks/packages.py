"""Every bundled model as a package: its size, and the seconds to write it, to prove it and to bring it in again.

    DIGITS_DATA_DIR=… python -m benchmarks.packages

The proof asks `predict.py` and the Keras file, each in a process of its own, about all test images.
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
            brought = catalogue.find(run_id, settings)
            write, prove, bring = (round(after - before, 1) for before, after in itertools.pairwise(times))
            figures[model.id] = {
                "bytes": len(package),
                "write_seconds": write,
                "prove_seconds": prove,
                "import_seconds": bring,
                "proof": str(proof),
                "same_test_hits": brought.test_accuracy.correct == model.test_accuracy.correct,
            }
            print(model.id, figures[model.id], flush=True)
    print("Written to", _results.save("packages", figures))


if __name__ == "__main__":
    main()
