"""Opinions: one drawing read by several models, and why the simplest of them differs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from digits.models import weights
from digits.models.catalogue import Model
from digits.why import explanations, regions

_REACH = 1.5  # pixels, over which ink that speaks for a class is taken together


@dataclass(frozen=True)
class Opinion:
    """What a model reads in an image, and the probability that it gives to that class."""

    model: Model
    class_index: int
    confidence: float

    @property
    def reads(self) -> str:
        return self.model.class_names[self.class_index]


def ask(models: Sequence[Model], image: np.ndarray) -> list[Opinion]:
    """Let each model read an image uint8 (28, 28), 0 is paper and 255 is ink."""
    opinions = []
    for model in models:
        probabilities = model.probabilities(image[np.newaxis])[0]
        best = int(probabilities.argmax())
        opinions.append(Opinion(model, best, float(probabilities[best])))
    return opinions


def difference(opinions: Sequence[Opinion], image: np.ndarray) -> str:
    """Say in a line why a model that is one linear map reads another class than one with filters.

    Args:
        opinions: of models with the same classes; the last with filters speaks for them.
        image: the image uint8 (28, 28) that they are on.

    Returns:
        The line; "" where they agree, no ink speaks for the linear one's class, or there are no two such models.
    """
    linear = next((one for one in opinions if weights.load(one.model.folder).linear is not None), None)
    filters = next((one for one in reversed(opinions) if weights.load(one.model.folder).filters is not None), None)
    if linear is None or filters is None or linear.class_index == filters.class_index:
        return ""
    evidence = explanations.weigh(linear.model, image, class_for=linear.class_index, class_against=filters.class_index)
    speaking = scipy.ndimage.gaussian_filter(np.maximum(evidence.map, 0), _REACH)
    box = regions.box(image)
    if box is None or not speaking.any():
        return ""
    row, column = np.unravel_index(int(speaking.argmax()), speaking.shape)
    where = regions.WHERE[regions.region(row, column, box)]
    return (
        f"{linear.model.title} only adds up ink by its place, and the ink {where} speaks for {linear.reads}; "
        f"the {filters.model.title.lower()} finds strokes wherever they lie."
    )
