"""Settings: paths, limits, and the environment variables that change the paths."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digits.errors import InvalidSetting

PROJECT_DIR = Path(__file__).resolve().parent.parent  # a clone, or the site-packages of an installed copy
_INSTALLED_DIR = PROJECT_DIR / "digits" / "_bundled"  # where a wheel keeps its models/, requirements.txt and LICENSE
IS_INSTALLED = _INSTALLED_DIR.is_dir()
BUNDLED_DIR = _INSTALLED_DIR if IS_INSTALLED else PROJECT_DIR
BUNDLED_MODELS_DIR = BUNDLED_DIR / "models"

IMAGE_SIZE = 28  # pixels a side, of every image that a network reads

MAX_UPLOAD_BYTES = 24 * 1024 * 1024  # of a picture; a phone's JPEG of 50 megapixels takes 10 to 20 MB
MAX_IMAGE_PIXELS = 40_000_000
# A JPEG is reduced while it is decoded; a WebP takes four times as much memory to decode as others.
MAX_PIXELS_BY_FORMAT = {"JPEG": 64_000_000, "HEIC": 64_000_000, "WEBP": 16_000_000}
MAX_UPLOADED_BYTES_PER_SESSION = 128 * 1024 * 1024  # on their way; a picture is then kept in about a megabyte
MAX_UPLOADED_BYTES = 384 * 1024 * 1024  # of all sessions together
MAX_PACKAGE_BYTES = 32 * 1024 * 1024  # also in .streamlit/config.toml; the largest preset takes 14 MB
HEARTBEAT_TIMEOUT_SECONDS = 10.0  # if the trainer is silent for longer, a run's page says so
TRAINER_TIMEOUT_SECONDS = 60.0  # a trainer that shows no sign of life for longer has hung: it is killed and replaced
RUNS_LISTED = 200  # at first, and as many again with each press; ten thousand at once make the page slow
RUNS_BEFORE_RECYCLING = 50  # after so many runs the trainer restarts, so that nothing that TensorFlow keeps adds up


@dataclass(frozen=True)
class Settings:
    """The settings that environment variables provide.

    Attributes:
        data_dir: the folder whose `mnist/` holds the four IDX files of MNIST; `handwriting/` in it is optional.
        keras_home: Keras's folder; `datasets/mnist.npz` in it is read, or written by a download.
        may_download: whether MNIST may be downloaded if it is not on this machine.
        runs_dir: the folder of the models that runs train and of the default registry. In a clone it is `models/runs`;
            for an installed copy it is `digits/runs` in the user's data folder.
        registry_url: the SQLAlchemy URL of the run registry.
        tensorboard_dir: where runs write logs for TensorBoard; None for no logs.
        trainers: how many trainers this server keeps; None for one, unless the registry has one elsewhere.
        cluster: the address of the Ray cluster that trains; None if this machine does.
        trainer_cpus, trainer_gpus: the processors that a trainer has on a cluster.
        store_url: where the files of runs are kept instead of `runs_dir`, such as `s3://bucket/folder`; None for there.
    """

    data_dir: Path | None
    keras_home: Path
    may_download: bool
    runs_dir: Path
    registry_url: str
    tensorboard_dir: Path | None = None
    trainers: int | None = None
    cluster: str | None = None
    trainer_cpus: float = 1.0
    trainer_gpus: float = 0.0
    store_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `KERAS_HOME` and the `DIGITS_` variables. An empty variable counts as unset.

        Args:
            environment: the variables; `os.environ` if None.

        Raises:
            InvalidSetting: a variable should be a number and is not.
        """
        env = os.environ if environment is None else environment
        runs_dir = Path(env.get("DIGITS_RUNS_DIR") or _default_runs_dir(env)).resolve()
        data_dir, tensorboard_dir = env.get("DIGITS_DATA_DIR"), env.get("DIGITS_TENSORBOARD_DIR")
        return cls(
            data_dir=Path(data_dir).resolve() if data_dir else None,
            keras_home=Path(env.get("KERAS_HOME") or Path.home() / ".keras"),
            may_download=env.get("DIGITS_DOWNLOAD", "1") != "0",
            runs_dir=runs_dir,
            registry_url=env.get("DIGITS_REGISTRY_URL") or f"sqlite:///{runs_dir / 'registry.sqlite'}",
            tensorboard_dir=Path(tensorboard_dir).resolve() if tensorboard_dir else None,
            trainers=_count(env, "DIGITS_TRAINERS"),
            cluster=env.get("DIGITS_CLUSTER") or None,
            trainer_cpus=_amount(env, "DIGITS_TRAINER_CPUS", 1.0, low=0.1),
            trainer_gpus=_amount(env, "DIGITS_TRAINER_GPUS", 0.0, low=0.0),
            store_url=env.get("DIGITS_STORE_URL") or None,
        )


def _count(env: Mapping[str, str], name: str) -> int | None:
    """Return a variable's whole number; None if it is unset."""
    text = env.get(name) or ""
    if text and not text.isdecimal():
        raise InvalidSetting(f"{name} should be a whole number from 0; it is {text!r}. Correct it, or unset it.")
    return int(text) if text else None


def _amount(env: Mapping[str, str], name: str, default: float, *, low: float) -> float:
    """Return a variable's number, at least `low`; the default if it is unset."""
    text = env.get(name) or ""
    if text and not (re.fullmatch(r"\d{1,4}(\.\d{1,4})?", text) and float(text) >= low):
        raise InvalidSetting(f"{name} should be a number from {low:g}; it is {text!r}. Correct it, or unset it.")
    return float(text) if text else default


def _default_runs_dir(env: Mapping[str, str]) -> Path:
    """Return `models/runs` in a clone, or a folder in the user's data folder for an installed copy."""
    if not IS_INSTALLED:
        return BUNDLED_MODELS_DIR / "runs"
    if sys.platform == "win32":
        data = Path(env.get("LOCALAPPDATA") or env.get("TEMP") or ".")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "digits" / "runs"


def work_dir(runs_dir: Path, run_id: str) -> Path:
    """Return the folder of a run's checkpoint and snapshots. Its models are in other folders of `runs_dir`."""
    return runs_dir / ".work" / run_id
