"""The build: an installed copy depends on what requirements.txt pins."""

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Reads the dependencies from requirements.txt, so that they are pinned in one place."""

    def update(self, metadata: dict) -> None:
        """Add `dependencies` to the project's metadata."""
        lines = (Path(self.root) / "requirements.txt").read_text(encoding="utf-8").splitlines()
        requirements = (line.partition("#")[0].strip() for line in lines)
        metadata["dependencies"] = [requirement for requirement in requirements if requirement]
