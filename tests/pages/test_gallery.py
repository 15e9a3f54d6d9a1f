"""Gallery: what stands on the page is what the model really reads, and the link says which samples."""

import json
import re

import numpy as np
import pytest

from digits.data import mnist, sets
from digits.models import catalogue
from digits.settings import Settings
from digits.views import gallery


@pytest.fixture(scope="module")
def truth():
    """The labels of MNIST's test images, and what each model of digits reads in them, found without the page."""
    dataset = mnist.load_test(Settings.from_environment())
    models = [model for model in catalogue.bundled() if model.card.dataset == sets.MNIST]
    return dataset.test.labels, {model.id: model.test_probabilities(dataset).argmax(axis=1) for model in models}


def tiles(page):
    """The samples on the page, as its grid was given them."""
    return json.loads(page.get_by_key("gallery.grid").proto.json)["tiles"]


def samples(page):
    return [tile["sample"] for tile in tiles(page)]


def counts(page):
    """The page's sentence about what is shown."""
    return next(markdown.value for markdown in page.markdown if "Test accuracy" in markdown.value)


def numbers(sentence):
    """The numbers in a sentence, as they are written."""
    return re.findall(r"\d[\d,.]*%?", sentence)


def button(page, label):
    return next(button for button in page.button if button.label == label)


def dialog_text(page):
    """All the words on the page that speak of one sample."""
    return [markdown.value for markdown in page.markdown if " by Softmax regression" in markdown.value]


class TestCounts:
    @pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
    def test_are_those_of_the_model(self, model, open_page, tidy):
        """Hits among the first hundred of its own data, and the accuracy on all, are those that it really has."""
        dataset = sets.find(model.card.dataset).load_test(Settings.from_environment())
        hits = dataset.test.labels == model.test_probabilities(dataset).argmax(axis=1)
        page = tidy(open_page("gallery.py", model=model.id, show="all"))
        first = ["100"] if hits[:100].all() else [str(hits[:100].sum()), "100"]
        assert numbers(counts(page)) == [*first, f"{hits.mean():.1%}"]
        assert samples(page) == list(range(100))

    @pytest.mark.parametrize("show", ["all", "errors", "correct"])
    def test_agree_with_the_tiles(self, show, open_page, tidy, truth):
        """Every tile says what was read, and marks what was misread in words and not only in colour."""
        labels, read = truth
        page = tidy(open_page("gallery.py", model="softmax", hundred="1" if show == "errors" else "3", show=show))
        assert tiles(page)
        for tile in tiles(page):
            true, guess = labels[tile["sample"]], read["softmax"][tile["sample"]]
            assert tile["wrong"] == (true != guess)
            assert tile["caption"] == (str(guess) if true == guess else f"{true} read as {guess}")
            assert ("correct" in tile["note"]) == (true == guess)
            assert f"sample {tile['sample']}" in tile["note"]


class TestFilters:
    def test_the_page_opens_on_the_models_errors(self, open_page, tidy, truth):
        """Only what was misread is shown, in the order of the data set; everything is one press away."""
        labels, read = truth
        page = tidy(open_page("gallery.py", model="softmax"))
        wrong = np.flatnonzero(labels != read["softmax"])
        assert samples(page) == wrong[:100].tolist()
        assert numbers(counts(page))[0] == f"{len(wrong):,}"
        assert dict(page.query_params) == {"model": "softmax"}
        page.segmented_control(key="gallery.show").set_value("all").run()
        assert samples(tidy(page)) == list(range(100))
        assert page.query_params["show"] == "all"
        page.segmented_control(key="gallery.show").set_value("correct").run()
        assert samples(tidy(page)) == np.flatnonzero(labels == read["softmax"])[:100].tolist()

    def test_a_link_from_before_shows_mistakes(self, open_page, tidy, truth):
        """What a link called mistakes are the errors, and its order is the data set's."""
        page = tidy(open_page("gallery.py", model="softmax", show="mistakes", sort="set"))
        assert samples(page) == samples(open_page("gallery.py", model="softmax"))

    @pytest.mark.parametrize("name", ["0", "7"])
    def test_only_one_class_is_shown(self, name, open_page, tidy, truth):
        """Only images of the class chosen stay."""
        labels, _ = truth
        page = open_page("gallery.py", show="all")
        page.selectbox(key="gallery.class").select(name).run()
        assert samples(tidy(page)) == np.flatnonzero(labels == int(name))[:100].tolist()
        assert page.query_params["class"] == name

    def test_both_at_once_from_a_link(self, open_page, tidy, truth):
        """A link to one class's mistakes opens them."""
        labels, read = truth
        page = tidy(open_page("gallery.py", model="published", show="errors", class_="5"))
        expected = np.flatnonzero((labels == 5) & (read["published"] != 5))
        assert samples(page) == expected[:100].tolist()

    def test_one_confusion_surest_first_from_a_link(self, open_page, tidy, truth):
        """A link shows the images of one class that were read as another, those first that were read most surely."""
        labels, read = truth
        page = tidy(open_page("gallery.py", model="softmax", class_="7", read="9", sort="confidence"))
        expected = np.flatnonzero((labels == 7) & (read["softmax"] == 9))
        assert sorted(samples(page)) == expected.tolist()
        assert page.query_params == {"model": "softmax", "class": "7", "read": "9", "sort": "confidence"}
        page.segmented_control(key="gallery.sort").set_value("dataset").run()
        assert samples(tidy(page)) == expected.tolist()
        assert "sort" not in page.query_params

    def test_that_leave_nothing_say_so(self, open_page, tidy, truth):
        """Where no image matches, the page says so instead of showing an empty grid."""
        labels, read = truth
        faultless = [
            (model, str(digit))
            for model in read
            for digit in range(10)
            if (read[model][labels == digit] == digit).all()
        ]
        if not faultless:
            pytest.skip("every model misreads some image of every class here")
        model, name = faultless[0]
        page = tidy(open_page("gallery.py", model=model, show="errors", class_=name))
        assert any("No images match" in info.value for info in page.info)
        assert len(samples(tidy(button(page, "Show all images").click().run()))) == 100

    def test_page_by_page_show_every_sample_once(self, open_page, tidy, truth):
        """Leafing through the mistakes shows each of them exactly once."""
        labels, read = truth
        wrong = np.flatnonzero(labels != read["softmax"])
        hundreds = -(-len(wrong) // gallery.SAMPLES)
        page = open_page("gallery.py", model="softmax", show="errors")
        seen = []
        for hundred in range(1, min(hundreds, 3) + 1):
            if hundred > 1:
                below = page.get_by_key("gallery.hundred.below" if hundred % 2 else "gallery.hundred.above")
                below.set_value(hundred).run()
            seen += samples(tidy(page))
        assert seen == wrong[:300].tolist()


class TestHundred:
    def test_is_the_links(self, open_page, tidy):
        """The link says which hundred is shown."""
        page = tidy(open_page("gallery.py", show="all", hundred="4"))
        assert samples(page) == list(range(300, 400))
        assert page.query_params["hundred"] == "4"

    def test_past_the_end_is_the_last(self, open_page, tidy, truth):
        """A hundred beyond the last one shows the last one."""
        page = tidy(open_page("gallery.py", show="all", hundred="1000"))
        assert samples(page)[-1] == len(truth[0]) - 1
        assert page.query_params["hundred"] == str(len(truth[0]) // 100)


class TestShuffle:
    def test_stands_in_the_link_and_can_be_taken_back(self, open_page, tidy):
        """A random order is repeated exactly by its link; sorting by the data set undoes it."""
        page = open_page("gallery.py", show="all", hundred="2")
        page.segmented_control(key="gallery.sort").set_value("random").run()
        shuffled = samples(tidy(page))
        link = dict(page.query_params)
        assert link["shuffle"].isdecimal()
        assert shuffled != sorted(shuffled)
        assert len(set(shuffled)) == 100
        assert samples(tidy(open_page("gallery.py", visitor="bob", **link))) == shuffled
        before = {"show": "all", "shuffle": link["shuffle"]}  # a link from before has no `sort`
        assert samples(tidy(open_page("gallery.py", visitor="eve", **before))) == shuffled
        assert samples(tidy(page.button(key="gallery.again").click().run())) != shuffled
        page.segmented_control(key="gallery.sort").set_value("dataset").run()
        assert samples(tidy(page)) == list(range(100))
        assert "shuffle" not in page.query_params


class TestSample:
    def test_in_the_link_opens(self, open_page, tidy, truth):
        """A link to one sample shows what the model read in it, and keeps it in the link."""
        labels, read = truth
        wrong = int(np.flatnonzero(labels != read["softmax"])[0])
        page = tidy(open_page("gallery.py", model="softmax", sample=str(wrong)))
        guess, true = read["softmax"][wrong], labels[wrong]
        assert dialog_text(page) == [f"**{true}** read as **{guess}** by Softmax regression. Sample {wrong:,}."]
        assert page.query_params["sample"] == str(wrong)

    def test_read_correctly_says_so(self, open_page, tidy, truth):
        """A sample that was read correctly is not called a mistake."""
        labels, read = truth
        right = int(np.flatnonzero(labels == read["softmax"])[0])
        page = tidy(open_page("gallery.py", model="softmax", sample=str(right)))
        assert dialog_text(page) == [f"**{labels[right]}**, read correctly by Softmax regression. Sample {right:,}."]

    def test_leads_to_its_neighbours(self, open_page, tidy, truth):
        """Next and Previous show the other samples of all pages, around their end; the link follows."""
        labels, read = truth
        wrong = np.flatnonzero(labels != read["softmax"])
        page = open_page("gallery.py", model="softmax", sample=str(wrong[0]))
        page = tidy(page.button(key="gallery.next").click().run())
        assert f"Sample {wrong[1]:,}." in dialog_text(page)[0]
        assert page.query_params["sample"] == str(wrong[1])
        page = tidy(page.button(key="gallery.previous").click().run())
        assert f"Sample {wrong[0]:,}." in dialog_text(page)[0]
        page = tidy(page.button(key="gallery.previous").click().run())
        assert f"Sample {wrong[-1]:,}." in dialog_text(page)[0]

    def test_leads_beyond_its_hundred(self, open_page, tidy):
        """The last sample of a page is followed by the first of the next page, which is then behind the dialog."""
        page = open_page("gallery.py", model="softmax", show="all", sample="99")
        page = tidy(page.button(key="gallery.next").click().run())
        assert "Sample 100." in dialog_text(page)[0]
        assert (page.query_params["sample"], page.query_params["hundred"]) == ("100", "2")
        assert samples(page) == list(range(100, 200))
        page = tidy(page.button(key="gallery.previous").click().run())
        assert "hundred" not in page.query_params
        assert samples(page) == list(range(100))

    @pytest.mark.parametrize("sample", ["10000", "999999999"])
    def test_out_of_range_gives_a_notice(self, sample, open_page, tidy):
        """A sample number that does not exist gives one notice, and nothing opens."""
        page = tidy(open_page("gallery.py", sample=sample))
        assert len(page.warning) == 1
        assert "`sample` should be below" in page.warning[0].value
        assert dialog_text(page) == []
        assert "sample" not in page.query_params


class TestHostileLink:
    @pytest.mark.parametrize(
        "link",
        [
            {"class_": "ten"},
            {"class_": "../7"},
            {"read": "ten"},
            {"sort": "size"},
            {"hundred": "-1"},
            {"hundred": "many"},
            {"show": "none"},
            {"shuffle": "9" * 400},
            {"sample": "-5"},
            {"model": "nobody"},
            {"model": "../runs"},
        ],
        ids=lambda link: "=".join(next(iter(link.items()))).replace("_=", "=")[:20],
    )
    def test_gives_one_notice_and_the_default(self, link, open_page, tidy):
        """An invalid value gives one notice, and the first hundred of the default model are shown."""
        page = tidy(open_page("gallery.py", **{"show": "all"} | link))
        assert len(page.warning) == 1
        page.segmented_control(key="gallery.show").set_value("all").run()
        assert samples(page) == list(range(100))
        assert page.selectbox(key="gallery.model").value == catalogue.DEFAULT_MODEL


def test_letters_are_filtered_by_writer(open_page, tidy):
    """Where it is known who wrote the test images, one writer's are shown; digits of MNIST have no such filter."""
    dataset = sets.find("capitals").load_test(Settings.from_environment())
    writer = dataset.writers[0]
    page = tidy(open_page("gallery.py", model="capitals", show="all", by=writer))
    assert page.selectbox(key="gallery.by").value == writer
    assert samples(page) == [row for row, one in enumerate(dataset.writers) if one == writer][:100]
    page = tidy(page.selectbox(key="gallery.model").select("softmax").run())
    assert "gallery.by" not in [box.key for box in page.selectbox]
    page = open_page("gallery.py", model="capitals", by="nobody")
    assert "`by` should be one of" in page.warning[0].value
