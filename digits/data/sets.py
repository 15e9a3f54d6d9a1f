"""The data sets that a network can learn from: its classes, where each comes from, what is added.

Those of `DATA_SETS` are declared here, each once; a visitor's own sets (see `own`) have the same interface.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from digits.data import idx, joined, letters, mixture, mnist, own
from digits.data.datasets import CLASS_NAMES, Dataset, Source
from digits.data.mixture import Say, Share
from digits.errors import DatasetUnavailable
from digits.settings import Settings

MNIST = "mnist"


@dataclass(frozen=True)
class DataSet:
    """The declaration of a data set.

    Attributes:
        name: a short identifier, as in links and on cards.
        title: its name for people.
        class_names: the names of its classes, in their order.
        origin: who collected it, and its terms, in a sentence.
        shares: what a network learns from besides the images of `load`, by augmentation.
        find_source: tells where its images would come from now; raises `DatasetUnavailable`.
        load: loads it; raises `DatasetUnavailable` or `DatasetCorrupt`.
        load_test: loads it without its training and validation images.
        folded: the class of each label of handwriting, where that is not the class's name.
        download: downloads it, and tells its progress; None for what is found or fetched otherwise.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    origin: str
    shares: Mapping[str, tuple[Share, ...]]
    find_source: Callable[[Settings], Source]
    load: Callable[[Settings], Dataset]
    load_test: Callable[[Settings], Dataset]
    folded: Mapping[str, int] = field(default_factory=dict)
    download: Callable[[Settings, Say], None] | None = None

    def model_title(self, network: str) -> str:
        """Return what a model of this data is called, given its network's title; digits need not be named."""
        return network if self.name == MNIST else f"{self.title}: {network[0].lower()}{network[1:]}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of handwriting that it knows, each with the name of its class."""
        places = self.folded or {name: place for place, name in enumerate(self.class_names)}
        return {label: self.class_names[place] for label, place in places.items()}


_LETTERS_ORIGIN = (
    "UNIPEN (I. Guyon et al., ICPR 1994; CC BY 4.0); with the folder of handwriting also Omniglot (B. Lake et al., "
    "Science 2015; MIT) and EMNIST (G. Cohen et al., IJCNN 2017; public domain)."
)


def _of_letters(alphabet: letters.Alphabet) -> DataSet:
    return DataSet(
        alphabet.name,
        alphabet.title,
        alphabet.class_names,
        _LETTERS_ORIGIN,
        {"none": mixture.LETTERS, "drawing": mixture.VARIED_LETTERS},
        letters.find_source,
        partial(letters.load, alphabet),
        partial(letters.load_test, alphabet),
        alphabet.labels,
    )


def _of_files(one: idx.IdxSet) -> DataSet:
    return DataSet(
        one.name,
        one.title,
        one.class_names,
        one.origin,
        {"none": (), "drawing": ()},
        partial(idx.find_source, one),
        partial(idx.load, one),
        partial(idx.load_test, one),
        download=partial(idx.download, one),
    )


def _of_visitor(found: own.OwnSet) -> DataSet:
    learned = sum(1 for sample in found.samples if sample.image is None) * 3 // 5
    return DataSet(
        found.name,
        found.title,
        found.class_names,
        "Drawn or brought by a visitor of this server, whose it is.",
        mixture.of_own(learned),
        lambda settings: Source.OWN,
        partial(own.load, found),
        partial(own.load, found, is_test=True),
    )


def _of_joined(name: str, found: own.OwnSet) -> DataSet:
    others, mine = DATA_SETS[MNIST], _of_visitor(found)
    return DataSet(
        name,
        f"{found.title} + MNIST",
        others.class_names,
        f"{mine.origin} MNIST: {others.origin}",
        mine.shares,
        others.find_source,
        partial(joined.load, found),
        partial(joined.load, found, is_test=True),
    )


DATA_SETS: dict[str, DataSet] = {
    MNIST: DataSet(
        MNIST,
        "Digits (MNIST)",
        CLASS_NAMES,
        "Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0 as commonly stated.",
        {"none": (), "drawing": mixture.MIXTURE},
        mnist.find_source,
        mnist.load_mnist,
        mnist.load_test,
    ),
    **{alphabet.name: _of_letters(alphabet) for alphabet in letters.ALPHABETS.values()},
    **{one.name: _of_files(one) for one in idx.SETS.values()},
}


def find(name: str) -> DataSet:
    """Return a declared data set, or a version of a visitor's own, alone or added to MNIST.

    Raises:
        DatasetUnavailable: no data set has this name.
        DatasetCorrupt: a file of a visitor's set is damaged.
    """
    if own.is_name(name):
        return _of_visitor(own.find(name))
    if joined.is_name(name):
        return _of_joined(name, joined.find(name))
    if name not in DATA_SETS:
        raise DatasetUnavailable(
            f"A data set must be {', '.join(DATA_SETS)}; received {name[:60]!r}. Choose one of these."
        )
    return DATA_SETS[name]


def place(name: str) -> int:
    """Return where a data set stands in a list of all: declared ones in their order, then visitors' own."""
    return list(DATA_SETS).index(name) if name in DATA_SETS else len(DATA_SETS)


def with_classes(class_names: tuple[str, ...]) -> DataSet | None:
    """Return the declared data set that has these classes, or None."""
    return next((declared for declared in DATA_SETS.values() if declared.class_names == class_names), None)


def fetch(declared: DataSet, settings: Settings, say: Say) -> None:
    """Download a data set that this machine lacks, if it can be downloaded and that is allowed."""
    try:
        declared.find_source(settings)
    except DatasetUnavailable:
        if declared.download is None or not settings.may_download:
            raise
        declared.download(settings, say)


def add_shares(
    dataset: Dataset, augmentation: str, memory: Path, say: Say, settings: Settings, *, own_share: float = 0.1
) -> Dataset:
    """Add to a data set's training images what its declaration names for an augmentation.

    Args:
        dataset: what `load` returned.
        augmentation, own_share: as in `Hyperparameters`.
        memory, say: as in `mixture.for_drawings`.
        settings: they name the folder of handwriting.
    """
    if joined.is_name(dataset.name):
        mine = find(joined.own_name(dataset.name)).load(settings)
        others, mine = (
            add_shares(part, augmentation, memory, say, settings) for part in (replace(dataset, name=MNIST), mine)
        )
        return joined.learn(dataset, others, mine, own_share)
    shares = find(dataset.name).shares[augmentation]
    return mixture.for_drawings(dataset, memory, say, data_dir=settings.data_dir, shares=shares) if shares else dataset
