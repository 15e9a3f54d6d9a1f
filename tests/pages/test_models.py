"""Models: the figures are the model's own, a cell opens its images, and the link says which."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from digits.data import datasets, mnist
from digits.models import catalogue
from digits.settings import Settings

MODEL = "softmax"  # it makes mistakes of most kinds


class Truth(NamedTuple):
    dataset: datasets.Dataset
    probabilities: np.ndarray


@pytest.fixture(scope="module")
def truth():
    """The data set and a model's probabilities, found without the page."""
    dataset = mnist.load_test(Settings.from_environment())
    return Truth(dataset, catalogue.find(MODEL, Settings.from_environment()).test_probabilities(dataset))


def data(page, name):
    """What a component on the page was given."""
    return json.loads(page.get_by_key(f"models.{name}").proto.json)


def samples(page, name):
    return [tile["sample"] for tile in data(page, name)["tiles"]]


def words(page):
    return " ".join(item.value for item in [*page.markdown, *page.caption, *page.header])


class TestFigures:
    def test_are_those_of_the_card(self, open_page, tidy):
        """Both accuracies, with what they were counted on, are the card's."""
        page = tidy(open_page("models.py", model=MODEL))
        model = catalogue.find(MODEL, Settings.from_environment())
        shown = {metric.label: metric.value for metric in page.metric}
        assert shown["Test accuracy"] == f"{model.test_accuracy.share:.2%}"
        assert shown["Drawings"] == f"{model.strangers.strokes.share:.1%}"
        assert shown["Pictures"] == f"{model.strangers.pictures.share:.1%}"
        assert shown["Parameters"] == "7,850"
        assert shown["Size"] == f"{(model.folder / 'model.tflite').stat().st_size / 1e6:.2f} MB"
        assert 0 < float(shown["Speed"].removesuffix(" ms")) < 100
        low, high = model.test_accuracy.interval
        assert f"95% CI {low * 100:.2f} to {high:.2%}" in words(page)

    def test_of_strangers_are_told_by_source_and_by_class(self, open_page, tidy):
        """The tab Classes shows each source with its interval, and each class."""
        page = tidy(open_page("models.py", model=MODEL, tab="Classes"))
        by_source, by_class = (table.value for table in page.table[1:3])
        sources = catalogue.find(MODEL, Settings.from_environment()).strangers.sources
        assert by_source["correct, 95% interval"].tolist() == [str(figures.correct) for figures in sources]
        assert set("0123456789") | {"0 with a slash"} <= set(by_class.columns)

    def test_of_calibration_are_measured(self, open_page, tidy, truth):
        """The expected calibration error is the one of this model, before and after its temperature."""
        page = tidy(open_page("models.py", model=MODEL, tab="Calibration"))
        report = catalogue.find(MODEL, Settings.from_environment()).calibration_report(truth.dataset)
        assert f"differ by **{report.after:.2%}** on average" in words(page)
        assert f"differ by **{report.before:.2%}**" in words(page)


class TestMatrix:
    def test_counts_what_the_model_reads(self, open_page, tidy, truth):
        """Every cell counts the images with its label and prediction; the words name the most frequent mistake."""
        labels, probabilities = truth.dataset.test.labels, truth.probabilities
        counts = np.zeros((10, 10), int)
        np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
        page = tidy(open_page("models.py", model=MODEL))
        matrix = data(page, "matrix")
        assert matrix["counts"] == counts.tolist()
        assert matrix["pressed"] is None
        assert f"{np.trace(counts):,} of {len(labels):,} images" in matrix["label"]

    def test_opens_a_cells_images_from_a_link(self, open_page, tidy, truth):
        """A link to a cell shows its images, the surest first, and leads to all of them in the gallery."""
        labels, probabilities = truth.dataset.test.labels, truth.probabilities
        predicted = probabilities.argmax(axis=1)
        rows = np.flatnonzero((labels == 7) & (predicted == 9))
        rows = rows[np.argsort(-probabilities[rows].max(axis=1), kind="stable")]
        page = tidy(open_page("models.py", model=MODEL, class_="7", read="9"))
        assert samples(page, "cell") == rows[:20].tolist()
        assert any(heading.value.startswith(f"7 read as 9: {len(rows):,} image") for heading in page.header)
        assert data(page, "matrix")["pressed"] == 79
        assert page.query_params == {"model": MODEL, "class": "7", "read": "9"}
        page = tidy(page.button(key="models.close").click().run())
        assert data(page, "matrix")["pressed"] is None
        assert len(samples(page, "mistakes")) == 20

    def test_says_when_a_cell_is_empty(self, open_page, tidy, truth):
        """For a mistake that never happens, the page says so."""
        labels, probabilities = truth.dataset.test.labels, truth.probabilities
        made = set(zip(labels.tolist(), probabilities.argmax(axis=1).tolist(), strict=True))
        true, read = next((t, r) for t in range(10) for r in range(10) if (t, r) not in made)
        page = tidy(open_page("models.py", model=MODEL, class_=str(true), read=str(read)))
        assert "This model makes no such error." in words(page)


def test_surest_mistakes_come_first(open_page, tidy, truth):
    """The twenty images misread with most confidence are shown, in that order."""
    labels, probabilities = truth.dataset.test.labels, truth.probabilities
    confidence = np.where(probabilities.argmax(axis=1) == labels, 0, probabilities.max(axis=1))
    shown = samples(tidy(open_page("models.py", model=MODEL)), "mistakes")
    assert len(shown) == 20
    assert confidence[shown].tolist() == np.sort(confidence)[::-1][:20].tolist()


@pytest.mark.parametrize(("tab", "heading"), [("Classes", "Test images"), ("Export and import", "Import a model")])
def test_a_tab_in_the_link_opens(tab, heading, open_page, tidy):
    """Only the open tab is computed, and the link keeps it."""
    page = tidy(open_page("models.py", model=MODEL, tab=tab))
    assert heading in [shown.value for shown in page.header]
    with pytest.raises(KeyError):
        page.get_by_key("models.matrix")
    assert page.query_params["tab"] == tab


def test_the_card_opens(open_page, tidy):
    """The model's card has its settings and the command that trains it again."""
    page = tidy(open_page("models.py", model=MODEL).button(key="models.card").click().run())
    assert "learning rate 0.5" in str(page.table[0].value.to_numpy())
    assert page.code[0].value.startswith("python -m digits train --network=softmax")


def test_a_sample_in_the_link_opens(open_page, tidy, truth):
    """A link to one sample shows it large."""
    page = tidy(open_page("models.py", model=MODEL, sample="3"))
    assert "by Softmax regression. Sample 3." in words(page)


@pytest.mark.parametrize("link", [{"class_": "ten", "read": "1"}, {"model": "nobody"}, {"sample": "99999999"}])
def test_a_hostile_link_gives_one_notice(link, open_page, tidy):
    """An invalid value gives one notice, and the page works."""
    page = tidy(open_page("models.py", **link))
    assert len(page.warning) == 1
    assert data(page, "matrix")["pressed"] is None


def test_of_many_classes_the_most_frequent_errors_come_first(open_page, tidy):
    """They open their cell; a matrix of ten classes has no such list, and does not scroll."""
    page = tidy(open_page("models.py", model="characters"))
    listed = [button for button in page.button if button.key and button.key.startswith("models.frequent.")]
    assert len(listed) == 8
    true, read = listed[0].label.partition(":")[0].split(" read as ")
    assert data(page, "matrix")["isLarge"]
    page = tidy(listed[0].click().run())
    assert (page.session_state["models.class"], page.session_state["models.read"]) == (true, read)
    assert data(page, "matrix")["pressed"] is not None
    page = open_page("models.py", model="softmax")
    assert not data(page, "matrix")["isLarge"]
    assert not [button for button in page.button if button.key and button.key.startswith("models.frequent.")]
