"""Opinions: what several models read in one drawing, and why the simplest of them differs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from digits.models import weights
from digits.models.catalogue import Model
from digits.why import explanations, regions

_REACH = 1.5  # pixels, the standard deviation of the blur that joins nearby evidence


@dataclass(frozen=True)
class Opinion:
    """What one model reads in an image.

    Attributes:
        model: the model.
        class_index: its predicted class.
        confidence: the probability of that class, in [0, 1].
    """

    model: Model
    class_index: int
    confidence: float

    @property
    def reads(self) -> str:
        """The name of the predicted class."""
        return self.model.class_names[self.class_index]


def ask(models: Sequence[Model], image: np.ndarray) -> list[Opinion]:
    """Run each model on an image.

    Args:
        models: in the order in which the opinions are returned.
        image: uint8 (28, 28), 0 is paper and 255 is ink.
    """
    opinions = []
    for model in models:
        probabilities = model.probabilities(image[np.newaxis])[0]
        best = int(probabilities.argmax())
        opinions.append(Opinion(model, best, float(probabilities[best])))
    return opinions


def difference(opinions: Sequence[Opinion], image: np.ndarray) -> str:
    """Explain in a line why a model that is one linear map predicts another class than one with filters.

    Args:
        opinions: of models with the same classes. The last model with filters is the one compared.
        image: uint8 (28, 28), the image of these opinions.

    Returns:
        The line; "" if the two models agree, if no ink speaks for the linear model's class, or if one of them is
        missing.
    """
    linear = next((one for one in opinions if weights.load(one.model.folder).linear is not None), None)
    filters = next((one for one in reversed(opinions) if weights.load(one.model.folder).filters is not None), None)
    if linear is None or filters is None or linear.class_index == filters.class_index:
        return ""
    evidence = explanations.find_evidence(
        linear.model, image, class_for=linear.class_index, class_against=filters.class_index
    )
    speaking = scipy.ndimage.gaussian_filter(np.maximum(evidence.map, 0), _REACH)
    box = regions.box(image)
    if box is None or not speaking.any():
        return ""
    row, column = np.unravel_index(int(speaking.argmax()), speaking.shape)
    where = regions.WHERE[regions.region(float(row), float(column), box)]
    return (
        f"{linear.model.title} only adds up ink by its position, and the ink {where} speaks for {linear.reads}; "
        f"the {filters.model.title.lower()} finds strokes wherever they are."
    )
