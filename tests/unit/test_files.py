"""files: a file appears whole or not at all, and no draft stays."""

import errno
import os
import threading

import pytest

from digits.files import remove_whole, write_whole


@pytest.fixture
def folder(tmp_path):
    """A folder with nothing in it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def test_the_file_appears_when_it_is_whole(tmp_path):
    """Until the block has ended a reader finds the old file; missing folders are made."""
    path = tmp_path / "missing" / "file.bin"
    for old, new in ((None, b"one"), (b"one", b"two")):
        with write_whole(path) as stream:
            stream.write(new)
            stream.flush()
            assert (path.read_bytes() if path.exists() else None) == old
        assert path.read_bytes() == new
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_draft(folder, error):
    """A full disk or an interruption in the middle of writing costs nothing that was there."""
    path = folder / "file.bin"
    path.write_bytes(b"old")

    def write(stream):
        stream.write(b"ne")
        raise error

    with pytest.raises(type(error)), write_whole(path) as stream:
        write(stream)
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


def test_a_file_that_cannot_be_moved_into_place_leaves_no_draft(folder):
    """A folder of that name is in the way."""
    path = folder / "file.bin"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError), write_whole(path) as stream:  # noqa: PT011
        stream.write(b"new")
    assert list(folder.iterdir()) == [path]


def test_two_writers_do_not_collide(folder):
    """Each has a draft of its own, so the file is always one writer's."""
    path, seen = folder / "file.bin", set()

    def write(letter):
        for _ in range(50):
            with write_whole(path) as stream:
                stream.write(letter * 5_000)
                stream.write(letter * 5_000)
            seen.add(path.read_bytes())

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {b"a" * 10_000, b"b" * 10_000}
    assert list(folder.iterdir()) == [path]


def test_removing_takes_drafts_of_killed_writers_along(folder):
    """What is not there need not be removed; other files stay."""
    path, other = folder / "file.bin", folder / "other.bin"
    remove_whole(path)
    for left in (path, other, folder / ".file.bin.0123.part"):
        left.touch()
    remove_whole(path)
    assert list(folder.iterdir()) == [other]
