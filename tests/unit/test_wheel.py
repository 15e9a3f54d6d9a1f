"""The wheel: what `pip install .` installs, checked from the declarations without a build."""

import importlib
import importlib.util
import sys
import tomllib
import types
from pathlib import Path

import pytest

from digits.models import catalogue
from digits.models.judge import JUDGE_DIR
from digits.settings import PROJECT_DIR

PYPROJECT = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


def load(path, name, monkeypatch):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


class TestWheel:
    def test_has_a_command(self):
        """The script `digits` names a function that exists."""
        module, _, function = PYPROJECT["project"]["scripts"]["digits"].partition(":")
        assert callable(getattr(importlib.import_module(module), function))

    def test_holds_one_package(self):
        """Only `digits` can be imported; the pages stay in the clone."""
        assert WHEEL["packages"] == ["digits"]

    def test_contains_the_files_outside_the_package(self):
        """It contains every bundled model, the judge, the pinned versions and the licence, but no run."""
        bundled = {f"models/{model.id}" for model in catalogue.bundled()}
        beside = {f"models/{JUDGE_DIR.name}", "requirements.txt", "LICENSE"}
        assert WHEEL["force-include"] == {name: f"digits/_bundled/{name}" for name in bundled | beside}
        assert all((PROJECT_DIR / name).exists() for name in WHEEL["force-include"])

    def test_depends_on_the_pinned_versions(self, monkeypatch):
        """The dependencies are the lines of requirements.txt, without their comments."""
        interface = types.ModuleType("hatchling.metadata.plugin.interface")
        interface.MetadataHookInterface = object  # the build tool is not installed for the tests
        monkeypatch.setitem(sys.modules, interface.__name__, interface)
        hook = load(PROJECT_DIR / "hatch_build.py", "hatch_build", monkeypatch).CustomMetadataHook()
        hook.root, metadata = str(PROJECT_DIR), {}
        hook.update(metadata)
        lines = (PROJECT_DIR / "requirements.txt").read_text(encoding="utf-8").splitlines()
        assert metadata["dependencies"] == [line.split(" #")[0] for line in lines if not line.startswith("#")]
        assert 'uvloop==0.23.0; sys_platform != "win32"' in metadata["dependencies"]
        (driver,) = metadata["optional-dependencies"]["postgres"]
        assert driver.startswith("psycopg[binary]==")


class TestInstalledCopy:
    @pytest.fixture
    def settings(self, tmp_path, monkeypatch):
        """The settings module, imported from an installed copy."""
        (tmp_path / "digits" / "_bundled" / "models").mkdir(parents=True)
        path = tmp_path / "digits" / "settings.py"
        path.write_bytes((PROJECT_DIR / "digits" / "settings.py").read_bytes())
        return load(path, "installed_settings", monkeypatch)

    def test_finds_its_models_inside_the_package(self, settings, tmp_path):
        """A clone's `models/` is `digits/_bundled/models` in a wheel."""
        assert settings.BUNDLED_MODELS_DIR.relative_to(tmp_path).as_posix() == "digits/_bundled/models"

    @pytest.mark.parametrize(
        ("platform", "environment", "expected"),
        [
            ("linux", {}, Path.home() / ".local/share/digits/runs"),
            ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/digits/runs")),
            ("darwin", {}, Path.home() / "Library/Application Support/digits/runs"),
            ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/digits/runs")),
            ("linux", {"DIGITS_RUNS_DIR": "/runs"}, Path("/runs")),
        ],
    )
    def test_keeps_runs_among_the_users_data(self, settings, monkeypatch, platform, environment, expected):
        """Runs are written to the user's data folder, never to site-packages."""
        monkeypatch.setattr(sys, "platform", platform)
        assert settings.Settings.from_environment(environment).runs_dir == expected.resolve()
