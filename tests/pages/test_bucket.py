"""A server whose runs lie in a bucket: its pages show them, and say in a sentence when the bucket does not answer."""

import pytest

from digits.runs.hyperparameters import Hyperparameters
from digits.settings import BUNDLED_MODELS_DIR, Settings
from digits.store import open_store

AWAY = "The store that keeps models and checkpoints does not answer. Wait a minute."


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITS_STORE_URL", f"memory://pages-{tmp_path.name}")
    return open_store(Settings.from_environment())


@pytest.fixture
def finished(registry, bucket):
    """A finished run of Ada's with its model; gives its id."""
    run_id = registry.add_imported(
        Hyperparameters(), "ada", name="mine", data="Some.", test_correct=9_000, test_total=10_000
    )
    with bucket.write_folder(run_id) as draft:
        for path in (BUNDLED_MODELS_DIR / "softmax").iterdir():
            (draft / path.name).write_bytes(path.read_bytes())
    return run_id


@pytest.mark.parametrize(("file", "name"), [("train.py", "run"), ("models.py", "model"), ("draw.py", "model")])
def test_a_run_is_shown_and_its_absence_is_told(file, name, finished, bucket, open_page, tidy, monkeypatch):
    """Nothing breaks while the bucket is away, and the page is whole again when it is back."""
    link = {name: finished}
    tidy(open_page(file, **link))

    def fail(*_, **__):
        raise ConnectionError("nobody listens")

    with monkeypatch.context() as patch:
        for call in ("cat_file", "find", "ukey"):
            patch.setattr(bucket._files, call, fail)
        bucket._versions.clear()  # as after a few seconds
        page = open_page(file, **link)
        assert [error.message for error in page.exception] == []
        assert AWAY in [message.value for message in (*page.error, *page.warning)]
    assert tidy(open_page(file, **link)).query_params[name] == finished


@pytest.mark.parametrize("file", ["draw.py", "train.py", "runs.py", "models.py"])
def test_pages_of_bundled_models_need_no_bucket(file, bucket, open_page, tidy, monkeypatch):
    for call in ("cat_file", "find", "ukey"):
        monkeypatch.setattr(bucket._files, call, None)
    tidy(open_page(file))
