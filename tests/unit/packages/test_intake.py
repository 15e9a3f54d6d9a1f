"""intake: a valid package becomes the visitor's own model, a bad one leaves nothing, and no foreign file is opened."""

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from digits.data import mnist
from digits.errors import InvalidPackage, PackageNotStored, QuotaReached, RegistryBusy, TooManyPackages
from digits.models import catalogue
from digits.packages import archives, completion, intake, limits, measure, pack, rebuild
from digits.runs import admission
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.settings import PROJECT_DIR, Settings
from tests.unit.packages.test_archives import hostile
from tests.unit.packages.test_claims import HISTORY


@pytest.fixture(autouse=True)
def _without_the_full_set(monkeypatch):
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)


@pytest.fixture(scope="module")
def files():
    return archives.read(pack.pack(catalogue.find("softmax", Settings.from_environment())))


@pytest.fixture
def import_package(registry):
    """Import a package as a visitor does, and return the run's id."""

    def import_package(content, owner="ada", **how):
        settings = Settings.from_environment()
        return intake.import_package(content, registry=registry, settings=settings, owner=owner, **how)

    return import_package


def test_imported_twice_because_of_a_lost_answer_it_is_one_model(files, import_package, registry, lose):
    content = archives.write_sealed(files)
    lose()
    with pytest.raises(RegistryBusy):
        import_package(content)
    run_id = import_package(content)
    assert [run.id for run in registry.list_runs("ada")] == [run_id]
    assert catalogue.of_run(run_id, Settings.from_environment())


def left_behind(runs_dir):
    return [path.name for path in runs_dir.iterdir() if path.is_dir()]


def test_a_package_becomes_the_visitors_model(files, import_package, registry, runs_dir):
    """The new model has an owner, a name, its history and a measured accuracy, and predicts the same."""
    settings, steps = Settings.from_environment(), []
    false_card = json.loads(files["card.json"]) | {"test": {"correct": 10_000, "total": 10_000}, "temperature": 5.0}
    content = archives.write_sealed(
        {**files, "card.json": json.dumps(false_card).encode(), "history.csv": HISTORY.encode()}
    )
    run_id = import_package(content, on_step=steps.append)
    provisional = catalogue.find(run_id, settings).card
    assert (provisional.provisional, provisional.temperature, provisional.strangers) == (True, 1.0, None)
    assert 850 < provisional.test.correct < provisional.test.total == 1000
    completion.complete(run_id, registry, settings)
    run, new, old = registry.get(run_id), catalogue.find(run_id, settings), catalogue.find("softmax", settings)
    images = mnist.load_test(settings).test.images
    assert (run.owner, run.state, run.name, run.step) == ("ada", RunState.FINISHED, "Softmax regression", 1000)
    assert (run.best_step, run.best_val_accuracy, run.val_accuracy) == (100, 0.8, 0.8)
    assert [row["step"] for row in registry.history(run_id)] == [50, 100]
    assert np.array_equal(new.probabilities(images).argmax(1), old.probabilities(images).argmax(1))
    assert new.test_accuracy.total == 1000
    assert 850 < new.test_accuracy.correct < 1000
    assert new.temperature != 5.0
    assert new.strangers.sources[0].drawings == 460
    assert (new.card.id, new.card.run, new.card.provisional) == (run_id, run_id, None)
    assert (new.folder / "explain.npz").is_file()
    assert left_behind(runs_dir) == [run_id]
    assert len(steps) >= 3


@pytest.mark.parametrize("name", intake.REQUIRED_FILES)
def test_each_required_file_must_be_present(files, import_package, name):
    """The error names the missing file."""
    with pytest.raises(InvalidPackage, match=f"{name} is missing"):
        import_package(archives.write_sealed({other: content for other, content in files.items() if other != name}))


def test_no_other_file_matters(files, import_package):
    """Numbers, card and hyperparameters are enough: the rest of the zip is for others."""
    few = {name: files[name] for name in intake.REQUIRED_FILES}
    assert import_package(archives.write_sealed(few))


@pytest.mark.parametrize("name", ["model.keras", "model.tflite", "explain.npz", "predict.py", "weights.txt", "x.so"])
def test_foreign_files_are_never_opened(files, import_package, name):
    """Bytes that would crash or run something are only compared with their digest; the model has files made here."""
    evil = b"cos\nsystem\n(S'touch evil'\ntR."
    run_id = import_package(archives.write_sealed({**files, name: evil}))
    folder = catalogue.find(run_id, Settings.from_environment()).folder
    assert not any(path.read_bytes() == evil for path in folder.iterdir())
    assert (folder / "model.tflite").read_bytes() == files["model.tflite"]


def test_an_imported_model_can_be_exported_again(files, import_package):
    """Its package holds the same numbers, and is a package itself."""
    model = catalogue.find(import_package(archives.write_sealed(files)), Settings.from_environment())
    package = pack.pack(model)
    assert archives.read(package)["model.safetensors"] == files["model.safetensors"]
    assert import_package(package) != model.id


IMPORT_AND_LIST = """
import sys
from digits.packages import intake
from digits.runs.registry import open_registry
from digits.settings import Settings
settings = Settings.from_environment()
registry = open_registry(settings.registry_url)
intake.import_package(sys.stdin.buffer.read(), registry=registry, settings=settings, owner="ada")
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


def test_tensorflow_is_not_needed(files, registry):
    """A process that has imported a model has loaded neither TensorFlow nor Keras."""
    command = [sys.executable, "-c", IMPORT_AND_LIST]
    package = archives.write_sealed(files)
    assert subprocess.run(command, cwd=PROJECT_DIR, input=package, capture_output=True, check=True).stdout == b"[]\n"


FILES = archives.read(pack.pack(catalogue.find("softmax", Settings.from_environment())))
FILES |= {"history.csv": HISTORY.encode()}
FEW = {name: FILES[name] for name in intake._KEPT}
HUGE = {"logits.kernel": np.full((784, 10), 65_504, np.float16), "logits.bias": np.zeros(10, np.float16)}
BAD = {
    "numbers of another network": (
        {"model.safetensors": save({"a": np.zeros(3, np.float16)})},
        "By its hyperparameters",
    ),
    "numbers as a pickle": ({"model.safetensors": b"cos\nsystem\n(S'touch evil'\ntR."}, "must hold arrays"),
    "too many numbers": ({"model.safetensors": bytes(9_000_000)}, "'model.safetensors' may unpack to at most"),
    "a long history": ({"history.csv": bytes(1_000_001)}, "'history.csv' may unpack to at most 1,000,000"),
    "a history on one line": ({"history.csv": b"9," * 400_000}, "rows of 200 characters"),
    "a long card": ({"card.json": b" " * 300_000}, "'card.json' may unpack to at most 262,144"),
    "deep settings": ({"hyperparameters.json": b"[" * 100_000}, "hyperparameters.json must be JSON"),
}


@pytest.mark.parametrize(("changed", "complaint"), BAD.values(), ids=BAD)
def test_a_refused_package_leaves_nothing(files, import_package, registry, runs_dir, changed, complaint):
    """There is no run and no folder, and the error states the reason."""
    with pytest.raises(InvalidPackage, match=complaint):
        import_package(archives.write_sealed({**files, **changed}))
    assert left_behind(runs_dir) == []
    assert registry.list_runs("ada") == []


@given(st.sampled_from(sorted(intake._KEPT)), st.integers(0, 10**6), st.integers(0, 30), st.binary(max_size=30))
@hypothesis.settings(max_examples=400)
def test_a_hostile_package_is_read_or_refused(name, place, length, inserted):
    """Any bytes put into a file that is read, with right digests, are accepted or raise `InvalidPackage`."""
    content = FILES[name]
    place %= len(content) + 1
    changed = content[:place] + inserted + content[place + length :]
    with contextlib.suppress(InvalidPackage):
        _, numbers = intake._read(archives.write_sealed({**FEW, name: changed}))
        assert all(np.isfinite(weight.values).all() for weight in numbers)


def test_numbers_that_give_no_probabilities_are_refused(files, import_package, runs_dir, monkeypatch):
    """A model whose answers are not numbers is refused after it was tried."""
    monkeypatch.setattr(measure.Recogniser, "probabilities", lambda *_: np.full((500, 10), np.nan, np.float32))
    with pytest.raises(InvalidPackage, match="a probability for each class"):
        import_package(archives.write_sealed(files))
    assert left_behind(runs_dir) == []


def test_large_numbers_are_only_a_bad_model(files, import_package):
    """The largest numbers that are allowed become a model that is measured as any other."""
    run_id = import_package(archives.write_sealed({**files, "model.safetensors": save(HUGE)}))
    assert catalogue.find(run_id, Settings.from_environment()).test_accuracy.correct < 300


@pytest.mark.parametrize("content", [b"", b"PK", bytes(1000), hostile(("../evil", b"")), hostile(("card.json", b"{}"))])
def test_what_is_no_package_is_refused(import_package, runs_dir, content):
    """Other files, and sealed zips of other things, are refused before anything is written."""
    with pytest.raises(InvalidPackage):
        import_package(content)
    assert not runs_dir.exists() or left_behind(runs_dir) == []


def test_a_full_disk_is_told_without_a_path(files, import_package, registry, runs_dir, monkeypatch):
    """The message has the system's reason and no path of the server; nothing is left behind."""

    def fail(folder, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    monkeypatch.setattr(rebuild, "write_files", fail)
    with pytest.raises(PackageNotStored, match="No space left on device") as caught:
        import_package(archives.write_sealed(files))
    assert str(runs_dir) not in str(caught.value)
    assert left_behind(runs_dir) == []


def test_a_late_failure_leaves_nothing(files, import_package, registry, runs_dir, monkeypatch):
    """If the folder cannot be moved into place, the run is removed again."""

    def fail(draft, _target):
        assert registry.list_runs("ada")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(draft))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(PackageNotStored, match="No such file"):
        import_package(archives.write_sealed(files))
    assert registry.list_runs("ada") == []
    assert left_behind(runs_dir) == []


def test_an_unfinished_import_is_a_draft_of_the_store(files, import_package, registry, runs_dir, monkeypatch):
    """The store sweeps it if its server is killed."""
    seen = []
    whole = measure.estimate
    monkeypatch.setattr(measure, "estimate", lambda *given: seen.extend(left_behind(runs_dir)) or whole(*given))
    run_id = import_package(archives.write_sealed(files))
    assert [name.startswith(".saving-") for name in seen] == [True]
    assert left_behind(runs_dir) == [run_id]


def test_two_imports_wait_for_one_another(files, import_package, registry):
    """Both succeed, and a bad package is refused meanwhile without waiting."""
    package, done = archives.write_sealed(files), []
    threads = [threading.Thread(target=lambda: done.append(import_package(package))) for _ in range(2)]
    with intake._turns.take():
        for thread in threads:
            thread.start()
        with pytest.raises(InvalidPackage):
            import_package(package[:-1])
        assert done == []
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(run.id for run in registry.list_runs("ada"))
    assert len(set(done)) == 2


def test_a_long_wait_is_told(files, import_package, monkeypatch):
    """Whoever waits too long for others reads so."""
    monkeypatch.setattr(limits, "MAX_WAIT_SECONDS", 0.05)
    with intake._turns.take(), pytest.raises(TooManyPackages, match="Only one package is measured at a time"):
        import_package(archives.write_sealed(files))


def test_an_address_has_a_limit_on_bytes(files, import_package, monkeypatch):
    admission._limiter.cache_clear()
    monkeypatch.setenv("DIGITS_MEGABYTES_AN_HOUR", "1")
    monkeypatch.setattr(archives, "read", lambda *rest: pytest.fail("the limit must be checked first"))
    admission.require_bytes("192.0.2.1", 900_000)
    with pytest.raises(QuotaReached, match="At most 1 MB of sets and packages an hour"):
        import_package(archives.write_sealed(files), address="192.0.2.1")


def test_a_visitor_has_a_limit_on_imports(files, import_package, registry, monkeypatch):
    """A deleted import still counts while it can be restored."""
    monkeypatch.setenv("DIGITS_IMPORTS_PER_VISITOR", "1")
    monkeypatch.setattr(archives, "read", lambda *rest: pytest.fail("the limit must be checked first"))
    run_id = registry.add_imported(PRESETS["softmax"].hyperparameters, "ada")
    registry.set_deleted([run_id], 1.0)
    with pytest.raises(TooManyPackages, match="At most 1 models"):
        import_package(archives.write_sealed(files))
