"""Completion: an imported model has its figures measured on all images, in the background and one model at a time.

If this process ends before, the card stays provisional, which is true, and whoever opens the model begins again.
"""

import logging
import shutil
import threading
from collections.abc import Callable

from digits.errors import TooManyPackages
from digits.models import cards, catalogue
from digits.packages import measure
from digits.runs.registry import Registry
from digits.settings import Settings
from digits.store import open_store

MAX_WAITING = 20  # models; the largest network takes seven seconds of a processor

_logger = logging.getLogger(__name__)
_steps: dict[str, str] = {}  # of the models that are measured or wait for it, what is being done
_changing, _turn = threading.Lock(), threading.Lock()


def require_room() -> None:
    """Raise `TooManyPackages` if so many imported models wait to be measured that another one must not be added."""
    if len(_steps) >= MAX_WAITING:
        raise TooManyPackages(f"{MAX_WAITING} imported models are still being measured. Try again in a minute.")


def begin(model_id: str, registry: Registry, settings: Settings) -> None:
    """Have a model measured by a thread, which ends with this process; if it is being measured, do nothing."""
    with _changing:
        if model_id in _steps or len(_steps) > MAX_WAITING:
            return
        _steps[model_id] = "Waiting for other models to be measured"
    threading.Thread(target=_work, args=(model_id, registry, settings), name="completion", daemon=True).start()


def step(model_id: str) -> str:
    """Return what is being done for a model, in a few words; "" if this process does not measure it."""
    return _steps.get(model_id, "")


def complete(
    model_id: str, registry: Registry, settings: Settings, on_step: Callable[[str], None] = lambda step: None
) -> None:
    """Measure a model whose card is provisional, and write its card and its test probabilities.

    Args:
        on_step: called with a short description of each step before it starts.

    Raises:
        ModelNotFound, RunNotFound: the model or its run has been removed.
        DatasetError: there are no images to measure on.
        OSError: the store does not answer or is full; the card stays provisional.
    """
    model = catalogue.find(model_id, settings)
    if not model.card.provisional:
        return
    with open_store(settings).write_folder(model_id) as folder:
        shutil.copytree(model.folder, folder, dirs_exist_ok=True)
        card = measure.measure(folder, model.card, settings, on_step)
        cards.write(folder / catalogue.CARD, card)
        registry.get(model_id)  # raises `RunNotFound`
        disk_bytes = sum(file.stat().st_size for file in folder.iterdir())
        facts = {"test_correct": card.test.correct, "test_total": card.test.total, "disk_bytes": disk_bytes}
        registry.describe(model_id, **facts)


def _work(model_id: str, registry: Registry, settings: Settings) -> None:
    try:
        with _turn:
            complete(model_id, registry, settings, lambda words: _steps.update({model_id: words}))
    except Exception:  # nobody waits for this thread
        _logger.warning("model %s cannot be measured", model_id, exc_info=True)
    finally:
        with _changing:
            del _steps[model_id]
