"""comparison: several runs in one chart and one table, and the images that two models read differently."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digits.runs.changes import Change
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.views import comparison


def run(**settings):
    return SimpleNamespace(hyperparameters=Hyperparameters(**settings), data="MNIST.")


class TestSettingsTable:
    def test_begins_with_what_differs(self):
        """A setting that differs between the runs comes first and is marked; the others are not."""
        runs = {"one": run(learning_rate=0.5, seed=1), "two": run(learning_rate=0.25, seed=1)}
        table, is_differing = comparison.settings_table(runs, {"one": [], "two": []})
        assert is_differing == [True] + [False] * (len(table) - 1)
        assert table.iloc[0].tolist() == ["Learning rate", "0.5", "0.25"]

    def test_sees_small_differences(self):
        """Numbers that differ only in the eighth digit are not shown as equal."""
        runs = {"one": run(learning_rate=0.12345678), "two": run(learning_rate=0.12345679)}
        table, is_differing = comparison.settings_table(runs, {"one": [], "two": []})
        assert is_differing[0]
        assert table.iloc[0].tolist() == ["Learning rate", "0.12345678", "0.12345679"]

    def test_has_every_setting(self):
        """Every hyperparameter is listed, and changes during a run count as one row."""
        runs = {"one": run(), "two": run()}
        table, is_differing = comparison.settings_table(
            runs, {"one": [], "two": [Change(840, "learning_rate", 0.1, 0.01)]}
        )
        assert set(table["Setting"]) >= {knob.label for knob in KNOBS.values()}
        assert table.iloc[0].tolist() == ["Changed while training", "nothing", "learning rate 0.1 → 0.01 at 840"]
        assert sum(is_differing) == 1

    def test_shows_hostile_names_as_they_are(self):
        """A run's name becomes a column's name, unchanged, whatever it contains."""
        name = "<script>alert(1)</script>"
        table, _ = comparison.settings_table({name: run()}, {name: []})
        assert list(table.columns) == ["Setting", name]


class TestChanges:
    def test_that_never_took_effect_are_not_shown(self):
        """Changes that never took effect are not shown."""
        assert comparison.changes_in_words([Change(None, "dropout", None, 0.5)]) == ""


class TestDisputed:
    @given(data=st.data())
    def test_images_fall_into_one_group_each(self, data):
        """Every image that two models read differently is in exactly one group, and no other image is in any."""
        size = data.draw(st.integers(0, 50))
        labels, a, b = (np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))) for _ in "lab")
        groups = [comparison.disagreements(labels, a, b, side).tolist() for side in ("a", "b", "neither")]
        assert sorted(row for group in groups for row in group) == np.flatnonzero(a != b).tolist()
        assert comparison.disagreements(labels, b, a, "a").tolist() == groups[1]

    def test_a_alone_is_right(self):
        """In A's group, A's prediction equals the label."""
        labels, a, b = np.array([1, 2, 3]), np.array([1, 2, 0]), np.array([1, 0, 3])
        assert comparison.disagreements(labels, a, b, "a").tolist() == [1]
