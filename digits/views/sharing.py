"""Links: the state that each page keeps in its address; values from a link are checked before use."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from digits.errors import DigitsError, InvalidHyperparameter
from digits.ink import codec
from digits.runs.hyperparameters import KNOBS, check
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.sweeps.plan import DEFAULT_MINUTES, DEFAULT_TRIALS, MOST_MINUTES, MOST_TRIALS, PRUNERS, SAMPLERS, Plan
from digits.sweeps.space import Space
from digits.views import games
from digits.views.challenges import CHALLENGES

PEN_WIDTHS = (4, 40, 16)  # thinnest, thickest and default pen, in canvas pixels
MODEL_TABS = ("Confusion", "Classes", "Calibration", "Export and import")
COMPARISON_TABS = ("Curves", "Settings", "Disagreements")
MOST_IDS = 20  # the most runs that a link may name
_AS_BYTES = "u-"  # before the bytes of a class's name in a link
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class _BadValue(DigitsError, ValueError):
    """A value in a link cannot be used; the message says why."""


@dataclass(frozen=True)
class Parameter:
    """One part of a page's state.

    Attributes:
        default: the value if the link does not give one; for a hyperparameter, the preset's value is used instead.
        parse: converts the link's text to the value; raises `DigitsError`.
        write: converts a value to the link's text, which has no character that a link would have to escape.
    """

    default: Any
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = lambda value: f"{value:.10g}" if isinstance(value, float) else str(value)


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _BadValue(f"should be a short name of letters and digits; received {text[:40]!r}")
    return text


def _class_name(text: str) -> str:
    """Read the name of a class: a visitor's own may be any symbol, which is then written as its bytes."""
    try:
        name = bytes.fromhex(text.removeprefix(_AS_BYTES)).decode() if text.startswith(_AS_BYTES) else _identifier(text)
    except ValueError as error:
        raise _BadValue(f"should be the name of a class; received {text[:40]!r}") from error
    return name


def _write_class_name(name: str) -> str:
    return name if _ID.fullmatch(name) and not name.startswith(_AS_BYTES) else _AS_BYTES + name.encode().hex()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or not low <= int(text) <= high:
            raise _BadValue(f"should be a whole number in [{low}, {high}]; received {text[:40]!r}")
        return int(text)

    return parse


def _one_of(*choices: str, **former: str) -> Callable[[str], str]:
    """Return a parser of some words; `former` ones, as in links from before, stand for those of today."""

    def parse(text: str) -> str:
        text = former.get(text, text)
        if text not in choices:
            raise _BadValue(f"should be one of {', '.join(choices)}; received {text[:40]!r}")
        return text

    return parse


def _identifiers(text: str) -> str:
    names = text.split(".")
    if len(names) > MOST_IDS or not all(map(_ID.fullmatch, names)):
        raise _BadValue(f"should be at most {MOST_IDS} ids with dots between; received {text[:40]!r}")
    return ".".join(dict.fromkeys(names))


def _flag(text: str) -> bool:
    return _one_of("True", "False")(text) == "True"


def _ink(text: str) -> str:
    codec.decode(text)
    return text


def _game(text: str) -> str:
    games.parse(text)
    return text


def _space(text: str) -> str:
    return Space.from_text(text).to_text() if text else ""


PAGES: dict[str, dict[str, Parameter]] = {
    "draw": {
        "model": Parameter("", _identifier),
        "pen": Parameter(PEN_WIDTHS[2], _whole(*PEN_WIDTHS[:2])),
        "ink": Parameter("", _ink),
        "game": Parameter("", _game),
    },
    "train": {
        "network": Parameter("corrected", partial(check, "network")),  # about ten seconds, and worth watching
        **{name: Parameter(None, partial(check, name)) for name in KNOBS if name != "network"},
        "run": Parameter("", _identifier),
        "challenge": Parameter("", _one_of(*CHALLENGES)),
    },
    "sweep": {
        "network": Parameter("corrected", partial(check, "network")),
        **{name: Parameter(None, partial(check, name)) for name in KNOBS if name != "network"},
        "space": Parameter("", _space),  # empty for the usual one
        "sampler": Parameter(SAMPLERS[0], _one_of(*SAMPLERS)),
        "prune": Parameter(PRUNERS[0], _one_of(*PRUNERS)),
        "budget": Parameter("trials", _one_of("trials", "minutes")),
        "trials": Parameter(DEFAULT_TRIALS, _whole(1, MOST_TRIALS)),
        "minutes": Parameter(DEFAULT_MINUTES, _whole(1, MOST_MINUTES)),
        "sweep": Parameter("", _identifier),
    },
    "runs": {
        "state": Parameter("", _one_of(*RunState, "deleted")),
        "network": Parameter("", _one_of(*PRESETS)),
        "chosen": Parameter("", _identifiers),
        "compare": Parameter(False, _flag),
        "tab": Parameter(COMPARISON_TABS[0], _one_of(*COMPARISON_TABS)),
        "run": Parameter("", _identifier),
        "measure": Parameter("val_accuracy", _one_of("val_accuracy", "val_loss", "loss")),
        "log": Parameter(False, _flag),
        "a": Parameter("", _identifier),
        "b": Parameter("", _identifier),
        "side": Parameter("a", _one_of("a", "b", "neither")),
        "hundred": Parameter(1, _whole(1, 1000)),
        "sample": Parameter(None, _whole(0, 10**9)),
    },
    "data": {
        "set": Parameter("", _identifier),
        "class": Parameter("", _class_name, _write_class_name),
        "by": Parameter("", _class_name, _write_class_name),
        "shuffle": Parameter(None, _whole(0, 2**31 - 1)),
        "hundred": Parameter(1, _whole(1, 1000)),
    },
    "gallery": {
        "model": Parameter("", _identifier),
        "hundred": Parameter(1, _whole(1, 1000)),
        "shuffle": Parameter(None, _whole(0, 2**31 - 1)),
        "show": Parameter("errors", _one_of("all", "errors", "correct", mistakes="errors")),
        "class": Parameter("", _class_name, _write_class_name),
        "read": Parameter("", _class_name, _write_class_name),
        "by": Parameter("", _class_name, _write_class_name),
        "sort": Parameter("dataset", _one_of("confidence", "dataset", "random", "suspect", set="dataset")),
        "sample": Parameter(None, _whole(0, 10**9)),
    },
    "models": {
        "model": Parameter("", _identifier),
        "tab": Parameter(MODEL_TABS[0], _one_of(*MODEL_TABS)),
        "class": Parameter("", _class_name, _write_class_name),
        "read": Parameter("", _class_name, _write_class_name),
        "sample": Parameter(None, _whole(0, 10**9)),
    },
}


def read(page: str, query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return a value for every parameter of a page, and a notice for each value that could not be used.

        values, notices = read("draw", {"pen": "8"})  # values["pen"] is 8

    Args:
        page: a key of `PAGES`.
        query: the link's parameters; those of other pages are ignored.
    """
    values, notices = {}, []
    for name, parameter in PAGES[page].items():
        values[name] = parameter.default
        if name in KNOBS and name != "network":
            values[name] = getattr(PRESETS[values["network"]].hyperparameters, name)
        if name in query:
            try:
                values[name] = parameter.parse(query[name])
            except InvalidHyperparameter as error:
                notices.append(f"The link's setting was not used: {error}")
            except _BadValue as error:
                notices.append(f"The link's `{name}` was not used: it {error}.")
            except DigitsError as error:
                notices.append(f"The link's `{name}` was not used: {error}")
    return values, notices


def query(page: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of the link that reopens `page` with `values`.

    Hyperparameters are always included, so that a link keeps its meaning if a preset changes; other defaults are not.
    """
    return {
        name: parameter.write(values[name])
        for name, parameter in PAGES[page].items()
        if values.get(name) not in (None, "") and (name in KNOBS or values[name] != parameter.default)
    }


def of_plan(plan: Plan) -> dict[str, str]:
    """Return the parameters of the link that opens the Sweep page with a plan, ready to be changed and started."""
    budget = {"budget": "minutes", "minutes": plan.minutes} if plan.minutes else {"trials": plan.trials}
    how = {"space": plan.space.to_text(), "sampler": plan.sampler, "prune": plan.pruner, "budget": "trials"}
    return query("sweep", plan.hyperparameters.to_dict() | how | budget)


def query_string(page: str, values: Mapping[str, Any]) -> str:
    """Return the parameters as the text after a link's question mark."""
    return urlencode(query(page, values))
