"""Whether the trainer's choice of precision is stable: made in many new processes, on an idle and on a busy machine.

    python -m benchmarks.precision --processes 12

The last round hides the processor's bfloat16 instructions from oneDNN, as on an older machine.
"""

import argparse
import collections
import os
import subprocess
import sys

from benchmarks import _results

CHOOSE = "from digits.training.precision import fastest_precision; print(fastest_precision())"
BUSY = "while True: pass"
ROUNDS = {  # name: the number of busy processes, and extra environment variables
    "idle": (0, {}),
    "one processor busy": (1, {}),
    "without bfloat16 instructions": (0, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=12, help="choices in each round (default: %(default)s)")
    count = parser.parse_args().processes
    figures = {}
    for name, (busy, extra) in ROUNDS.items():
        others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
        try:
            figures[name] = dict(collections.Counter(choose(extra) for _ in range(count)))
        finally:
            for other in others:
                other.kill()
                other.wait()
        print(name, figures[name], flush=True)
    print("Written to", _results.save("precision", figures))


def choose(extra: dict[str, str]) -> str:
    """Choose the precision in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", CHOOSE],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"} | extra,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


if __name__ == "__main__":
    main()
