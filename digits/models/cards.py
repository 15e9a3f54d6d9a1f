"""Cards: what is known of a model, in a type that is checked where a card is read."""

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from digits.accuracy import Accuracy
from digits.errors import ModelNotFound
from digits.models.calibration import TEMPERATURES
from digits.models.identity import Weights

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]  # a stranger's package has a card too: no number without a limit
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Temperature = Annotated[float, msgspec.Meta(ge=TEMPERATURES[0], le=TEMPERATURES[1])]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a model, as its `card.json` holds it.

    Unknown fields, as of a later version of Digits, are ignored. No file loses them: only a new model's card is written
    from this type, and `calibration.write_temperature` changes its one field in the JSON.

    Attributes:
        id: the model's name in links (`identity.ModelId`) and its folder's.
        title: what the pages call it.
        order: its network's place among the presets, the simplest first.
        class_names: what it tells apart, in the order of its probabilities.
        data: a sentence on the data set.
        train_images: how many images it learned from.
        hyperparameters: as `Hyperparameters.to_dict` gives them; unchecked, because another version has others.
        test: its accuracy on the test images.
        versions: those of Python and of the packages that it was made with.
        date: the day it was saved on, in UTC.
        command: what trains it again.
        seconds: how long it trained.
        precision: what it was trained in, such as "float32".
        run: the id of the run that it is from; None for a model trained on the command line.
        weights: which of that run's weights it has.
        step: the iteration that its weights are from.
        temperature: what its logits are divided by (`calibration`); 1 on a card from before there were temperatures.
        drawn: its accuracy on drawings; None where there were none to measure it on.
    """

    id: str
    title: str
    order: int
    class_names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    data: str
    train_images: _Count
    hyperparameters: Mapping[str, Any]
    test: Accuracy
    versions: Mapping[str, str] = field(default_factory=dict)
    date: datetime.date | None = None
    command: str | None = None
    seconds: _Seconds | None = None
    precision: str | None = None
    run: str | None = None
    weights: Weights | None = None
    step: _Count | None = None
    temperature: _Temperature = 1.0
    drawn: Accuracy | None = None

    @property
    def network(self) -> str:
        """The name of its network, as `hyperparameters.PRESETS` has it; empty where its settings name none."""
        name = self.hyperparameters.get("network")
        return name if isinstance(name, str) else ""

    @classmethod
    def from_dict(cls, facts: Any) -> "Card":
        """Read a card from what its JSON holds.

        Raises:
            ValueError: a field is missing, of another type or out of range; the message names it.
        """
        try:
            return msgspec.convert(facts, cls)
        except msgspec.ValidationError as error:
            complaint, _, path = str(error).partition(" - at `$.")
            complaint = complaint[0].lower() + complaint[1:100]
            if path:
                received = facts[re.split(r"[.\[`]", path)[0]]
                complaint = f"`{path}: {complaint}; received {ascii(received)[:80]}"
            raise ValueError(complaint) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON's types; what is not known is left out."""
        facts = msgspec.to_builtins(self)
        facts |= {"test": self.test.to_dict(), "drawn": self.drawn and self.drawn.to_dict()}
        # `drawn` stays, as null: it says that nothing was measured.
        return {name: fact for name, fact in facts.items() if fact is not None or name == "drawn"}

    def to_json(self) -> str:
        """Return the text of `card.json`."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> Card:
    """Return the card in a file; raises `ModelNotFound` where there is none, or none that can be used."""
    name = path.parent.name
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelNotFound(f"{name}'s card should be JSON; {error}. Train the model again.") from error
    try:
        return Card.from_dict(facts)
    except ValueError as error:
        raise ModelNotFound(f"{name}'s card should be as Digits writes it; {error}. Train the model again.") from error
