"""sharing: a link reopens a page in the same state, and a hostile link does no harm."""

import re
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.ink import codec
from digits.runs.hyperparameters import KNOBS, LEARNING_RATES
from digits.runs.presets import PRESETS
from digits.sweeps.plan import PRUNERS, SAMPLERS
from digits.sweeps.space import SEARCHABLE, Space, stops
from digits.views.challenges import CHALLENGES
from digits.views.sharing import COMPARISON_TABS, MODEL_TABS, MOST_IDS, PAGES, PEN_WIDTHS, query, query_string, read

identifiers = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
class_names = st.just("") | st.text(st.characters(categories=["L", "M", "N", "P", "S"]), max_size=12)
drawings = st.lists(
    st.lists(st.tuples(st.integers(0, 280), st.integers(0, 280)), min_size=1, max_size=20).map(np.float32),
    min_size=1,
    max_size=4,
)
games = st.tuples(st.integers(0, 999_999), st.permutations("0123456789"), drawings.map(codec.encode)).map(
    lambda game: ".".join([str(game[0]), *(f"{digit}s" for digit in game[1][1:]), f"{game[1][0]}f{game[2]}"])
)


def values_of(name):
    """Any value of a hyperparameter that a link represents exactly; a link has ten digits of a fraction."""
    knob = KNOBS[name]
    if name == "learning_rate":
        return st.sampled_from(LEARNING_RATES) | st.floats(knob.low, knob.high).map(lambda rate: float(f"{rate:.10g}"))
    if name in ("dropout", "own_share"):
        return st.integers(round(100 * knob.low), round(100 * knob.high)).map(lambda percent: percent / 100)
    return st.sampled_from(knob.choices) if knob.scale == "choice" else st.integers(int(knob.low), int(knob.high))


def space_of(names):
    """The text of a space in which all values of these hyperparameters are searched."""
    axes = {name: stops(name) for name in names}
    return Space.from_dict(
        {name: all_ if KNOBS[name].scale == "choice" else (all_[0], all_[-1]) for name, all_ in axes.items()}
    ).to_text()


STATES = {
    "draw": st.fixed_dictionaries(
        {
            "model": st.just("") | identifiers,
            "pen": st.integers(*PEN_WIDTHS[:2]),
            "ink": st.just("") | drawings.map(codec.encode),
            "game": st.just("") | games,
        }
    ),
    "train": st.fixed_dictionaries(
        {
            **{name: values_of(name) for name in KNOBS},
            "run": st.just("") | identifiers,
            "challenge": st.sampled_from(["", *CHALLENGES]),
        },
    ),
    "sweep": st.fixed_dictionaries(
        {
            **{name: values_of(name) for name in KNOBS},
            "space": st.just("") | st.sets(st.sampled_from(SEARCHABLE), min_size=1).map(space_of),
            "sampler": st.sampled_from(SAMPLERS),
            "prune": st.sampled_from(PRUNERS),
            "budget": st.sampled_from(["trials", "minutes"]),
            "trials": st.integers(1, 500),
            "minutes": st.integers(1, 1440),
            "sweep": st.just("") | identifiers,
        }
    ),
    "runs": st.fixed_dictionaries(
        {
            "state": st.sampled_from(["", "finished", "deleted"]),
            "network": st.just("") | st.sampled_from(list(PRESETS)),
            "chosen": st.lists(identifiers, max_size=MOST_IDS, unique=True).map(".".join),
            "compare": st.booleans(),
            "tab": st.sampled_from(COMPARISON_TABS),
            "run": st.just("") | identifiers,
            "measure": st.sampled_from(["val_accuracy", "val_loss", "loss"]),
            "log": st.booleans(),
            "a": st.just("") | identifiers,
            "b": st.just("") | identifiers,
            "side": st.sampled_from(["a", "b", "neither"]),
            "hundred": st.integers(1, 1000),
            "sample": st.none() | st.integers(0, 10**9),
        }
    ),
    "data": st.fixed_dictionaries(
        {
            "set": st.just("") | identifiers,
            "class": class_names,
            "by": class_names,
            "shuffle": st.none() | st.integers(0, 2**31 - 1),
            "hundred": st.integers(1, 1000),
        }
    ),
    "gallery": st.fixed_dictionaries(
        {
            "model": st.just("") | identifiers,
            "hundred": st.integers(1, 1000),
            "shuffle": st.none() | st.integers(0, 2**31 - 1),
            "show": st.sampled_from(["all", "errors", "correct"]),
            "class": class_names,
            "read": class_names,
            "by": class_names,
            "sort": st.sampled_from(["confidence", "dataset", "random", "suspect"]),
            "sample": st.none() | st.integers(0, 10**9),
        }
    ),
    "models": st.fixed_dictionaries(
        {
            "model": st.just("") | identifiers,
            "tab": st.sampled_from(MODEL_TABS),
            "class": class_names,
            "read": class_names,
            "sample": st.none() | st.integers(0, 10**9),
        }
    ),
}


def values_without_a_link(page):
    return read(page, {})[0]


@pytest.mark.parametrize("page", PAGES)
class TestEveryPage:
    def test_has_values_without_a_link(self, page):
        """An address without parameters gives a value for every parameter and no notice."""
        values, notices = read(page, {})
        assert list(values) == list(PAGES[page])
        assert notices == []

    @given(data=st.data())
    def test_is_reopened_by_its_link(self, page, data):
        """Reading the link of any state gives that state again, without a notice."""
        state = data.draw(STATES[page])
        assert read(page, query(page, state)) == (state, [])

    @given(data=st.data())
    def test_is_reopened_by_its_links_text(self, page, data):
        """The text after the question mark gives the same state, and has no characters to escape."""
        state = data.draw(STATES[page])
        text = query_string(page, state)
        assert dict(parse_qsl(text, strict_parsing=bool(text))) == query(page, state)
        assert re.fullmatch(r"[A-Za-z0-9_.&=+-]*", text)

    @given(data=st.data())
    def test_keeps_its_defaults_when_a_link_is_hostile(self, page, data):
        """For any link, each parameter is valid, or its default with a notice; nothing is raised."""
        hostile = st.text(max_size=50) | st.sampled_from(
            [
                "../../etc/passwd",
                "<script>alert(1)</script>",
                "' OR 1=1 --",
                "9" * 5000,
                "nan",
                "-1",
                "1e999",
                "١٢",
                "\0",
            ]
        )
        names = st.sampled_from([*PAGES[page], "unknown"])
        link = data.draw(st.dictionaries(names, hostile))
        values, notices = read(page, link)
        assert list(values) == list(PAGES[page])
        refused = {name for name in PAGES[page] if any(f"`{name}`" in notice for notice in notices)}
        assert len(notices) == len(refused)
        assert refused <= set(link)
        defaults = read(page, {"network": values["network"]} if page == "train" else {})[0]
        for name, value in values.items():
            is_taken = name in link and name not in refused
            assert value == (PAGES[page][name].parse(link[name]) if is_taken else defaults[name])


class TestNotices:
    @pytest.mark.parametrize(
        ("page", "name", "text", "notice"),
        [
            (
                "draw",
                "pen",
                "41",
                r"link's `pen` was not used: it should be a whole number in \[4, 40\]; received '41'",
            ),
            ("draw", "model", "../secret", r"link's `model` .* received '\.\./secret'"),
            ("train", "iterations", "99", r"`iterations` must lie in \[100, 20000\] batches; received 99"),
            ("train", "network", "resnet", "`network` must be one of softmax, .*; received 'resnet'"),
            ("gallery", "hundred", "0", r"link's `hundred` .* in \[1, 1000\]; received '0'"),
            ("gallery", "show", "none", "link's `show` .* one of all, errors, correct; received 'none'"),
            ("gallery", "shuffle", "-1", "link's `shuffle`"),
        ],
    )
    def test_say_what_was_expected_and_what_came(self, page, name, text, notice):
        """A notice gives the parameter, the allowed values and the link's value, and the default is used."""
        values, notices = read(page, {name: text})
        assert len(notices) == 1
        assert re.search(notice, notices[0])
        assert values == values_without_a_link(page)

    def test_say_when_a_drawing_was_cut(self):
        """A drawing that a mail program has cut off is left out, with a readable sentence."""
        values, notices = read("draw", {"ink": codec.encode([np.float32([[1, 2], [90, 200]])])[:-1]})
        assert values["ink"] == ""
        assert notices == [
            "The link's `ink` was not used: This link's drawing cannot be read: it was cut or changed. "
            "Copy the whole link again."
        ]


class TestTraining:
    @pytest.mark.parametrize("network", PRESETS)
    def test_a_network_alone_brings_its_preset(self, network):
        """A link that names only the network gets that network's learning rate and all its other settings."""
        values, notices = read("train", {"network": network})
        preset = PRESETS[network].hyperparameters.to_dict()
        assert {name: values[name] for name in KNOBS} == preset
        assert notices == []

    def test_a_refused_network_brings_the_newcomers_preset(self):
        """A link with an unknown network opens with the settings that a newcomer finds."""
        values = read("train", {"network": "resnet"})[0]
        assert {name: values[name] for name in KNOBS} == PRESETS["corrected"].hyperparameters.to_dict()

    def test_spells_out_every_hyperparameter(self):
        """A link contains all settings, even those of the preset, so it keeps its meaning if presets change."""
        link = query("train", {**PRESETS["softmax"].hyperparameters.to_dict(), "run": ""})
        assert set(link) == set(KNOBS)
        assert (link["learning_rate"], link["dropout"]) == ("0.5", "0")


def test_leaves_other_defaults_out():
    """The address of a page in its first state has no parameters."""
    assert query("draw", values_without_a_link("draw")) == {}
    assert query("gallery", values_without_a_link("gallery")) == {}


def test_passes_over_the_parameters_of_other_pages():
    """An unknown parameter is ignored without a notice."""
    assert read("draw", {"hundred": "7", "utm_source": "mail"}) == (values_without_a_link("draw"), [])
