"""Milliseconds to predict an image: LiteRT, as in the web process, against Keras, TensorFlow and ONNX Runtime.

    DIGITS_DATA_DIR=… python -m benchmarks.inference --rounds 3

The bundled convolutional network predicts one image at a time, and all test images at once. Each runtime has its own
process, and they take turns: first on an idle machine, then while a trainer trains the convolutional network.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import _app, _results
from benchmarks.training_peers import FOLDER, make_environment, wait_until_idle
from digits.data import mnist
from digits.models import catalogue
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.settings import BUNDLED_MODELS_DIR, Settings

MODEL = "convolutional"
RUNTIMES = (  # script, whether it runs in the peers' environment
    ("read_litert", False),
    ("read_keras", False),
    ("read_onnx", True),
)
_WEIGHTS = (
    "import sys, keras, numpy; model = keras.models.load_model(sys.argv[1]); "
    "numpy.savez(sys.argv[2], *model.get_weights())"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all runtimes, in turn (default: %(default)s)")
    parser.add_argument("--peers-python", type=Path, help="the Python of an environment with requirements-peers.txt")
    options = parser.parse_args()
    peers_python = options.peers_python or make_environment()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        script_options = prepare(Path(folder))
        figures["idle"] = compare(script_options, peers_python, options.rounds)
        with _app.running_app() as server:
            registry = Registry(server.settings.registry_url)
            wait_until_idle(registry)
            long = PRESETS["convolutional"].hyperparameters.to_dict() | {"iterations": 20_000}
            commands.submit(registry, Hyperparameters.from_dict(long), "benchmark")
            figures["while a run trains"] = compare(script_options, peers_python, options.rounds)
    print("Written to", _results.save("inference", figures))


def prepare(folder: Path) -> list[str]:
    """Write the images and the weights, and return the options that every runtime's script takes."""
    test = mnist.load_test(Settings.from_environment()).test
    np.savez(folder / "test.npz", images=test.images)
    model = BUNDLED_MODELS_DIR / MODEL
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(
        [sys.executable, "-c", _WEIGHTS, model / catalogue.KERAS_FILE, folder / "weights.npz"], check=True, env=quiet
    )
    return [f"--folder={model}", f"--data={folder / 'test.npz'}", f"--weights={folder / 'weights.npz'}"]


def compare(script_options: list[str], peers_python: Path, rounds: int) -> dict:
    """Run all runtimes in turn, and count the predictions in which they differ."""
    found: dict[str, list[dict]] = {}
    for _ in range(rounds):
        for script, is_foreign in RUNTIMES:
            python = peers_python if is_foreign else Path(sys.executable)
            command = [python, FOLDER / "peers" / f"{script}.py", *script_options]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
            for name, row in json.loads(done.stdout.splitlines()[-1])["ways"].items():
                found.setdefault(name, []).append(row)
    expected = np.array(found["digits, LiteRT"][0]["predictions"])
    summary = {}
    for name, rows in found.items():
        medians = {key: statistics.median(row[key] for row in rows) for key in rows[0] if key != "predictions"}
        own = found["digits, LiteRT"]
        summary[name] = {key: round(value, 3) for key, value in medians.items()} | {
            "one_image_times_as_long_as_digits": round(
                statistics.median(row["one_ms_p50"] / mine["one_ms_p50"] for row, mine in zip(rows, own, strict=True)),
                2,
            ),
            "differing_predictions": int((np.array(rows[0]["predictions"]) != expected).sum()),
        }
        print(f"{name:16}", summary[name], flush=True)
    return summary


if __name__ == "__main__":
    main()
