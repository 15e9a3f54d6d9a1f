"""strangers: the headline says what it is the share of, and the tables name every source and class."""

import pytest

from digits.models.figures import Share, SourceFigures, Strangers
from digits.views import strangers


def source(name, way, share=0.9, **classes):
    measured = Share(share, (share - 0.1, share + 0.05))
    return SourceFigures(
        source=name,
        way=way,
        drawings=1200,
        writers=7,
        correct=measured,
        refused=Share(0.012, (0.0, 0.03)),
        split=Share(0.004, (0.0, 0.01)),
        classes=classes,
    )


@pytest.fixture
def figures():
    """Two sources read by their strokes, one of them as pictures, too."""
    return Strangers(
        strokes=Share(0.9894, (0.981, 0.993)),
        pictures=Share(0.95, (0.9, 1.0)),
        sources=(
            source("unipen", "strokes", **{"0": (100, 97, 1), "7": (50, 50, 0), "0 with a slash": (10, 5, 0)}),
            source("crohme-hamex", "strokes", **{"7": (20, 19, 0)}),
            source("unipen", "pictures", **{"0": (100, 90, 1)}),
        ),
    )


def test_the_headline_is_short(figures):
    """A chooser shows one figure, and says when it was measured on the sample alone."""
    assert strangers.headline(figures) == "98.9% of strangers' drawings"
    few = Strangers(strokes=figures.strokes, sources=(source("sample", "strokes"),))
    assert strangers.headline(few) == "98.9% of a sample of strangers' drawings"


def test_a_figure_says_where_it_comes_from(figures):
    """The mean over several sources and a single one are told apart; what was not measured has no words."""
    assert strangers.caption(figures, "strokes") == (
        "the mean of 2 collections by 14 writers; 95% interval 98.1% to 99.3%"
    )
    assert strangers.caption(figures, "pictures") == (
        "1,200 digits of 7 writers of UNIPEN, validation writers; 95% interval 90.0% to 100.0%"
    )
    assert strangers.caption(Strangers(strokes=figures.strokes), "pictures") == ""


def test_words_name_both_ways(figures):
    """A card's sentence has the share by the strokes and as pictures."""
    told = strangers.in_words(figures)
    assert told.startswith("98.94% by the strokes (the mean of 2")
    assert "95.00% as pictures" in told


def test_tables_have_a_row_for_each_source_in_each_way(figures):
    """Shares have their intervals; a class that a source lacks is a dash."""
    by_source, by_class = strangers.by_source(figures), strangers.by_class(figures)
    assert [(row["who"], row["read"]) for row in by_source] == [
        ("UNIPEN, validation writers", "strokes"),
        ("formulas, France (HAMEX)", "strokes"),
        ("UNIPEN, validation writers", "as pictures"),
    ]
    assert by_source[0]["correct, 95% interval"] == "90.0% (80.0% to 95.0%)"
    assert list(by_class[0]) == ["who", "read", "0", "7", "0 with a slash"]
    assert [row["0"] for row in by_class] == ["97.0%", "–", "90.0%"]


def test_text_is_an_aligned_table(figures):
    """All lines are equally long, and the second one separates the heading."""
    lines = strangers.as_text(strangers.by_source(figures)).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert set(lines[1]) <= set("|- ")
    assert len(lines) == 5
