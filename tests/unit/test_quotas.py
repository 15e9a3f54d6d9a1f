"""quotas: stricter behind a public link, each of them one variable."""

import dataclasses

from digits import quotas
from digits.quotas import Quotas
from digits.settings import PROJECT_DIR


def test_at_home_there_is_room():
    """Without `DIGITS_PUBLIC` the values are those declared for home, and an empty or zero variable counts as unset."""
    assert Quotas.from_environment({}) == Quotas() == Quotas.from_environment({"DIGITS_PUBLIC": "0"})
    assert Quotas.from_environment({"DIGITS_VISITS_A_MINUTE": ""}) == Quotas()


def test_a_public_link_is_stricter_in_everything():
    public = Quotas.from_environment({"DIGITS_PUBLIC": "1"})
    for quota in dataclasses.fields(Quotas):
        home, strict = getattr(Quotas(), quota.name), getattr(public, quota.name)
        assert strict > 0, f"{quota.name} has no limit behind a public link"
        assert not home or strict <= home


def test_each_has_a_variable():
    assert Quotas.from_environment({"DIGITS_PUBLIC": "1", "DIGITS_VISITS_A_MINUTE": "7"}).visits_a_minute == 7
    assert Quotas.from_environment({"DIGITS_PUBLIC": "1", "DIGITS_VISITS_A_MINUTE": "0"}).visits_a_minute == 0


def test_the_table_names_every_variable():
    table = quotas.as_markdown()
    for quota in dataclasses.fields(Quotas):
        assert f"| `DIGITS_{quota.name.upper()}` |" in table


def test_the_readme_shows_that_table():
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    assert readme.split("<!-- quotas -->\n")[1].split("\n<!-- /quotas -->")[0] == quotas.as_markdown()
