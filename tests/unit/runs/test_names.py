"""names: runs are numbered by network and owner, and a name that is taken gets a number."""

import pytest

from digits.runs import names
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS


def test_every_network_has_a_short_name():
    """No network is missing, and no two are called the same."""
    assert set(names.NETWORKS) == set(PRESETS)
    assert len(set(names.NETWORKS.values())) == len(PRESETS)


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], "Convolutional 1"),
        (["Convolutional 1", "wide", "Softmax 7"], "Convolutional 2"),
        (["Convolutional 9", "Convolutional 2"], "Convolutional 10"),
        (["Convolutional x", "Convolutional", "Convolutional -3", "Convolutional 1e9"], "Convolutional 1"),
    ],
)
def test_a_run_without_a_name_is_numbered(taken, name):
    """The number is one more than the highest; other names do not count."""
    assert names.numbered("convolutional", taken) == name
    assert names.is_given(name)


@pytest.mark.parametrize(
    ("taken", "name"), [([], "wide"), (["wider"], "wide"), (["wide"], "wide 2"), (["wide", "wide 4"], "wide 5")]
)
def test_a_name_that_is_taken_gets_a_number(taken, name):
    """A free name stays as it is."""
    assert names.free("wide", taken) == name
    assert not names.is_given(name)


class TestRegistry:
    def test_numbers_runs_by_network_and_owner(self, registry):
        """The third run of a network is called so, whoever else has runs, and whatever was renamed or deleted."""
        create = registry.create
        first, second = (create(Hyperparameters(), "ada") for _ in range(2))
        create(Hyperparameters(network="corrected"), "ada")
        create(Hyperparameters(), "eve")
        registry.describe(first, name="wide")
        registry.set_deleted([second], 1.0)
        third = create(Hyperparameters(), "ada")
        assert [registry.get(run_id).name for run_id in (first, second, third)] == ["wide", "Softmax 2", "Softmax 3"]

    def test_keeps_the_names_of_one_owner_apart(self, registry):
        """A name given at the start gets a number only if it is taken; characters of patterns are plain ones."""
        ids = [registry.create(Hyperparameters(), "ada", name=name) for name in ("a%", "ab", "a%")]
        ids.append(registry.add_imported(Hyperparameters(), "ada", name="a%"))
        assert [registry.get(run_id).name for run_id in ids] == ["a%", "ab", "a% 2", "a% 3"]
