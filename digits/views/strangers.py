"""Strangers: how a model reads people from whom nothing was learned, in words and tables."""

from collections.abc import Sequence

from digits.models.figures import SourceFigures, Strangers

Row = dict[str, str]

_WAYS = {"strokes": "strokes", "pictures": "as pictures"}


def headline(strangers: Strangers) -> str:
    """Return the figure that choosers show, such as "98.9% of strangers' drawings"."""
    return f"{strangers.strokes.share:.1%} of {'a sample of ' * strangers.is_sample}strangers' drawings"


def caption(strangers: Strangers, way: str) -> str:
    """Return where a headline figure comes from, in a phrase."""
    share = strangers.strokes if way == "strokes" else strangers.pictures
    if share is None:
        return ""
    low, high = share.interval_95
    return f"{_origin(strangers.of(way))}; 95% interval {low:.1%} to {high:.1%}"


def in_words(strangers: Strangers) -> str:
    """Return the figures in two sentences for a card."""
    read = [f"{strangers.strokes.share:.2%} by the strokes ({caption(strangers, 'strokes')})"]
    if strangers.pictures:
        read.append(f"{strangers.pictures.share:.2%} as pictures ({caption(strangers, 'pictures')})")
    return f"{', '.join(read)}. Nothing was learned from these writers, and nothing was tuned on them."


def by_source(strangers: Strangers) -> list[Row]:
    """Return a table with a row for each source in each way."""
    return [
        {
            "who": figures.title,
            "read": _WAYS.get(figures.way, figures.way),
            "digits": f"{figures.drawings:,}",
            "writers": f"{figures.writers}",
            "correct, 95% interval": str(figures.correct),
            "refused": f"{figures.refused.share:.1%}",
            "split in two": f"{figures.split.share:.1%}",
        }
        for figures in strangers.sources
    ]


def by_class(strangers: Strangers) -> list[Row]:
    """Return a table of the shares read correctly of each class and of each rare shape, a row for each source."""
    names = list(dict.fromkeys(name for figures in strangers.sources for name in sorted(figures.classes)))
    names.sort(key=lambda name: (len(name) > 1, name))
    return [
        {"who": figures.title, "read": _WAYS.get(figures.way, figures.way)}
        | {name: _correct(figures, name) for name in names}
        for figures in strangers.sources
    ]


def as_text(rows: Sequence[Row]) -> str:
    """Return a table as Markdown, aligned for the eye."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines
    )


def _origin(sources: Sequence[SourceFigures]) -> str:
    if len(sources) == 1:
        noun = "digits" if all(name[0].isdecimal() for name in sources[0].classes) else "drawings"
        return f"{sources[0].drawings:,} {noun} of {sources[0].writers} writers of {sources[0].title}"
    return f"the mean of {len(sources)} collections by {sum(figures.writers for figures in sources):,} writers"


def _correct(figures: SourceFigures, name: str) -> str:
    if name not in figures.classes:
        return "–"
    total, correct, _ = figures.classes[name]
    return f"{correct / total:.1%}" if total else "–"
