"""trouble: every exception becomes a sentence that says what to do and names nothing of the server."""

import errno
import os
from pathlib import Path

import pytest
import sqlalchemy as sql

from digits import trouble
from digits.errors import DatasetUnavailable, ModelNotFound, RegistryUnavailable
from digits.runs import database
from digits.settings import Settings


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name: the web process has no TensorFlow."""


def os_error(number):
    return OSError(number, os.strerror(number), "/srv/digits/models/runs/abc/card.json")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            os_error(errno.ENOSPC),
            "The disk cannot be written: No space left on device. Free some space on the disk.",
        ),
        (os_error(errno.EROFS), "The disk cannot be written: Read-only file system. Make its folder writable."),
        (os_error(errno.EACCES), "The disk cannot be written: Permission denied. Make its folder writable."),
        (
            ResourceExhaustedError("/tmp/tmpx/saved_model.pb; No space left on device"),
            "The disk cannot be written: No space left on device. Free some space on the disk.",
        ),
        (MemoryError("Unable to allocate 3 GiB"), trouble.OUT_OF_MEMORY),
        (ResourceExhaustedError("OOM when allocating tensor"), trouble.OUT_OF_MEMORY),
        (os_error(errno.ENOMEM), trouble.OUT_OF_MEMORY),
        (
            KeyError("/srv/digits/models/runs/abc/card.json"),
            "Training broke with KeyError: 'card.json'. This is a fault in Digits; please report it.",
        ),
        (
            ModelNotFound("x's card must be JSON; No such file: '/srv/a b/c/card.json'. Train the model again."),
            "x's card must be JSON; No such file: 'card.json'. Train the model again.",
        ),
    ],
)
def test_an_error_in_a_visitors_words(error, expected):
    assert trouble.sentence(error, "Training") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at /srv/digits/models/runs/abc/card.json.", "at card.json."),
        ("~/.keras/datasets/mnist.npz is damaged", "mnist.npz is damaged"),
        (r"C:\Users\Ada\digits\card.json is damaged", "card.json is damaged"),
        ("The registry at sqlite:////srv/x.sqlite is locked", "The registry is locked"),
        ("The registry at postgresql://ada:***@db.example:5432/digits is locked", "The registry is locked"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        (
            "a rate of 1/10, and/or mnist/ below a folder",
            "a rate of 1/10, and/or mnist/ below a folder",
        ),
        ("float32 (n, 28, 28) 1/255", "float32 (n, 28, 28) 1/255"),
    ],
)
def test_addresses_are_left_out(text, expected):
    """A path becomes its last part, a database's address vanishes; links and fractions stay."""
    assert trouble.without_addresses(text) == expected


def test_a_folder_of_this_installation_may_have_spaces(monkeypatch, tmp_path):
    """As on macOS, where data lie in `Application Support`."""
    monkeypatch.setenv("DIGITS_RUNS_DIR", str(tmp_path / "Application Support" / "digits"))
    path = Settings.from_environment().runs_dir / "registry.sqlite"
    assert trouble.without_addresses(f"'{path}' is full") == "'registry.sqlite' is full"
    home = Path.home() / "own folder" / "x.npz"
    assert str(Path.home()) not in trouble.without_addresses(f"{home} is damaged")


@pytest.mark.parametrize("url", ["sqlite:////srv/digits/registry.sqlite", "postgresql://ada:secret@db:5432/digits"])
def test_a_registry_that_does_not_answer_is_not_named(url):
    """Its message, as the pages show it, has the cause and the remedy, and no address."""
    with pytest.raises(RegistryUnavailable) as caught, database.explained():
        raise sql.exc.OperationalError("INSERT", {}, Exception(f"connection to {url} failed"))
    said = trouble.sentence(caught.value)
    assert "the connection failed" in said
    assert not any(word in said for word in ("://", "srv", "secret", "5432", "registry.sqlite"))


def test_a_message_without_an_address_is_kept_to_the_letter():
    said = "The images must be there; they are not. Put them back."
    assert trouble.sentence(DatasetUnavailable(said)) == said
