"""buckets: what every store promises, in folders, in memory and in S3; and what a bucket's local copies do."""

import os
import threading
import time

import fsspec
import pytest

from digits.buckets import BucketStore, open_bucket
from digits.errors import InvalidSetting, StoreUnavailable
from digits.models import catalogue
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.store import FolderStore, open_store
from digits.training.keeper import start_keepers

KINDS = ("folder", "file", "local", "memory", "s3")


@pytest.fixture(params=KINDS)
def any_store(request, runs_dir, monkeypatch, tmp_path):
    """An empty store of each kind."""
    return new_store(request, request.param, monkeypatch, runs_dir, tmp_path)


@pytest.fixture(params=["memory", "s3"])
def bucket(request, runs_dir, monkeypatch, tmp_path):
    """An empty bucket."""
    return new_store(request, request.param, monkeypatch, runs_dir, tmp_path)


def new_store(request, kind, monkeypatch, runs_dir, tmp_path):
    if kind == "folder":
        return FolderStore(runs_dir)
    if kind == "local":  # the same code as for a bucket, where one can look at the files
        return BucketStore(fsspec.filesystem("file", auto_mkdir=True), str(tmp_path / "bucket"), runs_dir / ".copies")
    if kind == "s3":
        for name, value in request.getfixturevalue("s3_server").items():
            monkeypatch.setenv(name, value)
    url = {"file": f"file://{tmp_path}/a%20store", "memory": "memory://digits"}.get(kind) or os.environ[
        "DIGITS_STORE_URL"
    ]
    monkeypatch.setenv("DIGITS_STORE_URL", f"{url}-{tmp_path.name}")
    return open_store(Settings.from_environment())


def write(store, key, content=b"content"):
    with store.write(key) as stream:
        stream.write(content)


def write_model(store, key, **files):
    with store.write_folder(key) as draft:
        for name, content in files.items():
            (draft / name).write_text(content)


def fail_in(block, error):
    with block:
        raise error


def names(store, key):
    return sorted(path.name for path in store.fetch(key).glob("*"))


class TestEveryStore:
    def test_reads_files_as_written(self, any_store):
        """A missing one raises `FileNotFoundError`; an empty one is a file."""
        write(any_store, "run/deep/file.bin", b"one")
        write(any_store, "run/deep/file.bin", b"two")
        write(any_store, "empty", b"")
        assert (any_store.read("run/deep/file.bin"), any_store.read("empty")) == (b"two", b"")
        for missing in ("run/else", "nothing/here"):
            with pytest.raises(FileNotFoundError):
                any_store.read(missing)

    def test_lists_files_and_folders_by_prefix(self, any_store):
        """Deeper ones and drafts are left out."""
        for key in ("other", ".work/run/a-1.npz", ".work/run/b.npz", ".work/run/deep/c.npz"):
            write(any_store, key)
        for key in ("run", "run-best", "run-at-10"):
            write_model(any_store, key, card="{}")
        assert any_store.list("run") == ["run", "run-at-10", "run-best"]
        assert any_store.list(".work/run/a") == [".work/run/a-1.npz"]
        assert any_store.list(".work/run/") == [".work/run/a-1.npz", ".work/run/b.npz", ".work/run/deep"]
        assert any_store.list("[r]un") == any_store.list("nothing/here/") == []

    def test_deletes_and_measures_a_file_or_a_whole_folder(self, any_store):
        """What is not there has no size and need not be deleted; what only begins alike stays."""
        write_model(any_store, "run", card="x" * 1000)
        write_model(any_store, "run-best", card="x")
        write(any_store, ".work/run/a.npz", b"x" * 500)
        write(any_store, ".work/run/deep/b.npz", b"x" * 50)
        assert any_store.size(".work/run") == 550
        assert 1000 <= any_store.size("run") < 1300
        assert any_store.size("missing") == 0
        for key in ("run", ".work/run", "missing", "missing/deep"):
            any_store.delete(key)
        assert any_store.list("run") == ["run-best"]
        assert any_store.list(".work/") == []
        assert names(any_store, "run") == []

    def test_replaces_a_folder_as_a_whole(self, any_store):
        """Also single files that were in it."""
        write(any_store, "run/old")
        for name in ("one", "two"):
            write_model(any_store, "run", **{name: "text"})
            assert names(any_store, "run") == [name]
        assert any_store.fetch("run").name == "run"
        assert any_store.list("run/old") == []

    @pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
    def test_keeps_what_was_there_after_an_error(self, error, any_store):
        write(any_store, "file", b"old")
        write_model(any_store, "run", old="text")
        for broken in (any_store.write("file"), any_store.write_folder("run")):
            with pytest.raises(type(error)):
                fail_in(broken, error)
        assert (any_store.read("file"), names(any_store, "run")) == (b"old", ["old"])


class TestCopies:
    def test_are_fetched_once(self, bucket, monkeypatch):
        """Many threads ask for a model at once, and one of them fetches it."""
        write_model(bucket, "run", card="text")
        fetched, fetch = [], bucket._files.cat_file
        monkeypatch.setattr(bucket._files, "cat_file", lambda path: fetched.append(path) or fetch(path))
        found = []
        threads = [threading.Thread(target=lambda: found.append(bucket.fetch("run"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(fetched), len(set(found)), len(found)) == (1, 1, 8)
        assert (found[0] / "card").read_text() == "text"

    def test_are_asked_for_their_version_now_and_then(self, bucket, monkeypatch):
        """So that reading with a model in a bucket seldom waits for it; what another machine writes is seen soon."""
        write_model(bucket, "run", card="old")
        asked, ask = [], bucket._files.ukey
        monkeypatch.setattr(bucket._files, "ukey", lambda path: asked.append(path) or ask(path))
        for _ in range(3):
            assert (bucket.fetch("run") / "card").read_text() == "old"
        assert len(asked) == 1
        another = BucketStore(bucket._files, bucket._root, bucket._copies)
        write_model(another, "run", card="new")
        assert (another.fetch("run") / "card").read_text() == "new"
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 6)
        assert (bucket.fetch("run") / "card").read_text() == "new"
        write_model(bucket, "run", card="newest")
        assert (bucket.fetch("run") / "card").read_text() == "newest"

    def test_of_a_damaged_folder_are_none(self, bucket, caplog):
        """The log names it, and the next attempt is made with what is there then."""
        write_model(bucket, "run", card="text" * 100)
        path = bucket._path("run.folder")
        content = bytearray(bucket._files.cat_file(path))
        content[100] ^= 1
        for damaged in (bytes(content), content[:50], b""):
            bucket._files.pipe_file(path, bytes(damaged))
            assert not bucket.fetch("run").exists()
            assert "run is damaged" in caplog.text
            caplog.clear()
        write_model(bucket, "run", card="text")
        assert names(bucket, "run") == ["card"]

    def test_that_nobody_asks_for_are_removed_after_a_day(self, bucket, runs_dir):
        for key in ("old", "young"):
            write_model(bucket, key, card=key)
        old, young = (bucket.fetch(key) for key in ("old", "young"))
        os.utime(old.parent, (time.time() - 90_000,) * 2)
        bucket.sweep()
        assert (old.parent.exists(), young.exists()) == (False, True)
        assert bucket.fetch("old") == old

    def test_serve_the_catalogue(self, bucket, monkeypatch):
        """A model is found and read, is listed with its run, and takes space."""
        settings = Settings.from_environment()
        with bucket.write_folder("own-run_1") as draft:
            for path in (BUNDLED_MODELS_DIR / "softmax").iterdir():
                (draft / path.name).write_bytes(path.read_bytes())
        model = catalogue.find("own-run_1", settings)
        assert model.class_names == tuple("0123456789")
        assert catalogue.of_run("own-run_1", settings) == [model]
        assert catalogue.damaged_of_run("own-run_1", settings) == []
        assert catalogue.size_of_run("own-run_1", settings) > 10_000
        catalogue.remove_of_run("own-run_1", settings)
        assert catalogue.of_run("own-run_1", settings) == []


class TestTrouble:
    def test_bundled_models_need_no_bucket(self, monkeypatch):
        monkeypatch.setenv("DIGITS_STORE_URL", "nonsense://")
        assert catalogue.find("softmax", Settings.from_environment()).id == "softmax"

    def test_a_store_that_does_not_answer_is_told(self, bucket, monkeypatch):
        """An error of any kind, which the bucket's package may invent, becomes one that pages can show."""

        class TheirError(Exception):
            pass

        def fail(*_, **__):
            raise TheirError("s3://secret:9000 is not reachable")

        for name in ("cat_file", "pipe_file", "find", "rm", "ukey"):
            monkeypatch.setattr(bucket._files, name, fail)
        for call in (
            bucket.read,
            bucket.list,
            bucket.size,
            bucket.delete,
            bucket.fetch,
            lambda key: write(bucket, key),
        ):
            with pytest.raises(StoreUnavailable, match="does not answer") as caught:
                call("run")
            assert "secret" not in str(caught.value)

    def test_a_missing_bucket_is_told_when_it_is_written(self, s3_server, monkeypatch, tmp_path):
        for name, value in s3_server.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreUnavailable):
            write(open_bucket("s3://nowhere/runs", tmp_path), "file")

    def test_missing_packages_are_named(self, monkeypatch, tmp_path):
        monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
        with pytest.raises(InvalidSetting, match=r"requirements-cluster\.txt"):
            open_bucket("s3://bucket", tmp_path)

    def test_a_server_does_not_start_with_one_that_cannot_be_used(self, monkeypatch):
        monkeypatch.setenv("DIGITS_STORE_URL", "nonsense://bucket")
        with pytest.raises(InvalidSetting):
            start_keepers(Settings.from_environment())

    def test_other_kinds_are_refused(self, tmp_path):
        with pytest.raises(InvalidSetting, match="begins with 'nonsense'"):
            open_bucket("nonsense://bucket", tmp_path)
