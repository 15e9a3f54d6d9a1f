"""Every bundled model as a package: its size, the seconds to write, check and import it; and what hostile zips cost.

    DIGITS_DATA_DIR=… python -m benchmarks.packages [--no-checks]

The check runs `predict.py` and the Keras file on all test images, each in its own process. An import is timed until the
visitor has the model; "measured" is what follows in the background, on all test, validation and drawn images. Processor
seconds are those of all threads and processes: what it takes on one core that has nothing else to do.
"""

import argparse
import dataclasses
import os
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks import _results
from digits.data import mnist
from digits.errors import InvalidPackage
from digits.models import catalogue
from digits.packages import archives, check, completion, intake, pack
from digits.runs.registry import Registry
from digits.runs.schema import METRIC_NAMES
from digits.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-checks", action="store_true", help="leave out what takes longest")
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="digits-benchmark-") as folder:
        url = f"sqlite:///{folder}/registry.sqlite"
        settings = dataclasses.replace(Settings.from_environment(), runs_dir=Path(folder), registry_url=url)
        registry = Registry(url)
        images = mnist.load_test(settings).test.images
        for model in catalogue.bundled():
            started = time.perf_counter()
            package = pack.pack(model, registry)
            written = time.perf_counter()
            figures[model.id] = {"bytes": len(package), "write_seconds": round(written - started, 1)}
            if not options.no_checks:
                proof = check.check_package(package, model, images, settings, with_keras=True)
                proven = {"prove_seconds": round(time.perf_counter() - written, 1), "proof": str(proof)}
                figures[model.id] |= proven
            figures[model.id] |= _import(package, model, registry, settings)
            print(model.id, figures[model.id], flush=True)
        for name, content in _hostile(pack.pack(catalogue.find("softmax", settings), registry)).items():
            figures[name] = _refuse(content, registry, settings)
            print(name, figures[name], flush=True)
    print("Written to", _results.save("packages", figures))


def _import(package: bytes, model: catalogue.Model, registry: Registry, settings: Settings) -> dict[str, Any]:
    busy, started = sum(os.times()[:4]), time.perf_counter()
    run_id = intake.import_package(package, registry=registry, settings=settings, owner="benchmark")
    imported, busy_importing = time.perf_counter(), sum(os.times()[:4])
    completion.complete(run_id, registry, settings)
    completed = catalogue.find(run_id, settings)
    return {
        "import_seconds": round(imported - started, 2),
        "import_processor_seconds": round(busy_importing - busy, 2),
        "measured_seconds": round(time.perf_counter() - imported, 1),
        "measured_processor_seconds": round(sum(os.times()[:4]) - busy_importing, 1),
        "same_test_hits": completed.test_accuracy.correct == model.test_accuracy.correct,
    }


def _hostile(package: bytes) -> dict[str, bytes]:
    """Return sealed zips that were made to cost time or memory."""
    files, megabyte = archives.read(package), 2**20
    header = ",".join(METRIC_NAMES).encode()
    members = {
        "history of 16 MB on one line": {"history.csv": header + b"\n" + b"1," * (8 * megabyte - 100)},
        "history of 1 MB on one line": {"history.csv": header + b"\n" + b"1," * 450_000},
        "card nested 100,000 deep": {"card.json": b"[" * 100_000},
        "card of 16 MB": {"card.json": b" " * 16 * megabyte},
        "Keras file of 16 MB": {"model.keras": bytes(16 * megabyte)},
        "60 MB in all": {f"more {index}": bytes(15 * megabyte) for index in range(5)},
        "20,000 members": {f"{index}": b"" for index in range(20_000)},
    }
    zips = {name: archives.write_sealed({**files, **changed}) for name, changed in members.items()}
    return zips | {"one flipped byte": package[:9999] + bytes([package[9999] ^ 1]) + package[10_000:]}


def _refuse(content: bytes, registry: Registry, settings: Settings) -> dict[str, Any]:
    """Import a zip; return its size, the seconds, the memory that was needed at most, and the answer."""
    tracemalloc.start()
    started = time.perf_counter()
    try:
        answer = intake.import_package(content, registry=registry, settings=settings, owner="stranger")
    except InvalidPackage as error:
        answer = str(error)
    seconds, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"bytes": len(content), "seconds": round(seconds, 2), "peak_bytes": peak, "answer": answer}


if __name__ == "__main__":
    main()
