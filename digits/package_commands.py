"""The commands for packages: `python -m digits export|check|import`."""

import argparse
from pathlib import Path

from digits.data import sets
from digits.errors import InvalidPackage
from digits.limits import read_file
from digits.models import catalogue
from digits.packages import archives, check, claims, completion, intake, pack
from digits.runs.registry import open_registry
from digits.runs.visitors import new_token
from digits.settings import MAX_PACKAGE_BYTES, Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three commands to the command line.

    Args:
        commands: what `ArgumentParser.add_subparsers` returned.
    """
    export = commands.add_parser("export", help="write a model and everything that belongs to it as one zip")
    export.add_argument("model", metavar="MODEL", help="a bundled model or a run's id")
    export.add_argument("--output", type=Path, metavar="FILE", help="(default: digits-NETWORK-MODEL.zip)")
    export.set_defaults(run=_export)

    check = commands.add_parser("check", help="check whether a package predicts what its model predicts here")
    check.add_argument("file", type=Path, metavar="FILE", help="a zip that `export` or the Models page wrote")
    check.add_argument("--model", help="the model to compare with (default: the one that its card names)")
    check.set_defaults(run=_check)

    import_ = commands.add_parser("import", help="check a package and add its model")
    import_.add_argument("file", type=Path, metavar="FILE", help="a zip that `export` or the Models page wrote")
    import_.add_argument("--name", help="the model's name on the pages (default: its card's title)")
    import_.set_defaults(run=_import)


def _export(options: argparse.Namespace, settings: Settings) -> int:
    model = catalogue.find(options.model, settings)
    output = options.output or Path(pack.file_name(model))
    package = pack.pack(model, open_registry(settings.registry_url))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(package)
    print(f"{model.title}: {len(package):,} bytes in {output}.")
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    package = _read(options.file)
    model = catalogue.find(options.model or _model_id_in(package), settings)
    dataset = sets.find(model.card.dataset).load_test(settings)
    print(dataset.description)
    result = check.check_package(package, model, dataset.test.images, settings, with_keras=True, on_step=print)
    print(result)
    return 0 if result.is_same else 1


def _import(options: argparse.Namespace, settings: Settings) -> int:
    registry = open_registry(settings.registry_url)
    run_id = intake.import_package(
        _read(options.file),
        name=options.name or "",
        registry=registry,
        settings=settings,
        owner=new_token(),  # a new one: the model is in no visitor's list, and everyone who has its id may use it
        on_step=print,
    )
    completion.complete(run_id, registry, settings, on_step=print)
    print(f"{run_id}: test {catalogue.find(run_id, settings).test_accuracy}")
    return 0


def _read(path: Path) -> bytes:
    return read_file(path, max_bytes=MAX_PACKAGE_BYTES, what="A package")


def _model_id_in(package: bytes) -> str:
    """Return the model's id that a package's card states."""
    if model_id := check.model_id(archives.read(package, {catalogue.CARD: claims.MAX_JSON_BYTES})):
        return model_id
    raise InvalidPackage("A package's card must name its model; this one does not. Give --model.")
