"""settings: the environment says where things lie, and what it leaves out has a sensible place."""

import tomllib
from pathlib import Path

from digits.settings import BUNDLED_MODELS_DIR, MAX_PACKAGE_BYTES, PROJECT_DIR, Settings


class TestSettings:
    def test_have_a_place_for_everything(self):
        """An empty environment keeps runs below the models, and may fetch MNIST."""
        settings = Settings.from_environment({})
        assert settings.data_dir is None
        assert settings.runs_dir == BUNDLED_MODELS_DIR / "runs"
        assert settings.registry_url == f"sqlite:///{BUNDLED_MODELS_DIR / 'runs' / 'registry.sqlite'}"
        assert settings.keras_home == Path.home() / ".keras"
        assert settings.may_download
        assert settings.tensorboard_dir is None

    def test_are_what_the_environment_says(self, tmp_path):
        """Every variable moves what it names."""
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

    def test_let_the_registry_lie_elsewhere(self):
        """The registry's address can be any that SQLAlchemy knows."""
        url = "postgresql://somewhere/digits"
        assert Settings.from_environment({"DIGITS_REGISTRY_URL": url}).registry_url == url

    def test_take_an_empty_variable_for_none(self):
        """A variable set to nothing is as good as not set."""
        empty = dict.fromkeys(("DIGITS_DATA_DIR", "DIGITS_RUNS_DIR", "KERAS_HOME", "DIGITS_REGISTRY_URL"), "")
        assert Settings.from_environment(empty) == Settings.from_environment({})


def test_the_upload_limit_is_streamlits():
    """The page refuses the same files as the code behind it."""
    config = tomllib.loads((PROJECT_DIR / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] * 1024 * 1024 == MAX_PACKAGE_BYTES
