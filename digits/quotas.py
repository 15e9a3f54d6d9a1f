"""Quotas: how much one visitor, one address and everybody together may use, at home and behind a public link.

`DIGITS_PUBLIC=1` selects the stricter values. Each quota can be set by a variable of its own name in capitals, with
`DIGITS_` before it: `DIGITS_VISITS_A_MINUTE=60`. 0 means no limit.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digits.errors import InvalidSetting


def _quota(at_home: int, public: int, what: str) -> Any:
    return field(default=at_home, metadata={"public": public, "what": what})


@dataclass(frozen=True)
class Quotas:
    """All quotas; 0 means no limit."""

    visits_a_minute: int = _quota(0, 60, "pages opened from one address in a minute")
    uploads_a_minute: int = _quota(0, 60, "files sent from one address in a minute")  # 50 may be chosen at once
    answers_a_minute: int = _quota(0, 3000, "drawings read for one address in a minute")  # a class of 30 draws
    pages_open_per_address: int = _quota(0, 200, "pages that are open at one address")  # a class of 30 has three each
    commands_a_minute: int = _quota(0, 60, "commands to runs from one visitor in a minute")
    runs_waiting_per_visitor: int = _quota(3, 2, "a visitor's runs that wait or train")
    runs_waiting_per_address: int = _quota(
        0, 10, "runs, with trials of sweeps, started from one address that wait or train"
    )
    runs_waiting: int = _quota(50, 30, "everybody's runs that wait or train")
    runs_paused_per_visitor: int = _quota(20, 3, "a visitor's paused runs")
    sweeps_per_visitor: int = _quota(100, 10, "sweeps that a visitor keeps")
    sweeps_running_per_visitor: int = _quota(3, 1, "a visitor's sweeps that run or are paused")
    trials_per_sweep: int = _quota(200, 30, "trials in a sweep")
    images_per_run: int = _quota(0, 2_500_000, "images that a convolutional network learns from in a run")
    minutes_per_run: int = _quota(0, 40, "minutes of training in a run, which then stops and keeps its result")
    copies_per_visitor: int = _quota(0, 10, "copies that a visitor saves during training")
    corrections_per_visitor: int = _quota(500, 200, "corrections that a visitor keeps, each of 2 kB at most")
    checks_an_hour: int = _quota(
        0, 20, "packages that a visitor checks in an hour; from one address, three times as many"
    )
    imports_per_visitor: int = _quota(20, 10, "models that a visitor imports")
    sets_per_visitor: int = _quota(100, 20, "a visitor's own sets of drawings")
    drawings_per_set: int = _quota(10_000, 2_000, "drawings in a set")
    set_megabytes_per_visitor: int = _quota(0, 20, "megabytes of a visitor's sets on the disk")
    set_megabytes: int = _quota(0, 1_000, "megabytes of everybody's sets on the disk")
    megabytes_an_hour: int = _quota(0, 200, "megabytes of sets and packages that one address brings in an hour")
    megabytes_per_visitor: int = _quota(0, 200, "megabytes of a visitor's runs on the disk")
    megabytes: int = _quota(0, 4000, "megabytes of everybody's runs on the disk")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Quotas":
        """Read `DIGITS_PUBLIC` and the quotas' own variables. An empty variable counts as unset.

        Args:
            environment: the variables; `os.environ` if None.

        Raises:
            InvalidSetting: a quota is not a whole number from 0.
        """
        env = os.environ if environment is None else environment
        is_public = is_public_link(env)
        values = {}
        for quota in dataclasses.fields(cls):
            variable = variable_of(quota.name)
            text = env.get(variable) or str(quota.metadata["public"] if is_public else quota.default)
            if not text.isdecimal():
                raise InvalidSetting(
                    f"{variable} should be a whole number, 0 for no limit; received {text!r}. Correct it, or unset it."
                )
            values[quota.name] = int(text)
        return cls(**values)


def is_public_link(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether strangers may open this server: `DIGITS_PUBLIC` is set, and is not 0."""
    return (os.environ if environment is None else environment).get("DIGITS_PUBLIC", "0") not in ("", "0")


def variable_of(quota: str) -> str:
    """Return the environment variable of a quota."""
    return f"DIGITS_{quota.upper()}"


def as_markdown() -> str:
    """Return a table of every quota with its values at home and behind a public link."""
    rows = ["| variable | limits | at home | public |", "|---|---|---|---|"]
    for quota in dataclasses.fields(Quotas):
        at_home, public = (f"{value:,}" if value else "no limit" for value in (quota.default, quota.metadata["public"]))
        rows.append(f"| `{variable_of(quota.name)}` | {quota.metadata['what']} | {at_home} | {public} |")
    return "\n".join(rows)
