"""Lessons in words: what a model's learning from a visitor's corrections changed."""

from collections.abc import Sequence

from digits.errors import ModelNotFound
from digits.models import catalogue
from digits.models.figures import BeforeAfter
from digits.settings import Settings

_TITLES = {
    "corrections": "Your corrections",
    "variations": "The same, written a little differently",
    "test": "Test images",
    "strangers": "Strangers' drawings",
}
_SPOKEN = {"variations": "your corrections, written a little differently", "test": "test images"}
_SPOKEN |= {"corrections": "your corrections", "strangers": "strangers' drawings"}


def with_article(name: str) -> str:
    """Return a class's name with its article.

    >>> with_article("8")
    'an 8'
    """
    return f"an {name}" if name in ("8", *"AEFHILMNORSXaefhilmnorsx") else f"a {name}"


def parent_title(parent: str, settings: Settings) -> str:
    """Return the title of the model with which a lesson began, which may be gone."""
    try:
        return catalogue.find(parent, settings).title
    except ModelNotFound:
        return "a model that has been removed"


def table(changed: Sequence[BeforeAfter]) -> str:
    """Return what was read correctly before and after, as a Markdown table."""
    rows = ["| Read correctly | Before | After |", "|---|--:|--:|"]
    for one in changed:
        name = _TITLES.get(one.what, "Others")
        rows.append(f"| {name} | {_share(one.before, one.total)} | **{_share(one.after, one.total)}** |")
    return "\n".join(rows)


def verdict(changed: Sequence[BeforeAfter]) -> str:
    """Return a sentence on what the lesson cost, if it cost something; "" if it did not."""
    fallen = [
        f"{_SPOKEN.get(one.what, 'others')} ({100 * (one.before - one.after) / one.total:.1f} points)"
        for one in changed
        if one.has_fallen
    ]
    if not fallen:
        return ""
    return f"It now reads fewer of {' and of '.join(fallen)} than before. You may prefer the model before."


def _share(correct: int, total: int) -> str:
    return f"{correct / total:.1%}" if total else "–"
