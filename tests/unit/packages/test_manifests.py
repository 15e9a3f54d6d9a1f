"""manifests: impossible statements are refused, and code is refused before the file is opened."""

import contextlib
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.errors import InvalidPackage
from digits.models import catalogue
from digits.packages import archives, manifests, pack
from digits.runs.hyperparameters import Change
from digits.runs.schema import METRIC_NAMES
from digits.settings import BUNDLED_MODELS_DIR, Settings

CLASSES = tuple("0123456789")
FILES = archives.read(pack.pack(catalogue.find("softmax", Settings.from_environment())))
HISTORY = ",".join(METRIC_NAMES) + "\n50,0.1,1.5,0.5,,\n100,0.2,1.0,0.75,0.9,0.8\n"


def changed_json(name, **facts):
    """Return the package with some fields of a JSON file changed; None removes a field."""
    changed = {key: value for key, value in (json.loads(FILES[name]) | facts).items() if value is not None}
    return {**FILES, name: json.dumps(changed).encode()}


def keras_with(change=lambda config: config, **members):
    """Return the package with its Keras file's config changed by a function, and with further members."""
    parts = archives.read(FILES["model.keras"])
    config = json.loads(parts["config.json"])
    parts["config.json"] = json.dumps(change(config) or config).encode()
    return {**FILES, "model.keras": archives.write({**parts, **members})}


@pytest.mark.parametrize("name", [model.id for model in catalogue.bundled()])
def test_every_bundled_model_is_valid(name):
    """The Keras files that Digits writes are accepted."""
    manifests.check_keras((BUNDLED_MODELS_DIR / name / "model.keras").read_bytes())


def test_returns_the_packages_statements():
    """The manifest contains the hyperparameters, the data, the changes and the history, if there is one."""
    applied = {"step": 60, "name": "learning_rate", "old": 0.5, "value": 0.1}
    planned = {"step": 80, "name": "dropout", "old": None, "value": 0.1}
    files = changed_json("hyperparameters.json", changes=[applied, planned]) | {"history.csv": HISTORY.encode()}
    manifest = manifests.read(files, CLASSES)
    assert (manifest.hyperparameters.network, manifest.step) == ("softmax", 1000)
    assert manifest.data.startswith("MNIST: 54,152 training")
    assert manifest.changes == (Change(**applied), Change(**planned))
    assert [row["val_accuracy"] for row in manifest.history] == [None, 0.8]


def test_accepts_every_description_that_digits_writes(sample):
    """The description of the small data set contains all the punctuation that descriptions use."""
    assert manifests.read(changed_json("card.json", data=sample.description), CLASSES).data == sample.description


@pytest.mark.parametrize("name", manifests.REQUIRED_FILES)
def test_each_required_file_must_be_present(name):
    """The error names the missing file."""
    files = {other: content for other, content in FILES.items() if other != name}
    with pytest.raises(InvalidPackage, match=f"{name} is missing"):
        manifests.read(files, CLASSES)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"class_names": list("0123")}, "`class_names` must be the classes 0, 1"),
        ({"class_names": "0123456789"}, "`class_names`"),
        ({"title": "x" * 81}, "`title` must be up to 80"),
        ({"title": 7}, "`title`"),
        ({"data": "![](http://tracker/pixel)"}, "`data` must be up to 500 letters"),
        ({"data": "See http://tracker"}, "`data`"),
        ({"data": "See WWW.tracker.com"}, "`data`"),
        ({"data": None}, "`data`"),
        ({"temperature": 0}, "`temperature`: expected"),
        ({"temperature": float("nan")}, "`temperature`"),
        ({"temperature": float("inf")}, "`temperature`"),
        ({"temperature": True}, "`temperature`"),
        ({"test": {"correct": 11, "total": 10}}, "`test`: `correct` must lie in"),
        ({"test": {"correct": True, "total": 10}}, "`test.correct`"),
        ({"test": [1, 2]}, "`test`"),
        ({"seconds": -1}, "`seconds`: expected"),
        ({"seconds": 1e10}, "`seconds`"),
        ({"seconds": "long"}, "`seconds`: expected"),
        ({"train_images": 1.5}, "`train_images`"),
        ({"train_images": 10**12}, "`train_images`"),
        ({"step": -1}, "`step`"),
        ({"step": 1001}, "`step` must be .*1,000"),
        ({"hyperparameters": {"network": "resnet"}}, "`network` must be one of"),
        ({"hyperparameters": {"learning_rate": 7}}, "`learning_rate` must lie in"),
        ({"hyperparameters": {"__class__": "os.system"}}, "unknown `__class__`"),
        ({"hyperparameters": {"network": []}}, "`network` must be one of"),
        ({"hyperparameters": [1]}, "`hyperparameters`: expected `object`"),
        ({"weights": "x" * 9000}, "`weights`"),
        ({"hyperparameters": {"network": "softmax"}}, "the same settings"),
    ],
    ids=str,
)
def test_an_impossible_card_is_refused(facts, complaint):
    """The error names the field that is wrong."""
    with pytest.raises(InvalidPackage, match=complaint):
        manifests.read(changed_json("card.json", **facts), CLASSES)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{" * 100_000, b"9" * 10_000, b" " * 300_000], ids=len)
def test_a_card_must_be_json(content):
    """Text that is not a JSON object, is nested too deeply or is too long is refused."""
    with pytest.raises(InvalidPackage, match=r"card\.json"):
        manifests.read({**FILES, "card.json": content}, CLASSES)


@pytest.mark.parametrize(
    "change",
    [
        {"step": 60, "name": "network", "old": 0.5, "value": 0.1},
        {"step": 1001, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": 60, "name": "dropout", "old": 0.5, "value": 2},
        {"step": 60, "name": ["dropout"], "old": 0.5, "value": 0.1},
        {"step": 60},
        {"step": None, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": True, "name": "dropout", "old": 0.5, "value": 0.1},
        {"step": 60, "name": "dropout", "old": 0.5, "value": 10**400},
        60,
    ],
    ids=str,
)
def test_impossible_changes_are_refused(change):
    """A change needs a hyperparameter that can change, a completed iteration and a value in range."""
    with pytest.raises(InvalidPackage, match="must list changes"):
        manifests.read(changed_json("hyperparameters.json", changes=[change]), CLASSES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("step,", "stop,"),
        ("0.8", "1.8"),
        ("0.8", "nan"),
        ("1.5", "=cmd()"),
        ("100,", "50,"),
        ("100,", "1001,"),
        ("0.8\n", "\n200,0.3\n"),
        ("0.8\n", "0.8,9,9\n200,\x00\n"),
    ],
)
def test_an_invalid_history_is_refused(old, new):
    """The columns, the order of the steps and the ranges of the values are validated."""
    with pytest.raises(InvalidPackage, match=r"history\.csv must be"):
        manifests.read({**FILES, "history.csv": HISTORY.replace(old, new).encode()}, CLASSES)


def _lambda(config):
    code = {"class_name": "__lambda__", "config": {"code": "4wAAAAA=", "defaults": None, "closure": None}}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "evil", "function": code}}
    config["config"]["layers"].insert(1, layer)


def _foreign_function(config):
    function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
    config["config"]["layers"][-2]["config"]["activation"] = function


def _registered(config):
    config["config"]["layers"][1]["registered_name"] = "Evil>Layer"


def _other_module(config):
    config["config"]["layers"][1]["module"] = "evil.layers"


def _activation(config):
    config["config"]["layers"][-2]["config"]["activation"] = "evil>activation"


def _compiled(config):
    config["compile_config"] = {"optimizer": "adam"}


def _without_module(config):
    del config["config"]["layers"][1]["module"]


def _odd_types(config):
    config["config"]["layers"][1]["class_name"] = ["Dense"]


@pytest.mark.parametrize(
    "change",
    [_lambda, _foreign_function, _registered, _other_module, _activation, _compiled, _without_module, _odd_types],
)
def test_a_keras_file_with_code_is_refused(change):
    """Lambda layers, functions and foreign layers are refused without opening the file."""
    with pytest.raises(InvalidPackage, match=r"model\.keras (may|must)"):
        manifests.read(keras_with(change), CLASSES)


def test_a_keras_file_with_a_pickle_is_refused():
    """A pickle is refused beside the weights and in place of the whole file."""
    pickle = b"cos\nsystem\n(S'echo evil'\ntR."
    with pytest.raises(InvalidPackage, match=r"\['config\.json', 'metadata\.json'.*weights\.pkl"):
        manifests.read(keras_with(**{"weights.pkl": pickle}), CLASSES)
    with pytest.raises(InvalidPackage, match=r"must be a Keras file"):
        manifests.read({**FILES, "model.keras": pickle}, CLASSES)


def test_a_keras_file_that_is_a_bomb_is_refused():
    """The Keras file, a zip inside the zip, has the same limit on its unpacked size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for _ in range(3):
            archive.writestr(f"{len(archive.namelist())}", bytes(archives.MAX_UNPACKED_BYTES // 2))
    with pytest.raises(InvalidPackage, match=f"{archives.MAX_UNPACKED_BYTES:,} bytes"):
        manifests.read({**FILES, "model.keras": stream.getvalue()}, CLASSES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*json.loads(FILES["card.json"]), "step"]), JSON)
def test_any_card_is_accepted_or_refused(name, value):
    """Any JSON value in a card is accepted or raises `InvalidPackage`."""
    with contextlib.suppress(InvalidPackage):
        manifests.read(changed_json("card.json", **{name: value}), CLASSES)


@given(st.sampled_from(["module", "class_name", "config", "registered_name", "name", "build_config"]), JSON)
def test_any_keras_config_is_accepted_or_refused(name, value):
    """Any JSON value in a layer's config is accepted or raises `InvalidPackage`."""

    def change(config):
        config["config"]["layers"][1][name] = value

    with contextlib.suppress(InvalidPackage):
        manifests.read(keras_with(change), CLASSES)
