"""icons: the small font has every icon that a page can show."""

from fontTools.ttLib import TTFont

from digits.views import icons


def test_the_font_has_every_icon_that_a_page_can_show():
    """If this fails, run `python -m benchmarks.icon_font`."""
    wanted = icons.wanted(icons.ligatures(TTFont(icons.streamlits_font())))
    assert {"draw", "stylus", "expand_more", "model_training"} <= wanted
    assert wanted <= icons.ligatures(TTFont(icons.FONT)).keys()
    assert icons.FONT.stat().st_size < 40_000
