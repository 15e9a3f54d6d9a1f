"""Teaching: a drawing gets another label, is listed with the others, is removed, and is learned from."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from digits.accuracy import Accuracy
from digits.data import corrections
from digits.ink import codec
from digits.models import cards, catalogue
from digits.models.figures import BeforeAfter
from digits.runs.schema import RunState
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.store import open_store
from digits.training import teaching

SEVEN = [np.float32([[70, 60], [210, 60], [120, 230]])]
ONE = [np.float32([[260, 60], [258, 230]])]


def asked(page):
    """What the control below the answer was given."""
    return json.loads(page.get_by_key("draw.teach").proto.json)


@pytest.fixture
def press(monkeypatch):
    """Return a function that presses something in the control, as its script does."""

    def press(page, **pressed):
        from pages import _teach

        def component(*, data, key, **callbacks):
            import streamlit as st

            state = SimpleNamespace(**{"labelled": None, "undone": None} | pressed)
            if not shown:
                shown.append(data)
                with monkeypatch.context() as patch:
                    patch.setattr(st, "session_state", _Overlaid(st.session_state, key, state))
                    for name in pressed:
                        callbacks[f"on_{name}_change"]()

        shown = []
        with monkeypatch.context() as patch:
            patch.setattr(_teach, "_teach", component)
            page.run()
        return page.run()

    return press


class _Overlaid:
    """A session's state in which one key has another value."""

    def __init__(self, state, key, value):
        self._state, self._key, self._value = state, key, value

    def __getitem__(self, key):
        return self._value if key == self._key else self._state[key]

    def __getattr__(self, name):
        return getattr(self._state, name)

    def __setitem__(self, key, value):
        self._state[key] = value

    def __contains__(self, key):
        return key in self._state


@pytest.fixture
def store(runs_dir):
    return open_store(Settings.from_environment())


def kept(store, owner="ada"):
    return [one.label for one in corrections.load(store, owner)]


class TestDraw:
    def test_asks_only_about_a_drawing(self, open_page, tidy):
        page = tidy(open_page())
        assert (asked(page)["question"], asked(page)["offer"]) == ("", "")
        page = tidy(open_page(ink=codec.encode(SEVEN)))
        assert asked(page)["question"] == "Not right?"
        assert asked(page)["names"] == list("0123456789")

    def test_keeps_what_was_said_and_takes_it_back(self, open_page, tidy, press, store):
        page = open_page(ink=codec.encode(SEVEN))
        given = asked(page)
        press(page, labelled={"label": "1", "serial": given["serial"], "place": 0})
        assert kept(store) == ["1"]
        assert (asked(tidy(page))["said"], asked(page)["offer"]) == ("Kept as a 1.", "1 correction. Learn from it")
        press(page, undone=asked(page)["kept"])
        assert kept(store) == []
        assert asked(tidy(page))["offer"] == ""

    def test_keeps_only_the_digit_that_is_looked_at(self, open_page, tidy, press, store):
        """Of 71 the first digit is labelled; its strokes alone are kept."""
        page = open_page(ink=codec.encode([*SEVEN, *ONE]))
        assert asked(page)["question"] == "Number 1 is not right?"
        press(page, labelled={"label": "2", "serial": asked(page)["serial"], "place": 0})
        (one,) = corrections.load(store, "ada")
        assert len(one.strokes) == 1
        assert one.strokes[0][:, 0].max() < 220

    @pytest.mark.parametrize("sent", [{"label": "1", "serial": 99, "place": 0}, {"label": "1"}, "1", None])
    def test_leaves_out_what_comes_late_or_broken(self, sent, open_page, tidy, press, store):
        page = open_page(ink=codec.encode(SEVEN))
        press(page, labelled=sent)
        assert kept(store) == []
        tidy(page)

    def test_says_when_there_is_no_room(self, open_page, tidy, press, store, monkeypatch):
        monkeypatch.setenv("DIGITS_CORRECTIONS_PER_VISITOR", "1")
        corrections.add(store, "ada", ONE, "1")
        page = open_page(ink=codec.encode(SEVEN))
        press(page, labelled={"label": "1", "serial": asked(page)["serial"], "place": 0})
        assert kept(store) == ["1"]
        assert "may keep 1 corrections" in asked(page)["said"]

    def test_lists_the_corrections_and_removes_one(self, open_page, tidy, store):
        for strokes, label in ((SEVEN, "1"), (ONE, "4")):
            corrections.add(store, "ada", strokes, label)
        page = open_page()
        assert asked(page)["offer"] == "2 corrections. Learn from them"
        page.session_state["draw.lesson"] = True
        page.run()
        (four,) = [button for button in page.button if button.label == "4"]
        four.click().run()
        assert kept(store) == ["1"]
        tidy(page)

    def test_starts_a_run_that_begins_with_the_model(self, open_page, tidy, store, registry):
        corrections.add(store, "ada", SEVEN, "1")
        page = open_page(model="softmax")
        page.session_state["draw.lesson"] = True
        page.run()
        page.button(key="draw.learn").click().run()
        (run,) = registry.list_runs("ada")
        assert (run.parent, run.state) == ("softmax", RunState.QUEUED)
        assert [one.label for one in corrections.load_of_run(store, run.id)] == ["1"]


class TestTrain:
    CHANGED = (
        BeforeAfter("corrections", 4, 1, 4),
        BeforeAfter("test", 1000, 950, 951),
        BeforeAfter("strangers", 460, 440, 400),
    )

    @pytest.fixture
    def finished(self, registry, store, runs_dir):
        """Ada's run whose model was the softmax model before."""
        corrections.add(store, "ada", SEVEN, "1")
        softmax = catalogue.find("softmax", Settings.from_environment())
        run_id = teaching.start(registry, store, softmax, "ada", corrections.load(store, "ada"))
        registry.claim()
        registry.finish(run_id, RunState.FINISHED, test_correct=951, test_total=1000)
        with store.write_folder(run_id) as folder:
            for file in (BUNDLED_MODELS_DIR / "softmax").iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
            facts = softmax.card.to_dict() | {"id": run_id, "run": run_id, "parent": "softmax"}
            card = cards.Card.from_dict(facts)
            card = card.__class__(**{**card.__dict__, "taught": self.CHANGED, "test": Accuracy(951, 1000)})
            cards.write(folder / catalogue.CARD, card)
        return run_id

    def test_shows_before_and_after_and_warns(self, finished, open_page, tidy):
        page = tidy(open_page("train.py", run=finished))
        table = next(one.value for one in page.markdown if one.value.startswith("| Read correctly"))
        assert "| Your corrections | 25.0% | **100.0%** |" in table
        (warning,) = page.warning
        assert "strangers' drawings (8.7 points)" in warning.value
        assert "test" not in warning.value

    def test_is_discarded_by_its_owner_alone(self, finished, open_page, tidy, registry):
        page = tidy(open_page("train.py", visitor="bob", run=finished))
        assert not any(button.key == "train.discard" for button in page.button)
        page = open_page("train.py", run=finished)
        page.button(key="train.discard").click().run()
        assert registry.list_runs("ada") == []
        assert page.session_state["draw.model"] == "softmax"
