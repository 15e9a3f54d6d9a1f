"""Compiled programs, kept between runs because compiling takes about a second; each takes about 40 MB."""

from typing import TYPE_CHECKING

from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.settings import Settings

if TYPE_CHECKING:  # this loads TensorFlow
    from digits.training.programs import Program

MOST = len(PRESETS) + 1  # programs that are kept


class ProgramCache:
    """The programs that one trainer used last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._programs: dict[tuple[str, int, str, str, str, bool], Program] = {}  # the least recently used first

    def find(
        self, hyperparameters: Hyperparameters, class_count: int, precision: str = "", *, is_lesson: bool = False
    ) -> "Program":
        """Return the program for these hyperparameters, created if it is not kept.

        Args:
            class_count: how many classes the data has.
            precision: the precision with which the run has begun, perhaps on another machine; empty for this
                processor's fastest one.
            is_lesson: whether it goes on from a finished model's weights, in which batch normalisation is folded.
        """
        from digits.training import programs
        from digits.training.precision import fastest_precision, memory_file

        chosen, precision = hyperparameters, precision or fastest_precision(memory_file(self._settings.runs_dir))
        if is_lesson or chosen.network in programs.ALWAYS_FLOAT32:  # a lesson's small steps need the precision
            precision = "float32"
        key = (chosen.network, class_count, chosen.optimizer, chosen.augmentation, precision, is_lesson)
        program = self._programs.pop(key, None)
        if program is None:
            while len(self._programs) >= MOST:
                del self._programs[next(iter(self._programs))]
            program = programs.Program(
                chosen.network,
                class_count,
                optimizer=chosen.optimizer,
                augmentation=chosen.augmentation,
                precision=precision,
                is_lesson=is_lesson,
            )
        self._programs[key] = program
        return program

    def clear(self) -> None:
        """Forget them all, for want of memory."""
        self._programs.clear()
