"""The JSON file of each benchmark's results, with the machine, the versions and the command."""

import datetime
import json
import os
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("tensorflow", "keras", "numpy", "streamlit", "ai-edge-litert")


def machine() -> dict[str, Any]:
    """Return the properties of the machine on which a figure depends."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    flags = next((line.split() for line in _lines("/proc/cpuinfo") if line.startswith("flags")), [])
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "bfloat16_instructions": sorted({"avx512_bf16", "amx_bf16"} & set(flags)),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def save(name: str, figures: Any) -> Path:
    """Write `figures` to results/<name>.json and return the path."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {
        "command": shlex.join(
            ["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *map(_without_place, sys.argv[1:])]
        ),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "machine": machine(),
        "versions": versions,
        "figures": figures,
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def _without_place(argument: str) -> str:
    """Remove the folder from an absolute path: it means nothing on another machine."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
