"""The build: an installed copy depends on what requirements.txt pins, its extras on requirements-<extra>.txt."""

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Reads the dependencies from the files of requirements, so that they are pinned in one place."""

    def update(self, metadata: dict) -> None:
        """Add `dependencies` and `optional-dependencies` to the project's metadata."""
        metadata["dependencies"] = self._read("requirements.txt")
        metadata["optional-dependencies"] = {
            extra: self._read(f"requirements-{extra}.txt") for extra in ("postgres", "cluster", "gpu")
        }

    def _read(self, name: str) -> list[str]:
        lines = (Path(self.root) / name).read_text(encoding="utf-8").splitlines()
        requirements = (line.partition("#")[0].strip() for line in lines)
        return [requirement for requirement in requirements if requirement]
