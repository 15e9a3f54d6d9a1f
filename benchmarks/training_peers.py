"""Milliseconds per iteration: the app against other frameworks, in interleaved rounds.

    DIGITS_DATA_DIR=… python -m benchmarks.training_peers --rounds 3

Digits trains as for a visitor: a run submitted to the registry and trained in the trainer process, with its curves open
in Chromium. The peers train the same networks with the same batch sizes and optimizers, each in its own process,
without validating or recording anything. Those in requirements-peers.txt get a separate environment, created on the
first run.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from benchmarks import _app, _results
from digits.data import mnist
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry
from digits.settings import Settings
from tests.browser.serving import Server

FOLDER = Path(__file__).parent
ITERATIONS = {"softmax": 2000, "published": 300, "corrected": 300, "convolutional": 300}  # of each peer
WATCHED_ITERATIONS = {"softmax": 20_000, "published": 2000, "corrected": 2000, "convolutional": 1000}  # of ours
PEERS = (  # script, variant, whether it runs in the peers' environment
    ("keras_fit", "default", False),
    ("keras_fit", "best", False),
    ("tf1_session", "loop", False),
    ("torch_loop", "tutorial", True),
    ("torch_loop", "best", True),
    ("torch_loop", "compiled", True),
    ("jax_loop", "scan", True),
    ("jax_loop", "scan_bfloat16", True),
    ("jax_loop", "step", True),
)
MULTIPLICATIONS = {  # in one image's forward pass
    "softmax": 784 * 10,
    "published": 784 * 1024 + 1024 * 512 + 512 * 256 + 256 * 10,
    "corrected": 784 * 1024 + 1024 * 512 + 512 * 256 + 256 * 10,
    "convolutional": 28**2 * 25 * 32 + 14**2 * 9 * 32 * 64 + 5**2 * 9 * 64 * 64 + 1600 * 256 + 256 * 10,
}

OF_FIRST_LAYER = {
    "softmax": 784 * 10,
    "published": 784 * 1024,
    "corrected": 784 * 1024,
    "convolutional": 28**2 * 25 * 32,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(ITERATIONS), help="(default: all)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds of all frameworks, in turn (default: %(default)s)"
    )
    parser.add_argument("--peers-python", type=Path, help="the Python of an environment with requirements-peers.txt")
    options = parser.parse_args()
    peers_python = options.peers_python or make_environment()
    limits = matrix_limits()
    print("GFLOP/s of matrix products:", limits, flush=True)
    figures = stored_figures()
    with tempfile.TemporaryDirectory() as folder, _app.running_app() as server, _app.chromium() as browser:
        data = write_data(Path(folder))
        page = browser.new_page(**_app.DESKTOP)
        registry = Registry(server.settings.registry_url)
        wait_until_idle(registry)
        for network in options.networks:
            rows: dict[str, list[dict]] = {}
            for _ in range(options.rounds):
                rows.setdefault("digits, as the app runs it", []).append(train_in_app(network, registry, server, page))
                for script, variant, is_foreign in PEERS:
                    python = peers_python if is_foreign else Path(sys.executable)
                    rows.setdefault(f"{script}, {variant}", []).append(
                        train_peer(python, script, variant, network, data)
                    )
                print(network, {name: round(found[-1]["ms"], 3) for name, found in rows.items()}, flush=True)
            figures[network] = summarise(network, rows, limits)
    print("Written to", _results.save("training_peers", {"matrix_gflops": limits, "networks": figures}))


def stored_figures() -> dict[str, dict]:
    """Return the stored figures of each network; they are kept until the network is measured again."""
    stored = _results.RESULTS / "training_peers.json"
    return json.loads(stored.read_text(encoding="utf-8"))["figures"]["networks"] if stored.is_file() else {}


def make_environment() -> Path:
    """Create the peers' environment if it is missing, and return its Python."""
    folder = _results.RESULTS / "tmp" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", FOLDER / "requirements-peers.txt"], check=True)
    return python


def write_data(folder: Path) -> Path:
    """Write MNIST's training images to a file, and return its path."""
    train = mnist.load_mnist(Settings.from_environment()).train
    np.savez(folder / "train.npz", images=train.images, labels=train.labels)
    return folder / "train.npz"


def wait_until_idle(registry: Registry) -> None:
    """Wait until the trainer has compiled the presets' networks, as it has before most visitors arrive."""
    while (status := registry.trainer_status()) is None or status.activity != "waiting for a run":
        time.sleep(0.5)


def train_in_app(network: str, registry: Registry, server: Server, page) -> dict:
    """Train a run in the app while Chromium shows it, and return the median time of its iterations."""
    run_id = submit(network, registry)
    page.goto(f"{server.url}/train?run={run_id}")
    page.locator(
        '[aria-label^="The accuracy over"]'
    ).first.wait_for()  # a visitor presses Start on a page that has loaded
    first_watched = registry.get(run_id).step
    while not (run := registry.get(run_id)).is_ended:
        time.sleep(0.1)
    rows = registry.history(run_id)
    whole = rows[-1]["seconds"] / rows[-1]["step"] * 1000
    ms = milliseconds(registry, run_id, first_watched)
    return {"ms": ms, "ms_with_validation": whole, "test": run.test_correct / run.test_total}


def submit(network: str, registry: Registry) -> str:
    """Submit a run of a preset, long enough to be timed well, and return its id."""
    chosen = PRESETS[network].hyperparameters.to_dict() | {"iterations": WATCHED_ITERATIONS[network]}
    return commands.submit(registry, Hyperparameters.from_dict(chosen), "benchmark")


def milliseconds(registry: Registry, run_id: str, first: int) -> float:
    """Return a run's median milliseconds per iteration from step `first` on, without validations."""
    return statistics.median(
        (after["seconds"] - before["seconds"]) / (after["step"] - before["step"]) * 1000
        for before, after in itertools.pairwise(registry.history(run_id))
        if before["step"] >= first and after["val_loss"] is None
    )


def train_peer(python: Path, script: str, variant: str, network: str, data: Path) -> dict:
    """Train a peer in its own process."""
    preset = PRESETS[network].hyperparameters
    done = subprocess.run(
        [
            python,
            FOLDER / "peers" / f"{script}.py",
            f"--data={data}",
            f"--network={network}",
            f"--variant={variant}",
            f"--iterations={ITERATIONS[network]}",
            f"--batch-size={preset.batch_size}",
            f"--learning-rate={preset.learning_rate}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{script}, {variant}, {network} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def matrix_limits() -> dict[str, float]:
    """Return the processor's rate in large matrix products of each precision, in GFLOP/s."""
    code = (
        "import os, time; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
        "import tensorflow as tf\n"
        "for kind in ('float32', 'bfloat16'):\n"
        "    m = tf.ones((2048, 2048), kind); f = tf.function(lambda: tf.reduce_sum(tf.matmul(m, m))); f()\n"
        "    times = []\n"
        "    for _ in range(7):\n"
        "        start = time.perf_counter(); f().numpy(); times.append(time.perf_counter() - start)\n"
        "    print(kind, 2 * 2048 ** 3 / min(times) / 1e9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    return {kind: round(float(value), 1) for kind, value in (line.split() for line in done.stdout.splitlines())}


def summarise(network: str, rows: dict[str, list[dict]], limits: dict[str, float]) -> dict:
    """Return medians over the rounds, ratios within each round, and the share of the matrix rate."""
    batch_size = PRESETS[network].hyperparameters.batch_size
    # The forward pass and the gradients by weights and by inputs; the gradient by the image is not needed.
    products = 2 * (3 * MULTIPLICATIONS[network] - OF_FIRST_LAYER[network]) * batch_size
    mine = [row["ms"] for row in rows["digits, as the app runs it"]]
    summary = {}
    for name, found in rows.items():
        milliseconds = statistics.median(row["ms"] for row in found)
        summary[name] = {
            "rounds": len(found),
            "ms": round(milliseconds, 3),
            "images_per_second": round(batch_size / milliseconds * 1000),
            "times_as_long_as_digits": round(
                statistics.median(row["ms"] / own for row, own in zip(found, mine, strict=True)), 2
            ),
            "share_of_bfloat16_limit": round(products / (milliseconds / 1000) / 1e9 / limits["bfloat16"], 3),
            **{
                key: value for key, value in found[-1].items() if key in ("precision", "versions", "ms_with_validation")
            },
        }
    return summary


if __name__ == "__main__":
    main()
