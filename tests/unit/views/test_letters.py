"""letters: the small text font has the characters that it stands for, as Streamlit's draws them."""

from fontTools.ttLib import TTFont

from digits.views import letters


def test_the_small_font_has_all_its_characters_in_all_weights():
    """If this fails, run `python -m benchmarks.text_font`."""
    whole, small = TTFont(letters.streamlits_font()), TTFont(letters.FONT)
    wanted = {code for first, last in letters.RANGES for code in range(first, last + 1)} & whole.getBestCmap().keys()
    assert {ord(character) for character in "Az09é×–’…→−≤"} <= wanted
    assert small.getBestCmap().keys() == wanted
    widths, own = whole["hmtx"], small["hmtx"]
    assert all(own[small.getBestCmap()[code]] == widths[whole.getBestCmap()[code]] for code in wanted)
    assert small["fvar"].axes[0].maxValue == whole["fvar"].axes[0].maxValue
    assert letters.FONT.stat().st_size < 30_000


def test_the_small_fonts_name_is_not_the_reserved_one():
    """The SIL Open Font License asks for this; the copyright and the licence stay in the font."""
    names = TTFont(letters.FONT)["name"]
    assert "Source" not in names.getDebugName(1) + names.getDebugName(4) + names.getDebugName(6)
    assert "Adobe" in names.getDebugName(0)
    assert "SIL Open Font License" in names.getDebugName(13)
