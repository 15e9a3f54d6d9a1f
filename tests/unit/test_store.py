"""store: files and folders appear whole or not at all, and only what killed writers left is swept."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digits.settings import Settings
from digits.store import FolderStore, open_store

SAVE = """
import sys, time
from pathlib import Path
from digits.store import FolderStore
with FolderStore(Path(sys.argv[1])).write_folder("run") as draft:
    (draft / "card.json").write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(runs_dir):
    return FolderStore(runs_dir)


def write(store, key, content=b"content"):
    with store.write(key) as stream:
        stream.write(content)


class TestFiles:
    def test_are_read_as_written(self, store):
        """A key may have folders; a missing file raises `FileNotFoundError`."""
        write(store, "run/deep/file.bin", b"one")
        write(store, "run/deep/file.bin", b"two")
        assert store.read("run/deep/file.bin") == b"two"
        assert store.fetch("run/deep/file.bin").read_bytes() == b"two"
        with pytest.raises(FileNotFoundError):
            store.read("run/else")

    def test_are_listed_by_prefix(self, store):
        """Folders are listed too, deeper files and drafts are not; a key's letters mean themselves."""
        for key in (
            "run",
            "run-best/card.json",
            "run-at-10/card.json",
            "other",
            ".work/run/a-1.npz",
            ".work/run/b.npz",
        ):
            write(store, key)
        assert store.list("run") == ["run", "run-at-10", "run-best"]
        assert store.list(".work/run/a") == [".work/run/a-1.npz"]
        assert store.list(".work/run/") == [".work/run/a-1.npz", ".work/run/b.npz"]
        assert store.list("[r]un") == store.list("nothing/here/") == []

    def test_are_deleted_with_their_folders(self, store):
        """What is not there need not be deleted."""
        for key in ("run/card.json", "run/deep/x", "file"):
            write(store, key)
        for key in ("run", "file", "missing", "missing/deep"):
            store.delete(key)
        assert store.list("") == []

    def test_lie_in_the_folder_of_runs(self, runs_dir):
        """The store that the app uses."""
        assert open_store(Settings.from_environment()).fetch("run") == runs_dir / "run"


class TestFolders:
    def test_appear_when_they_are_whole(self, store, runs_dir):
        """They replace the folder that was there, and leave nothing else."""
        for name in ("one", "two"):
            with store.write_folder("run") as draft:
                (draft / name).touch()
                assert not (runs_dir / "run" / name).exists()
            assert [path.name for path in (runs_dir / "run").iterdir()] == [name]
        assert [path.name for path in runs_dir.iterdir()] == ["run"]

    @pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt(), MemoryError()])
    def test_an_error_leaves_the_old_one(self, error, store, runs_dir):
        """And no draft."""

        def fail(draft):
            (draft / "new").touch()
            raise error

        write(store, "run/old")
        with pytest.raises(type(error)), store.write_folder("run") as draft:
            fail(draft)
        assert [path.relative_to(runs_dir).as_posix() for path in runs_dir.rglob("*")] == ["run", "run/old"]

    def test_one_that_cannot_be_moved_into_place_leaves_the_old_one(self, store, runs_dir, monkeypatch):
        write(store, "run/old")
        move = Path.replace

        def fail_for_the_new_one(path, target):
            if (path / "new").exists():
                raise OSError("full")
            return move(path, target)

        monkeypatch.setattr(Path, "replace", fail_for_the_new_one)
        with pytest.raises(OSError, match="full"), store.write_folder("run") as draft:
            (draft / "new").touch()
        assert [path.relative_to(runs_dir).as_posix() for path in runs_dir.rglob("*")] == ["run", "run/old"]


class TestSweep:
    def test_removes_what_a_killed_process_left_and_nothing_of_a_living_one(self, store, runs_dir):
        """Two processes write; one is killed."""
        living, killed = (
            subprocess.Popen([sys.executable, "-c", SAVE, runs_dir], stdout=subprocess.PIPE) for _ in range(2)
        )
        for process in (living, killed):
            assert process.stdout.readline() == b"writing\n"
        assert len([*runs_dir.glob(".saving-*")]) == 4
        killed.kill()
        killed.wait()
        store.sweep()
        kept = [path for path in runs_dir.glob(".saving-*") if path.is_dir()]
        assert len(kept) == 1
        assert (kept[0] / "card.json").exists()
        living.send_signal(signal.SIGTERM)
        living.wait()
        for process in (living, killed):
            process.stdout.close()
        store.sweep()
        assert not [*runs_dir.iterdir()]

    def test_removes_what_older_versions_left(self, store, runs_dir):
        """Their drafts had no lock; models stay."""
        for folder in (".saving-ab12cd", "run"):
            (runs_dir / folder / "run").mkdir(parents=True)
            (runs_dir / folder / "run" / "card.json").touch()
        store.sweep()
        assert [path.name for path in runs_dir.iterdir()] == ["run"]

    def test_removes_drafts_of_files_after_an_hour(self, store, runs_dir):
        """A younger one may still be written."""
        old, young = (runs_dir / f".checkpoint.npz.{name}.part" for name in ("old", "young"))
        for path in (old, young):
            path.touch()
        os.utime(old, (time.time() - 4000,) * 2)
        store.sweep()
        assert [*runs_dir.iterdir()] == [young]
