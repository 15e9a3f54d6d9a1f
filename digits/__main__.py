"""The command line: `python -m digits COMMAND`, or `digits COMMAND` if Digits is installed."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from digits import package_commands, sweep_command, train_command
from digits.accuracy import accuracy
from digits.data import datasets, drawings, sets, strangers
from digits.errors import DigitsError, FileTooLarge, InvalidHyperparameter, InvalidImage
from digits.limits import read_file
from digits.models import answers, cards, catalogue, drawn_accuracy
from digits.models.figures import Strangers
from digits.models.reading import Reading, read_picture
from digits.runs.hyperparameters import as_markdown as hyperparameters_as_markdown
from digits.settings import MAX_UPLOAD_BYTES, Settings
from digits.views import gallery as galleries
from digits.views import strangers as tables

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_STRANGERS = Path()  # as a folder to measure on: real handwriting, of people from whom nothing was learned


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 for success, 1 if a file could not be read or written, 130 after Ctrl-C, 2 for any other
        error.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options, Settings.from_environment())
    except DigitsError as error:
        print(f"digits: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"digits: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("digits: interrupted; nothing was saved.", file=sys.stderr)
        return 130


def _predict(options: argparse.Namespace, settings: Settings) -> int:
    model = catalogue.find(options.model, settings)
    status = 0
    for path in options.files:
        try:
            reading = read_picture(read_file(path, max_bytes=MAX_UPLOAD_BYTES, what="A picture"), model)
            if not reading.digits:
                raise InvalidImage(answers.NO_INK.remark)
        except (OSError, InvalidImage, FileTooLarge) as error:
            print(f"digits: {path}: {error}", file=sys.stderr)
            status = 1
            continue
        print(f"{path}: {_describe(reading, model.class_names)}")
    return status


def _describe(reading: Reading, class_names: Sequence[str]) -> str:
    """Return the reading with its probabilities: three classes for one digit, else the best class of each digit."""
    said = answers.answer(reading, class_names)
    text = said.text.replace("\n", " ")
    if reading.doubtful:
        return f"{text}  {said.remark}"
    if len(reading.digits) == 1:
        shares = reading.probabilities[0]
        answer, shown = text, [(i, shares[i]) for i in shares.argsort()[::-1][:3]]
    else:
        answer = f"{text}  {reading.confidence:.1%}"
        shown = [(shares.argmax(), shares.max()) for shares in reading.probabilities]
    return f"{answer}  ({', '.join(f'{class_names[i]} {share:.1%}' for i, share in shown)})"


def _gallery(options: argparse.Namespace, settings: Settings) -> int:
    model = catalogue.find(options.model, settings)
    dataset = sets.find(model.card.dataset).load_test(settings)
    labels, probabilities = dataset.test.labels, model.test_probabilities(dataset)
    predicted = probabilities.argmax(axis=1)
    class_index = None
    if options.only_class is not None:
        if options.only_class not in dataset.class_names:
            raise InvalidHyperparameter(
                f"`--class` must be one of {', '.join(dataset.class_names)}; received {options.only_class!r}."
            )
        class_index = dataset.class_names.index(options.only_class)
    choice = galleries.Choice(
        max(0, options.hundred - 1), options.shuffle, False if options.mistakes else None, class_index
    )
    page = galleries.choose(labels, probabilities, choice)
    right = int((labels[page.rows] == predicted[page.rows]).sum())
    title = (
        f"{model.title}: {right} of these {len(page.rows)}, "
        f"{(labels == predicted).mean():.1%} of all {len(labels):,} test images"
    )
    sheet = galleries.contact_sheet(
        dataset.test.images[page.rows], labels[page.rows], predicted[page.rows], dataset.class_names, title
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(sheet)
    print(f"{title}. Written to {options.output}.")
    return 0


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    models = [catalogue.find(name, settings) for name in options.models] or catalogue.bundled()
    if options.drawn == _STRANGERS:
        return _evaluate_strangers(models, options, settings)
    if options.drawn:
        for as_picture in (False, True):
            given = drawings.load_examples(options.drawn, datasets.CLASS_NAMES, as_picture=as_picture)
            print(given.description)
            for model in models:
                print(f"{model.id:20} {drawn_accuracy.measure(model, given)}")
        return 0
    for name, rivals in _by_data(models).items():
        dataset = sets.find(name).load_test(settings)
        print(dataset.description)
        for model in rivals:
            measured = accuracy(model.recogniser.probabilities(dataset.test.images), dataset.test.labels)
            print(f"{model.id:20} {measured}")
    return 0


def _evaluate_strangers(models: Sequence[catalogue.Model], options: argparse.Namespace, settings: Settings) -> int:
    """Measure models on real handwriting, print what they read by source and by class, and write it if asked to."""
    found_by: dict[str, Strangers] = {}
    for name, rivals in _by_data(models).items():
        groups = _announced(strangers.load_for(settings, options.most, sets.find(name).labels))
        measured = drawn_accuracy.measure_strangers(rivals, groups)
        found_by |= {model.id: found for model, found in zip(rivals, measured, strict=True)}
    for model in models:
        found = found_by[model.id]
        print(f"\n{model.title}: {tables.in_words(found)}\n")
        print(tables.as_text(tables.by_source(found)), tables.as_text(tables.by_class(found)), sep="\n\n")
        if options.write:
            cards.write(model.folder / catalogue.CARD, dataclasses.replace(model.card, strangers=found))
    return 0


def _by_data(models: Sequence[catalogue.Model]) -> dict[str, list[catalogue.Model]]:
    """Group models by the data set that they read."""
    groups: dict[str, list[catalogue.Model]] = {}
    for model in models:
        groups.setdefault(model.card.dataset, []).append(model)
    return groups


def _announced(groups: Iterable[strangers.Group]) -> Iterator[strangers.Group]:
    for group in groups:
        print(f"{strangers.TITLES[group.source]}, {group.way}: {len(group.drawings):,}", file=sys.stderr, flush=True)
        yield group


def _models(options: argparse.Namespace, settings: Settings) -> int:
    for model in catalogue.bundled():
        if options.json:
            card = json.loads((model.folder / catalogue.CARD).read_text(encoding="utf-8"))
            print(json.dumps(card, ensure_ascii=False))
        else:
            read = tables.headline(model.strangers) if model.strangers else "strangers' drawings not measured"
            print(f"{model.id:20} {model.title}: test {model.test_accuracy}; {read}")
    return 0


def _hyperparameters(options: argparse.Namespace, settings: Settings) -> int:
    print(hyperparameters_as_markdown())
    return 0


def _upgrade_registry(options: argparse.Namespace, settings: Settings) -> int:
    from digits.runs import database  # here, because other commands need no database

    database.Database(settings.registry_url).close()
    print(f"The registry's tables are up to date, at revision {database.REVISION}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    name = "digits" if Path(sys.argv[0]).stem == "digits" else "python -m digits"
    parser = argparse.ArgumentParser(prog=name, description="Train, use and inspect digit recognisers.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train_command.add(commands)
    sweep_command.add(commands)
    _add_predict(commands)
    _add_gallery(commands)
    _add_evaluate(commands)
    models = commands.add_parser("models", help="list the bundled models")
    models.add_argument("--json", action="store_true", help="print the cards, one a line")
    models.set_defaults(run=_models)
    package_commands.add(commands)
    table = commands.add_parser("hyperparameters", help="print every hyperparameter as a Markdown table")
    table.set_defaults(run=_hyperparameters)
    registry = commands.add_parser("db", help="look after the run registry").add_subparsers(required=True)
    upgrade = registry.add_parser("upgrade", help="create its tables, or upgrade those of an earlier version")
    upgrade.set_defaults(run=_upgrade_registry)
    return parser


def _add_predict(commands: Commands) -> None:
    predict = commands.add_parser("predict", help="read the digit or the number in picture files")
    predict.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PNG, JPEG, WebP, GIF, BMP or HEIC")
    _add_model(predict)
    predict.set_defaults(run=_predict)


def _add_gallery(commands: Commands) -> None:
    gallery = commands.add_parser("gallery", help="write 100 test samples with their predictions as a PNG")
    gallery.add_argument("--output", type=Path, default=Path("gallery.png"), help="(default: %(default)s)")
    gallery.add_argument("--hundred", type=int, default=1, help="which hundred images, counting from 1")
    gallery.add_argument("--shuffle", type=_seed, metavar="SEED", help="shuffle the images with this seed")
    gallery.add_argument("--mistakes", action="store_true", help="only misread images")
    gallery.add_argument("--class", dest="only_class", metavar="CLASS", help="only images of this class")
    _add_model(gallery)
    gallery.set_defaults(run=_gallery)


def _add_evaluate(commands: Commands) -> None:
    evaluate = commands.add_parser("evaluate", help="measure models on the test images, or on drawings")
    evaluate.add_argument("models", nargs="*", metavar="MODEL", help="names or run ids (default: the bundled models)")
    evaluate.add_argument(
        "--drawn",
        type=Path,
        nargs="?",
        const=_STRANGERS,
        metavar="FOLDER",
        help="measure on drawings instead: on a folder's *.json of labelled strokes, or pictures in folders by class; "
        "without a folder, on people from whom nothing was learned, by source and by class",
    )
    evaluate.add_argument(
        "--most", type=_from_one, metavar="N", help="at most so many of these people's drawings a source"
    )
    evaluate.add_argument("--write", action="store_true", help="write what these people's drawings give to the cards")
    evaluate.set_defaults(run=_evaluate)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default=catalogue.DEFAULT_MODEL, help="a bundled model or a run's id (default: %(default)s)"
    )


def _from_one(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1; received {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0; received {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
