"""Draw: what a visitor draws or brings is read, and what cannot be read is said so."""

import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from digits.ink import codec, strokes
from digits.ink.crops import Crop
from digits.models import answers, catalogue, uploads
from digits.models.reading import read_picture
from digits.settings import Settings
from digits.views.charts import percent
from digits.why import explanations, opinions

SEVEN = [np.float32([[70, 60], [210, 60], [120, 230]])]  # two straight lines, as the pen would draw them

NARROW_SEVEN = [np.float32([[30, 60], [110, 60], [60, 220]])]
STAR = [[[40, y], [240, 280 - y]] for y in (60, 100, 140, 180, 220)]
STAR_ASIDE = [[[190 + 0.6 * x, 60 + 0.6 * y] for x, y in stroke] for stroke in STAR]
ONE = [np.float32([[200, 50], [198, 220]])]

OF_DIGITS = [model.id for model in catalogue.bundled() if model.card.dataset == "mnist"]


def card(page):
    """What the answer's card was given."""
    return json.loads(page.get_by_key("draw.card").proto.json)


def reading(page):
    """The digits in large print, with ? for what does not look like one; "" if nothing is read."""
    return "".join(digit["name"] for digit in card(page)["digits"])


def said(page):
    """The answer's title, and the line below it."""
    return card(page)["title"], card(page)["line"]


def is_asking(page):
    """Whether the card asks for a drawing."""
    return not card(page)["digits"] and card(page)["hint"]["title"] == "Draw a digit or a number"


def captions(page):
    """The captions of the steps that are shown."""
    shown = json.loads(page.get_by_key("draw.steps").proto.json)
    return [caption for caption, _ in zip(shown["captions"], shown["pictures"], strict=False)]


def photo(page):
    """What the picture on the page was given: its boxes, its text alternative, and whether cropping is offered."""
    (key,) = (f"draw.photo.{name}" for name in page.session_state["draw.crops"])
    return json.loads(page.get_by_key(key).proto.json)


def bring(page, content, name="digit.png"):
    """Bring a picture instead of drawing."""
    return bring_all(page, [(name, content)])


def bring_all(page, files):
    """Bring several pictures at once."""
    page.segmented_control(key="draw.source").set_value("Picture").run()
    page.file_uploader(key="draw.file").set_value([(name, content, "image/png") for name, content in files])
    return page.run()


def press(page, label):
    """Press a button by its label."""
    next(button for button in page.button if button.label == label).click().run()


def encoded(picture, form="PNG", **options):
    """A picture as the bytes of a file."""
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def lying(picture, *, orientation=None):
    """A photograph of this picture that lies on its side, with an EXIF tag that says so or without."""
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    return encoded(Image.open(io.BytesIO(picture)).rotate(90), "JPEG", quality=95, exif=exif)


@pytest.fixture
def draw(monkeypatch):
    """Return a function that lets the sheet's component send a drawing, as it does when the pen is lifted."""

    def send(page, drawn, *, serial=1, width=16, token=None, reads=False):
        def component(*, data, **_options):
            flat = [one if isinstance(one, list | dict | str) else np.ravel(one).tolist() for one in drawn or []]
            own = token or data["given"]["token"]
            sent = {"token": own, "serial": serial, "strokes": flat, "widths": [width] * len(flat), "reads": reads}
            return SimpleNamespace(drawing=sent if drawn is not None else None)

        monkeypatch.setattr("pages._sheet._paper", component)
        page.run()

    return send


class TestPen:
    def test_is_asked_for_while_the_sheet_is_empty(self, open_page, tidy):
        """An empty sheet asks for a drawing, and offers examples; the steps are there without pictures."""
        page = tidy(open_page())
        assert is_asking(page)
        assert card(page)["chips"] == ["7", "42", "1984"]
        assert captions(page) == []

    @pytest.mark.parametrize("model", catalogue.bundled(), ids=lambda model: model.id)
    def test_is_asked_for_in_the_word_of_the_models_classes(self, model, open_page, tidy):
        """Title and hint ask for what the chosen model reads."""
        page = tidy(open_page(model=model.id))
        noun = answers.noun_of(model.class_names)
        assert page.title[0].value == f"Draw a {noun}"
        assert card(page)["hint"]["title"].startswith(f"Draw a {noun} or" if noun == "digit" else f"Draw a {noun},")

    def test_drawing_from_a_link_is_read(self, open_page, tidy):
        """A shared drawing of a 7 is on the sheet and is read as a 7."""
        page = tidy(open_page(ink=codec.encode(SEVEN)))
        assert reading(page) == "7"

    def test_drawing_stays_in_the_address(self, open_page, tidy):
        """A reload of a shared drawing's address gives the drawing again, and a broken one is dropped."""
        ink = codec.encode(SEVEN)
        page = tidy(open_page(ink=ink))
        assert page.query_params["ink"] == ink
        assert reading(tidy(page.run())) == "7"
        assert "ink" not in open_page(ink="1AB!!").query_params

    def test_drawing_outlives_a_look_at_another_page(self, open_page, tidy, draw):
        """Who comes back from another page finds what was drawn last, which the browser did not send again."""
        page = open_page(ink=codec.encode([*SEVEN, np.float32([[90, 150], [190, 150]])]))
        draw(page, SEVEN)
        page.switch_page("gallery.py").run()
        draw(page, None)
        page.switch_page("draw.py").run()
        assert reading(tidy(page)) == "7"
        assert len(page.session_state["draw.strokes"]) == 1

    def test_what_the_browser_sends_is_read(self, open_page, tidy, draw):
        """A drawing that arrives is read and gets into the link; the card carries its number."""
        page = open_page()
        draw(page, SEVEN, serial=3)
        assert reading(tidy(page)) == "7"
        assert card(page)["serial"] == 3
        assert codec.encode(SEVEN) in json.loads(page.get_by_key("draw.share").proto.json)["query"]

    def test_sheet_knows_what_to_ask_and_who_waits(self, open_page, tidy):
        """The model and the digit that is looked at go with a question; an explanation needs every drawing at once."""
        page = tidy(open_page(ink=codec.encode([*NARROW_SEVEN, *ONE]), model="softmax"))
        page.session_state["draw.digit"] = 1
        given = json.loads(tidy(page.run()).get_by_key("draw.paper").proto.json)
        assert (given["model"], given["chosen"], given["isAwaited"]) == ("softmax", 1, False)
        page.segmented_control(key="draw.tab").set_value("Why").run()
        assert json.loads(tidy(page).get_by_key("draw.paper").proto.json)["isAwaited"]

    def test_what_comes_late_is_left_out(self, open_page, tidy, draw):
        """A drawing older than the last one, or made on a sheet that a link has replaced, changes nothing."""
        page = open_page()
        draw(page, SEVEN, serial=3)
        draw(page, ONE, serial=2)
        assert reading(tidy(page)) == "7"
        draw(page, ONE, serial=4, token="another")
        assert reading(tidy(page)) == "7"

    @pytest.mark.parametrize(
        "strokes",
        [[[1, 2, 3]], ["no numbers"], [[1e9, 2]], [[]], [[None, 1]], [[[1, 2]], {"a": 1}]],
        ids=["odd", "text", "far", "empty", "none", "nested"],
    )
    def test_what_is_no_drawing_gives_one_error(self, strokes, open_page, draw):
        """What no sheet would send is refused in a sentence."""
        page = open_page()
        draw(page, strokes)
        assert not page.exception
        assert len(page.error) == 1

    def test_steps_from_the_ink_to_the_network_are_shown(self, open_page, tidy):
        """Three pictures, each with a caption of a line and a text alternative, show what was done to the drawing."""
        page = tidy(open_page(ink=codec.encode(SEVEN)))
        assert captions(page) == ["your ink", "centred and scaled", "28×28 input"]
        assert all(one["alt"] for one in json.loads(page.get_by_key("draw.steps").proto.json)["pictures"])

    def test_steps_that_the_browser_has_painted_are_told_in_words(self, open_page, tidy, draw):
        """A browser that reads by itself gets no pictures for its stroke; whenever it asks again, it gets them."""
        page = open_page()
        draw(page, SEVEN, serial=1, reads=True)
        words = json.loads(tidy(page).get_by_key("draw.steps").proto.json)["pictures"]
        assert [step["picture"] for step in words] == ["", "", ""]
        draw(page, SEVEN, serial=1, reads=True)  # nothing new, as after a look at another page
        shown = json.loads(tidy(page).get_by_key("draw.steps").proto.json)["pictures"]
        assert all(step["picture"].startswith("data:image/png") for step in shown)
        assert [step["alt"] for step in words] == [step["alt"] for step in shown]

    def test_number_is_read_whole_and_digit_by_digit(self, open_page, tidy):
        """Two digits are read as a number; the first is looked at until another is chosen."""
        page = tidy(open_page(ink=codec.encode([*NARROW_SEVEN, *ONE])))
        assert reading(page) == "71"
        assert "Digit 1 is read as 7" in said(page)[1]
        page.session_state["draw.digit"] = 1
        page.run()
        assert "Digit 2 is read as 1" in said(tidy(page))[1]

    @pytest.mark.parametrize(
        "drawing",
        [[[[140, 140]]], [[[80, 140], [200, 142]]], [[[60, 40], [30, 110], [95, 110]]]],
        ids=["dot", "bar", "the angle of a 4"],
    )
    def test_first_stroke_is_not_scolded(self, drawing, open_page, tidy):
        """A dot, a bar and an angle are not read as digits yet, and the page asks to go on."""
        page = tidy(open_page(ink=codec.encode(strokes.check(drawing))))
        assert said(page) == ("Not a digit yet", "Go on drawing.")

    def test_what_is_no_digit_is_said_not_to_look_like_one(self, open_page, tidy):
        """A star is not read, and the page says what it is closest to, without a confidence."""
        page = tidy(open_page(ink=codec.encode(strokes.check(STAR))))
        headline, sentence = said(page)
        assert headline == "This does not look like a digit"
        assert sentence.startswith("The closest match is ")

    def test_number_with_a_doubtful_mark_says_which_and_is_not_sure(self, open_page, tidy):
        """A star beside a 7 is a question mark, and no confidence is stated."""
        star = [stroke * np.float32(0.5) + np.float32([140, 60]) for stroke in strokes.check(STAR)]
        page = tidy(open_page(ink=codec.encode([*NARROW_SEVEN, *star])))
        headline, sentence = said(page)
        assert (reading(page), headline) == ("7?", "")
        assert sentence.startswith("Mark 2 does not look like a digit; the closest match is ")
        assert "sure" not in sentence

    def test_width_is_the_links(self, open_page, tidy):
        """The pen's width comes from the link and goes back into it when it is changed."""
        page = tidy(open_page(pen="30"))
        assert page.slider(key="draw.pen").value == 30
        page.slider(key="draw.pen").set_value(22).run()
        assert page.query_params["pen"] == "22"

    def test_number_none_of_whose_digits_looks_like_one_is_no_number(self, open_page, tidy):
        """Two stars side by side are not read as a number, and two bars not yet."""
        small = [stroke * np.float32(0.4) for stroke in strokes.check(STAR)]
        stars = [*small, *(stroke + np.float32([150, 0]) for stroke in small)]
        assert said(tidy(open_page(ink=codec.encode(stars))))[0] == "This does not look like a number"
        bars = strokes.check([[[20, 140], [110, 142]], [[170, 140], [260, 142]]])
        assert said(tidy(open_page(ink=codec.encode(bars)))) == ("Not a number yet", "Go on drawing.")

    def test_drawing_larger_than_the_sheet_fits_it(self, open_page, tidy):
        """A link's drawing lies within the sheet, its pen's width included."""
        far = codec.encode([*SEVEN, np.float32([[1200, 50], [1198, 220]])])
        page = tidy(open_page(ink=far))
        assert np.concatenate(page.session_state["draw.strokes"]).max() <= 560 - 16 / 2 + 0.5

    def test_what_was_drawn_keeps_its_width(self, open_page, tidy, draw):
        """The pen's next width does not change the ink that is shown."""
        page = open_page()
        draw(page, SEVEN, width=30)
        before = page.get_by_key("draw.steps").proto.json
        page.slider(key="draw.pen").set_value(4).run()
        assert tidy(page).get_by_key("draw.steps").proto.json == before


class TestPicture:
    def test_is_asked_for(self, open_page, tidy):
        """Before a picture is chosen the page asks for one."""
        page = open_page()
        page.segmented_control(key="draw.source").set_value("Picture").run()
        assert card(tidy(page))["hint"]["title"] == "Choose a picture"

    def test_of_a_seven_is_read_as_seven(self, open_page, tidy, seven):
        """A picture of a 7, dark on white, is read as a 7, and what the model saw is shown."""
        page = tidy(bring(open_page(), seven))
        assert reading(page) == "7"
        assert "28×28 input" in captions(page)

    def test_is_read_as_everywhere(self, open_page, tidy, seven):
        """A picture of two digits is read as `reading.read_picture` reads it, as surely."""
        pair = encoded(Image.fromarray(np.tile(np.asarray(Image.open(io.BytesIO(seven))), (1, 2))))
        read = read_picture(pair, catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment()))
        page = tidy(bring(open_page(), pair))
        assert reading(page) == read.text
        assert said(page)[1].startswith(f"It is {percent(read.confidence)} sure of both digits.")

    @pytest.mark.parametrize("model", OF_DIGITS)
    def test_can_be_read_by_every_model(self, model, open_page, tidy, seven):
        """Every bundled model of digits can be chosen, reads the 7, and stands in the link."""
        page = bring(open_page(), seven)
        page.selectbox(key="draw.model").select(model).run()
        assert reading(tidy(page)) == "7"
        assert page.query_params["model"] == model

    @pytest.mark.parametrize(
        "content", [b"", b"this is no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=["empty", "text", "cut PNG"]
    )
    def test_that_is_broken_gives_one_error(self, content, open_page, tidy, seven):
        """A broken file is one error in words, and the next picture is read as if nothing had happened."""
        page = bring(open_page(), content)
        assert not page.exception
        assert len(page.error) == 1
        assert page.title[0].value == "Draw a digit"
        assert page.selectbox(key="draw.model").value == catalogue.DEFAULT_MODEL
        page.segmented_control(key="draw.source").set_value("Pen").run()
        assert reading(tidy(bring(page, seven))) == "7"

    def test_without_ink_is_said_to_have_none(self, open_page, tidy):
        """A blank page is not a digit, and the page says what would help."""
        stream = io.BytesIO()
        Image.new("L", (300, 300), 255).save(stream, "PNG")
        page = tidy(bring(open_page(), stream.getvalue()))
        assert reading(page) == ""
        assert any("No ink" in warning.value for warning in page.warning)

    def test_turned_by_its_exif_tag_is_read_upright(self, open_page, tidy, seven):
        """A photograph that lies on its side, and says so, is read as it was taken."""
        assert reading(tidy(bring(open_page(), lying(seven, orientation=6), "photo.jpg"))) == "7"

    def test_can_be_turned(self, open_page, tidy, seven):
        """A photograph that lies on its side and does not say so is read after a press or three."""
        page = bring(open_page(), lying(seven), "photo.jpg")
        assert reading(page) != "7"
        press(page, "Turn by 90°")
        assert reading(tidy(page)) == "7"

    def test_shows_each_digit_where_it_was_found(self, open_page, tidy, seven):
        """The picture holds a box for every digit with its reading; the first is chosen, and cropping is not urged."""
        pair = np.tile(np.asarray(Image.open(io.BytesIO(seven))), (1, 2))
        shown = photo(tidy(bring(open_page(), encoded(Image.fromarray(pair)))))
        assert [digit["text"] for digit in shown["digits"]] == ["7", "7"]
        lefts = [digit["box"][0] for digit in shown["digits"]]
        assert lefts[0] < 0.5 < lefts[1]
        assert lefts[1] - lefts[0] == pytest.approx(0.5, abs=0.02)
        assert (shown["chosen"], shown["offer"]) == (0, False)
        assert shown["alt"] == "Your picture digit.png"

    def test_with_too_many_marks_is_shown_and_cropping_offered(self, open_page, seven):
        """Where more marks are found than can be read, the picture is still there to be cropped."""
        digit = Image.open(io.BytesIO(seven)).resize((90, 90))
        page = bring(open_page(), encoded(Image.fromarray(np.tile(np.asarray(digit), (7, 7)))))
        assert len(page.error) == 1
        assert not page.exception
        assert photo(page)["offer"]

    def test_with_something_that_is_no_digit_offers_cropping(self, open_page, tidy):
        """A refused mark is a question mark in a dashed box."""
        ink = strokes.render(strokes.check([*NARROW_SEVEN, *STAR_ASIDE]), size=(280, 400), pen_width=12)
        shown = photo(tidy(bring(open_page(), encoded(Image.fromarray(np.uint8(255 - 255 * ink))))))
        assert [(digit["text"], digit["doubtful"]) for digit in shown["digits"]] == [("7", False), ("?", True)]
        assert shown["offer"]

    def test_can_be_cropped(self, open_page, tidy, seven):
        """Everything outside the rectangle is ignored, it turns with the picture, and the whole can be had again."""
        pair = np.tile(np.asarray(Image.open(io.BytesIO(seven))), (1, 2))
        page = tidy(bring(open_page(), encoded(Image.fromarray(pair))))
        assert reading(page) == "77"
        (file,) = page.session_state["draw.crops"]
        page.session_state["draw.crops"] = {file: Crop().part(0, 0, 0.5, 1)}
        assert reading(tidy(page.run())) == "7"
        assert "from 0 to 50% across" in photo(page)["alt"]
        for _ in range(4):
            press(page, "Turn by 90°")
        assert page.session_state["draw.crops"] == {file: Crop(right=50)}
        press(page, "Whole picture again")
        assert reading(tidy(page)) == "77"
        assert not any(button.label == "Whole picture again" for button in page.button)


class TestPictures:
    def test_are_read_into_a_table(self, open_page, tidy, seven):
        """One bad file among ten has its message in its row; the others are read, and the first is shown in full."""
        files = [(f"{number}.png", seven) for number in range(9)]
        page = tidy(bring_all(open_page(), [*files[:4], ("bad.png", b"no picture"), *files[4:]]))
        table = page.dataframe[0].value
        assert list(table["file"]) == [
            "0.png",
            "1.png",
            "2.png",
            "3.png",
            "bad.png",
            *(f"{n}.png" for n in range(4, 9)),
        ]
        assert list(table["reading"]) == ["7"] * 4 + [""] + ["7"] * 5
        answers = list(table["answer"])
        assert all(text.startswith("It is ") and text.endswith(" sure.") for text in answers[:4] + answers[5:])
        assert answers[4].startswith("This file is not a picture")
        assert table["picture"][0].startswith("data:image/jpeg;base64,")
        assert any("9 of 10 pictures read" in text.value for text in page.markdown)
        assert reading(page) == "7"
        assert any(button.proto.label == "Download as CSV" for button in page.get("download_button"))

    def test_beyond_the_limit_wait(self, open_page, tidy, monkeypatch, seven):
        """Of more pictures than are allowed at once the first are read, and a sentence says what to do."""
        monkeypatch.setattr(uploads, "MAX_PICTURES", 2)
        page = tidy(bring_all(open_page(), [(f"{number}.png", seven) for number in range(3)]))
        assert len(page.dataframe[0].value) == 2
        assert any("At most 2 pictures" in warning.value for warning in page.warning)

    def test_shows_what_is_wrong_with_the_first(self, open_page, seven):
        """A broken file whose row is chosen says what is wrong with it, and the table stays."""
        page = bring_all(open_page(), [("bad.png", b"no picture"), ("good.png", seven)])
        assert not page.exception
        assert len(page.error) == 1
        assert list(page.dataframe[0].value["reading"]) == ["", "7"]


class TestWhy:
    def test_is_computed_only_when_asked_for(self, open_page, tidy, monkeypatch):
        """Nothing is explained, and no other model is asked, before a visitor wants to know."""
        asked = []
        monkeypatch.setattr(explanations, "compare_top_two", lambda *_: asked.append("why"))
        monkeypatch.setattr(opinions, "ask", lambda *_: asked.append("all"))
        tidy(open_page(ink=codec.encode(SEVEN)))
        assert asked == []

    def test_names_the_deciding_ink_and_shows_the_network(self, open_page, tidy):
        """It names and paints the deciding ink, shows filters and their responses, all described in words."""
        page = open_page(ink=codec.encode(SEVEN))
        for tab, count in (("Why", 2), ("Inside", 1)):
            page.segmented_control(key="draw.tab").set_value(tab).run()
            alts = re.findall(
                r'<img src="data:image/png[^"]*" alt="([^"]*)"', "".join(one.value for one in tidy(page).html)
            )
            assert len(alts) == count
            assert all(alts)
            assert tab == "Inside" or any(text.value.startswith("7 against") for text in page.markdown)
        maps = json.loads(page.get_by_key("draw.maps").proto.json)
        assert maps["alt"].startswith("The responses of the 32 filters")

    def test_other_models_are_asked_and_a_difference_explained(self, open_page, tidy, sample):
        """Every bundled model's reading is in the table; a line tells why the simplest differs, where it does."""
        page = open_page(ink=codec.encode(SEVEN))
        page.segmented_control(key="draw.tab").set_value("All models").run()
        tidy(page)
        models = json.loads(page.get_by_key("draw.race").proto.json)["models"]
        assert [model["reads"] for model in models] == ["7"] * len(OF_DIGITS)
        assert not any("only adds up ink" in caption.value for caption in page.caption)


class TestLink:
    def test_chooses_the_model(self, open_page, tidy):
        """A link's model is the one that is asked."""
        assert tidy(open_page(model="softmax")).selectbox(key="draw.model").value == "softmax"

    def test_brings_a_friends_game(self, open_page, tidy):
        """A link's game is given to the browser and stays in the address until the visitor leaves it."""
        text = ".".join(["1234", *(f"{digit}s" for digit in "9876543210")])
        page = tidy(open_page(game=text))
        friend = json.loads(page.get_by_key("draw.play").proto.json)["friend"]
        assert (friend["seconds"], [turn["name"] for turn in friend["turns"]]) == (123.4, list("9876543210"))
        assert page.query_params["game"] == text

    def test_without_a_game_offers_one(self, open_page, tidy):
        """The empty card offers the game, and there is no friend."""
        page = tidy(open_page())
        assert card(page)["game"] == "Ten digits, as fast as you can"
        assert json.loads(page.get_by_key("draw.play").proto.json)["friend"] is None

    @pytest.mark.parametrize(
        "link",
        [
            {"ink": "1AB!!"},
            {"ink": "x" * 20_000},
            {"game": "1000.0s"},
            {"game": "<script>alert(1)</script>"},
            {"pen": "4000"},
            {"model": "../../etc/passwd"},
            {"model": "nobody"},
            {"model": "<script>alert(1)</script>"},
        ],
        ids=["no ink", "too much ink", "cut game", "no game", "wide pen", "path", "unknown model", "script"],
    )
    def test_with_a_hostile_value_gives_one_notice(self, link, open_page, tidy):
        """An invalid value in a link gives one notice, and the page works with its default."""
        page = tidy(open_page(**link))
        assert len(page.warning) == 1
        assert page.selectbox(key="draw.model").value == catalogue.DEFAULT_MODEL
        assert page.slider(key="draw.pen").value == 16
        assert is_asking(page)
