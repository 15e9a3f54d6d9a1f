"""pack and check: one zip contains the whole model, and its predictions equal the app's."""

import csv
import dataclasses
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from digits.errors import InvalidPackage, ModelNotFound, TooManyPackages
from digits.models import catalogue, textweights
from digits.models.reading import read_picture
from digits.packages import archives, check, limits, pack
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.settings import PROJECT_DIR, Settings

ROW = {"step": 50, "seconds": 0.1, "loss": 1.5, "accuracy": 0.5, "val_loss": None, "val_accuracy": None}


@pytest.fixture(scope="module")
def model():
    return catalogue.find("softmax", Settings.from_environment())


@pytest.fixture(scope="module")
def package(model):
    return pack.pack(model)


@pytest.fixture(scope="module")
def files(package):
    return archives.read(package)


class TestContents:
    def test_are_complete(self, files):
        """All files of the model are there, and only the code that predict.py needs."""
        code = {name for name in files if name.endswith(".py")}
        assert {"model.keras", "model.tflite", "weights.txt", "const.txt", "card.json", "README.md"} <= set(files)
        assert {"hyperparameters.json", "requirements.txt", "LICENSE", "predict.py"} <= set(files)
        assert code == {"predict.py", *pack.module_files()}
        stems = {Path(name).stem for name in pack.module_files()}
        assert {"glyphs", "segmentation", "pictures", "reading", "judge", "recogniser", "__init__"} <= stems
        assert not {"catalogue", "runs", "training"} & stems
        assert set(files) == {*pack.code_files(), *pack.DATA_FILES} - {"history.csv"}

    def test_hold_the_weights_as_numbers(self, files, model):
        """Any safetensors program reads the weights of the Keras file."""
        kernel, bias = (weight.values for weight in textweights.read(model.folder / "model.keras"))
        numbers = safetensors.numpy.load(files["model.safetensors"])
        assert np.array_equal(numbers["logits.kernel"], kernel)
        assert np.array_equal(numbers["logits.bias"], bias)

    def test_are_the_same_bytes_every_time(self, model, package):
        """The zip does not contain the time, so a checksum identifies a package."""
        assert pack.pack(model) == package

    def test_hold_the_apps_own_code(self, files):
        """The modules in the package are byte for byte those of the app."""
        for name in pack.module_files():
            assert files[name] == (PROJECT_DIR / name).read_bytes()

    def test_pin_their_requirements(self, files):
        """The pinned versions are those of the app."""
        pinned = (PROJECT_DIR / "requirements.txt").read_text(encoding="utf-8")
        lines = files["requirements.txt"].decode().splitlines()
        assert {line.split("==")[0] for line in lines} == {"numpy", "pillow", "scipy", "ai-edge-litert", "msgspec"}
        assert all(line in pinned for line in lines)

    def test_have_a_program_of_twenty_lines(self, files):
        """predict.py is short enough to read at a glance."""
        text = files["predict.py"].decode().split('"""')[2]
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("import", "from"))]
        assert len(lines) <= 20

    def test_name_every_file_in_the_readme(self, files):
        """The README describes every file in the zip."""
        readme = files["README.md"].decode()
        assert all(
            f"`{name}`" in readme
            for name in files
            if name not in ("README.md",) and not name.startswith(("digits/", "models/"))
        )
        assert "no history" in readme
        assert "{" not in readme

    def test_hold_the_weights_as_text(self, files, model):
        """NumPy loads the text files as the weights of the Keras file."""
        kernel, bias = (weight.values for weight in textweights.read(model.folder / "model.keras"))
        assert np.loadtxt(io.BytesIO(files["weights.txt"])) == pytest.approx(kernel, rel=1e-4)
        assert np.loadtxt(io.BytesIO(files["const.txt"])) == pytest.approx(bias, rel=1e-4)

    def test_include_the_texts_of_the_text_zip(self, files, model):
        """`pack_texts` returns a zip of only the two text files, with the same content."""
        with zipfile.ZipFile(io.BytesIO(pack.pack_texts(model))) as archive:
            texts = {name: archive.read(name) for name in archive.namelist()}
        assert texts == {name: files[name] for name in ("weights.txt", "const.txt")}

    def test_of_a_run_have_its_history_and_its_changes(self, model, registry, runs_dir):
        """History and changes end at the iteration that the weights are from."""
        change = Change(step=50, name="learning_rate", old=0.5, value=0.1)
        late = Change(step=90, name="dropout", old=0.0, value=0.1)
        run_id = registry.add_imported(
            Hyperparameters(iterations=100),
            "ada",
            changes=[change, late],
            history=[ROW, ROW | {"step": 100}],
            name="mine",
            test_correct=1,
            test_total=2,
        )
        shutil.copytree(model.folder, runs_dir / run_id)
        card = dataclasses.replace(model.card, run=run_id, step=60)
        files = archives.read(pack.pack(catalogue.Model(run_id, runs_dir / run_id, card), registry))
        assert [row["step"] for row in csv.DictReader(io.StringIO(files["history.csv"].decode()))] == ["50"]
        changes = json.loads(files["hyperparameters.json"])["changes"]
        assert changes == [{"step": 50, "name": "learning_rate", "old": 0.5, "value": 0.1}]
        assert "`history.csv`" in files["README.md"].decode()

    def test_need_all_files_of_the_model(self, model, tmp_path):
        """The error names the missing file."""
        folder = shutil.copytree(model.folder, tmp_path / "half")
        (folder / "model.tflite").unlink()
        with pytest.raises(ModelNotFound, match=r"model\.tflite"):
            pack.pack(catalogue.Model("half", folder, model.card))


def test_an_unpacked_package_names_the_digit_in_a_picture(files, model, seven, tmp_path):
    """In another folder, `python predict.py seven.png` prints 7 with the same confidence as the app."""
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "seven.png").write_bytes(seven)
    confidence = read_picture(seven, model).confidence
    command = [sys.executable, "-B", "predict.py", "seven.png"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout == f"seven.png: 7 ({confidence:.1%})\n"


class TestCheck:
    def test_finds_no_difference(self, package, model, sample):
        """A package predicts the same class as the app for every test image."""
        result = check.check_package(package, model, sample.test.images, Settings.from_environment())
        assert (result.total, result.different, result.is_same) == (1000, 0, True)
        assert str(result) == "same 1,000 predictions: yes"

    def test_counts_the_differences(self, package, sample):
        """The result for another model counts the images whose predictions differ."""
        other = catalogue.find("drawing", Settings.from_environment())
        images = sample.test.images[:200]
        result = check.check_package(package, other, images, Settings.from_environment())
        assert not result.is_same
        assert 0 < result.different < 100
        assert str(result) == f"same 200 predictions: no: {result.different} of 200 differ"

    @pytest.mark.parametrize(
        "name",
        [
            "predict.py",
            "digits/ink/glyphs.py",
            "models/judge/model.tflite",
            "numpy.py",
            "digits/more.py",
            "numpy.abi3.so",
            "a.pyc",
        ],
    )
    def test_runs_no_foreign_code(self, files, model, sample, tmp_path, name):
        """Code that this version of Digits did not write is never run, wherever it is in the zip."""
        mark = tmp_path / "ran"
        foreign = archives.write_sealed({**files, name: f"open({str(mark)!r}, 'w')".encode()})
        with pytest.raises(InvalidPackage, match="nothing was run"):
            check.check_package(foreign, model, sample.test.images[:10], Settings.from_environment())
        assert not mark.exists()

    def test_reports_an_invalid_model(self, files, model, sample):
        """A card that `predict.py` cannot use is an error, not a difference."""
        broken = archives.write_sealed({**files, "card.json": b"{}"})
        with pytest.raises(InvalidPackage, match="it failed") as caught:
            check.check_package(broken, model, sample.test.images[:10], Settings.from_environment())
        assert "digits-check" not in str(caught.value)

    @pytest.mark.parametrize("name", ["model.tflite", "model.keras"])
    @pytest.mark.parametrize("content", [b"no model", None])
    def test_opens_no_foreign_model(self, files, model, sample, monkeypatch, name, content):
        """Model files that are not those of a model here are never opened."""
        monkeypatch.setattr(limits, "run", lambda *rest, **how: pytest.fail("nothing may run"))
        changed = {**files, name: content} if content else {other: files[other] for other in files if other != name}
        with pytest.raises(InvalidPackage, match=f"{name} must be exactly that of a model here"):
            check.check_package(
                archives.write_sealed(changed), model, sample.test.images[:10], Settings.from_environment()
            )

    def test_tells_a_second_visitor_to_wait(self, package, model, sample, monkeypatch):
        """One package is checked at a time in a process; imports do not wait for it."""
        monkeypatch.setattr(limits, "MAX_WAIT_SECONDS", 0.05)
        said = []
        with check._turns.take(), pytest.raises(TooManyPackages, match="Only one package is checked at a time"):
            check.check_package(
                package, model, sample.test.images[:10], Settings.from_environment(), on_step=said.append
            )
        assert said == ["Waiting for other checks to finish"]


def test_packages_are_written_in_turn(model, monkeypatch):
    """One takes up to 80 MB, and a visitor can press again and again."""
    monkeypatch.setattr(limits, "MAX_WAIT_SECONDS", 0.05)
    for write in (pack.pack, pack.pack_texts):
        with pack._turns.take(), pytest.raises(TooManyPackages, match="Only one package is written at a time"):
            write(model)
        assert write(model)
