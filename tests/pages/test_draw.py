"""Draw: what a visitor draws or brings is read, and what cannot be read is said so."""

import io

import numpy as np
import pytest
from PIL import Image

from digits import catalogue, strokes

SEVEN = [np.float32([[70, 60], [210, 60], [120, 230]])]  # two straight lines, as the pen would draw them


def reading(page):
    """What the page says that the model reads."""
    return [header.value for header in page.header if "reads" in header.value]


def bring(page, content, name="digit.png"):
    """Bring a picture instead of drawing."""
    page.segmented_control(key="draw.source").set_value("Picture").run()
    page.file_uploader(key="draw.file").upload(name, content)
    return page.run()


class TestPen:
    def test_is_asked_for_while_the_sheet_is_empty(self, open_page, tidy):
        """An empty sheet asks for a drawing, and offers nothing to undo or to clear."""
        page = tidy(open_page())
        assert any("Draw a digit on the sheet" in info.value for info in page.info)
        assert reading(page) == []
        assert all(button.disabled for button in page.button if button.label in ("Undo", "Clear"))

    def test_drawing_from_a_link_is_read(self, open_page, tidy):
        """A shared drawing of a 7 is on the sheet and is read as a 7."""
        page = tidy(open_page(ink=strokes.encode_strokes(SEVEN)))
        assert reading(page) == ["The model reads 7"]
        assert "ink" not in page.query_params

    def test_drawing_can_be_cleared_and_undone(self, open_page, tidy):
        """Undo takes the last stroke away, and Clear all of them."""
        ink = strokes.encode_strokes([*SEVEN, np.float32([[90, 150], [190, 150]])])
        page = open_page(ink=ink)
        next(button for button in page.button if button.label == "Undo").click().run()
        assert len(page.session_state["draw.strokes"]) == 1
        next(button for button in page.button if button.label == "Clear").click().run()
        assert page.session_state["draw.strokes"] == []
        assert reading(tidy(page)) == []

    def test_width_is_the_links(self, open_page, tidy):
        """The pen's width comes from the link and goes back into it when it is changed."""
        page = tidy(open_page(pen="30"))
        assert page.slider(key="draw.pen").value == 30
        page.slider(key="draw.pen").set_value(22).run()
        assert page.query_params["pen"] == "22"


class TestPicture:
    def test_is_asked_for(self, open_page, tidy):
        """Before a picture is chosen the page asks for one."""
        page = open_page()
        page.segmented_control(key="draw.source").set_value("Picture").run()
        assert any("Choose a picture" in info.value for info in tidy(page).info)

    def test_of_a_seven_is_read_as_seven(self, open_page, tidy, seven):
        """A picture of a 7, dark on white, is read as a 7, and what the model saw is shown."""
        page = tidy(bring(open_page(), seven))
        assert reading(page) == ["The model reads 7"]
        assert len(page.get("image")) == 1
        assert any("28×28" in caption.value for caption in page.caption)

    @pytest.mark.parametrize("model", [model.id for model in catalogue.bundled()])
    def test_can_be_read_by_every_model(self, model, open_page, tidy, seven):
        """Every bundled model can be chosen, reads the 7, and stands in the link."""
        page = bring(open_page(), seven)
        page.selectbox(key="draw.model").select(model).run()
        assert reading(tidy(page)) == ["The model reads 7"]
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
        assert reading(tidy(bring(page, seven))) == ["The model reads 7"]

    def test_without_ink_is_said_to_have_none(self, open_page, tidy):
        """A blank page is no digit, and the visitor is told what would help."""
        stream = io.BytesIO()
        Image.new("L", (300, 300), 255).save(stream, "PNG")
        page = tidy(bring(open_page(), stream.getvalue()))
        assert reading(page) == []
        assert any("No ink" in warning.value for warning in page.warning)


class TestLink:
    def test_chooses_the_model(self, open_page, tidy):
        """A link's model is the one that is asked."""
        assert tidy(open_page(model="softmax")).selectbox(key="draw.model").value == "softmax"

    @pytest.mark.parametrize(
        "link",
        [
            {"ink": "1AB!!"},
            {"ink": "x" * 20_000},
            {"pen": "4000"},
            {"model": "../../etc/passwd"},
            {"model": "nobody"},
            {"model": "<script>alert(1)</script>"},
        ],
        ids=["no ink", "too much ink", "wide pen", "path", "unknown model", "script"],
    )
    def test_with_a_hostile_value_gives_one_notice(self, link, open_page, tidy):
        """What a link says wrongly is told in one notice, and the page works with its default."""
        page = tidy(open_page(**link))
        assert len(page.warning) == 1
        assert page.selectbox(key="draw.model").value == catalogue.DEFAULT_MODEL
        assert page.slider(key="draw.pen").value == 16
        assert any("Draw a digit on the sheet" in info.value for info in page.info)
