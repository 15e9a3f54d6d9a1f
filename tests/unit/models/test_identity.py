"""identity: every identity has one name, and other text is not a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.models.identity import MAX_CHARACTERS, ModelId, Weights

RUN = "a1B2-_c3D4e5"  # as the registry makes run ids
IDENTITIES = {
    "softmax": ModelId("softmax"),
    RUN: ModelId(RUN),
    f"{RUN}-best": ModelId(RUN, Weights.BEST),
    f"{RUN}-at-300": ModelId(RUN, Weights.SAVED, 300),
    f"{RUN}-at-0": ModelId(RUN, Weights.SAVED, 0),
    "cli-softmax-7": ModelId("cli-softmax-7"),
    f"{RUN}-at-007": ModelId(f"{RUN}-at-007"),
    f"{RUN}-at-": ModelId(f"{RUN}-at-"),
    "-best": ModelId("-best"),
    "mine-best-best": ModelId("mine-best", Weights.BEST),
    "mine-at-1-at-2": ModelId("mine-at-1", Weights.SAVED, 2),
}


@pytest.mark.parametrize(("text", "identity"), IDENTITIES.items())
def test_a_name_is_parsed_and_written(text, identity):
    """Names of bundled models, of a run's last, best and saved weights, and of other folders."""
    assert ModelId.parse(text) == identity
    assert str(identity) == text


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a/b", "a\\b", "softmax\n", "a b", "é", "a-at-²", "a" * (MAX_CHARACTERS + 1), "%2e", "a\x00"],
)
def test_other_text_is_not_a_name(text):
    """A name consists of letters, digits, _ and -, and is short, so it is safe as a folder name."""
    assert ModelId.parse(text) is None


@given(st.text(max_size=50) | st.from_regex(r"[a-z]{1,5}(-best|-at-[0-9]{1,3}){0,3}", fullmatch=True))
def test_a_parsed_name_is_written_the_same(text):
    """No identity has two names, so a folder is found by its own name."""
    identity = ModelId.parse(text)
    assert identity is None or str(identity) == text


@given(st.sampled_from([Weights.BEST, Weights.LAST, Weights.SAVED]), st.integers(0, 10**9))
def test_an_identity_round_trips(weights, step):
    """The identity of every model of a run can be parsed from its name."""
    identity = ModelId(RUN, weights, step if weights is Weights.SAVED else None)
    assert ModelId.parse(str(identity)) == identity


@pytest.mark.parametrize(("weights", "step"), [(Weights.SAVED, None), (Weights.BEST, 5), (Weights.LAST, 5)])
def test_only_a_saved_copy_has_a_step(weights, step):
    """Other combinations of weights and step raise `ValueError`."""
    with pytest.raises(ValueError, match="`step`"):
        ModelId(RUN, weights, step)
