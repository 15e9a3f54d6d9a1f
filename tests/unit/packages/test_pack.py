"""packages and proofs: one zip holds all of a model, and reads the test images as the app does."""

import csv
import dataclasses
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digits.errors import InvalidPackage, ModelNotFound
from digits.models import catalogue, textweights
from digits.models.reading import read_picture
from digits.packages import archives, check, pack
from digits.runs.hyperparameters import Change, Hyperparameters
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
    def test_are_all_that_was_promised(self, files):
        """Keras, LiteRT, text, card, settings, preprocessing and predict.py are there, and only the code needed."""
        code = {name for name in files if name.endswith(".py")}
        assert {"model.keras", "model.tflite", "weights.txt", "const.txt", "card.json", "README.md"} <= set(files)
        assert {"hyperparameters.json", "requirements.txt", "LICENSE", "predict.py"} <= set(files)
        assert code == {"predict.py", *pack.modules()}
        stems = {Path(name).stem for name in pack.modules()}
        assert {"glyphs", "segmentation", "pictures", "reading", "judge", "recogniser", "__init__"} <= stems
        assert not {"catalogue", "runs", "training"} & stems
        assert set(files) == {*pack.code(), *pack.DATA_FILES} - {"history.csv"}

    def test_are_the_same_bytes_every_time(self, model, package):
        """No clock is in it, so a package can be recognised by its checksum."""
        assert pack.pack(model) == package

    def test_hold_the_apps_own_code(self, files):
        """What turns ink into 28×28 is the app's, to the byte, and so can never differ from it."""
        for name in pack.modules():
            assert files[name] == (PROJECT_DIR / name).read_bytes()

    def test_pin_what_they_need(self, files):
        """The versions are those that the app runs on."""
        pinned = (PROJECT_DIR / "requirements.txt").read_text(encoding="utf-8")
        lines = files["requirements.txt"].decode().splitlines()
        assert {line.split("==")[0] for line in lines} == {"numpy", "pillow", "scipy", "ai-edge-litert"}
        assert all(line in pinned for line in lines)

    def test_have_a_program_of_twenty_lines(self, files):
        """predict.py can be read at a glance."""
        text = files["predict.py"].decode().split('"""')[2]
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("import", "from"))]
        assert len(lines) <= 20

    def test_name_every_file_in_the_readme(self, files):
        """Who opens the zip finds out what each thing is."""
        readme = files["README.md"].decode()
        assert all(f"`{name}`" in readme for name in files if name not in ("README.md",) and "digits/" not in name)
        assert "no history" in readme
        assert "{" not in readme

    def test_hold_the_weights_as_text(self, files, model):
        """The texts load with NumPy as the numbers in the Keras file."""
        kernel, bias = (weight.values for weight in textweights.read(model.folder / "model.keras"))
        assert np.loadtxt(io.BytesIO(files["weights.txt"])) == pytest.approx(kernel, rel=1e-4)
        assert np.loadtxt(io.BytesIO(files["const.txt"])) == pytest.approx(bias, rel=1e-4)

    def test_give_the_texts_alone_too(self, files, model):
        """A zip of the two texts, the same to the letter."""
        texts = archives.read(pack.pack_texts(model))
        assert texts == {name: files[name] for name in ("weights.txt", "const.txt")}

    def test_of_a_run_have_its_history_and_its_turned_knobs(self, model, registry, runs_dir):
        """Up to the iteration that the weights are from, and no further."""
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

    def test_of_a_model_whose_files_are_gone_cannot_be_had(self, model, tmp_path):
        """A file that is missing is told by name."""
        folder = shutil.copytree(model.folder, tmp_path / "half")
        (folder / "model.tflite").unlink()
        with pytest.raises(ModelNotFound, match=r"model\.tflite"):
            pack.pack(catalogue.Model("half", folder, model.card))


def test_unpacked_it_names_the_digit_in_a_picture(files, model, seven, tmp_path):
    """`python predict.py seven.png`, in a folder far from the app, says 7, as sure as the app says it."""
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "seven.png").write_bytes(seven)
    confidence = read_picture(seven, model).confidence
    command = [sys.executable, "-B", "predict.py", "seven.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"seven.png: 7 ({confidence:.1%})\n"


class TestProof:
    def test_says_yes(self, package, model, sample):
        """A package reads every test image as the app does."""
        proof = check.check_package(package, model, sample.test.images, Settings.from_environment())
        assert str(proof) == "same 1,000 predictions: yes"

    def test_counts_what_differs(self, package, sample):
        """Set against another model, it says on how many images they differ."""
        other = catalogue.find("drawing", Settings.from_environment())
        images = sample.test.images[:200]
        proof = check.check_package(package, other, images, Settings.from_environment())
        assert not proof.is_same
        assert 0 < proof.different < 100
        assert str(proof) == f"same 200 predictions: no: {proof.different} of 200 differ"

    @pytest.mark.parametrize(
        "name",
        [
            "predict.py",
            "digits/ink/glyphs.py",
            "models/judge.npz",
            "numpy.py",
            "digits/more.py",
            "numpy.abi3.so",
            "a.pyc",
        ],
    )
    def test_runs_no_strange_code(self, files, model, sample, tmp_path, name):
        """Code that this version of Digits did not write is never run, wherever it lies in the zip."""
        mark = tmp_path / "ran"
        strange = archives.write({**files, name: f"open({str(mark)!r}, 'w')".encode()})
        with pytest.raises(InvalidPackage, match="nothing was run"):
            check.check_package(strange, model, sample.test.images[:10], Settings.from_environment())
        assert not mark.exists()

    def test_fails_in_words_where_the_model_is_none(self, files, model, sample):
        """A .tflite that cannot be read is told as such, not as a difference."""
        broken = archives.write({**files, "model.tflite": b"no model"})
        with pytest.raises(InvalidPackage, match="it failed"):
            check.check_package(broken, model, sample.test.images[:10], Settings.from_environment())
