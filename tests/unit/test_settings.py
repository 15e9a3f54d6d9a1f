"""settings: environment variables choose the paths, and every path has a default."""

import tomllib
from pathlib import Path

import pytest

from digits.settings import BUNDLED_MODELS_DIR, MAX_PACKAGE_BYTES, PROJECT_DIR, Settings


class TestSettings:
    def test_have_defaults(self):
        """By default runs are below the models, and MNIST may be downloaded."""
        settings = Settings.from_environment({})
        assert settings.data_dir is None
        assert settings.runs_dir == BUNDLED_MODELS_DIR / "runs"
        assert settings.registry_url == f"sqlite:///{BUNDLED_MODELS_DIR / 'runs' / 'registry.sqlite'}"
        assert settings.keras_home == Path.home() / ".keras"
        assert settings.may_download
        assert settings.tensorboard_dir is None

    def test_follow_the_environment(self, tmp_path):
        """Every variable changes its setting."""
        settings = Settings.from_environment(
            {
                "DIGITS_DATA_DIR": str(tmp_path / "data"),
                "DIGITS_RUNS_DIR": str(tmp_path / "runs"),
                "KERAS_HOME": str(tmp_path / "keras"),
                "DIGITS_DOWNLOAD": "0",
                "DIGITS_TENSORBOARD_DIR": str(tmp_path / "logs"),
            }
        )
        assert (settings.data_dir, settings.runs_dir) == (tmp_path / "data", tmp_path / "runs")
        assert settings.registry_url == f"sqlite:///{tmp_path / 'runs' / 'registry.sqlite'}"
        assert settings.keras_home == tmp_path / "keras"
        assert not settings.may_download
        assert settings.tensorboard_dir == tmp_path / "logs"

    def test_pass_on_the_registrys_url(self):
        """The URL of the registry is returned unchanged."""
        url = "postgresql://somewhere/digits"
        assert Settings.from_environment({"DIGITS_REGISTRY_URL": url}).registry_url == url

    def test_may_give_a_number_of_trainers(self):
        """Without one, a server starts a trainer only where the registry has none; nonsense is refused by its name."""
        for text, expected in (("", None), ("0", 0), ("3", 3)):
            assert Settings.from_environment({"DIGITS_TRAINERS": text}).trainers == expected
        with pytest.raises(ValueError, match=r"DIGITS_TRAINERS should be a whole number from 0; it is 'many'"):
            Settings.from_environment({"DIGITS_TRAINERS": "many"})

    def test_ignore_an_empty_variable(self):
        """An empty variable counts as unset."""
        empty = dict.fromkeys(("DIGITS_DATA_DIR", "DIGITS_RUNS_DIR", "KERAS_HOME", "DIGITS_REGISTRY_URL"), "")
        assert Settings.from_environment(empty) == Settings.from_environment({})


def test_the_upload_limit_is_streamlits():
    """The page and the package code have the same limit on the size of a file."""
    config = tomllib.loads((PROJECT_DIR / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] * 1024 * 1024 == MAX_PACKAGE_BYTES
