"""Warm-up: load and run, before the first visit, what the first visitor would otherwise wait for."""

import gc
import time

import numpy as np
import pandas  # noqa: F401 - the canvas needs it

from digits.models import catalogue
from digits.models.reading import read_strokes
from digits.settings import Settings
from digits.views import charts
from digits.why import neighbours
from pages import _picture, _reading, _sheet, _why  # noqa: F401 - these import everything that the pages share


def warm_up(*, head_start_seconds: float = 3.0) -> None:
    """Read a drawing as the Draw page does, then exclude all loaded objects from garbage collection.

    Importing this module already loads what the first page needs. The work here starts later, so that it does not delay
    that page. A garbage collection over the objects of all modules took 70 ms, in the middle of a visitor's stroke.

    Args:
        head_start_seconds: how long to wait before starting.
    """
    time.sleep(head_start_seconds)
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    reading = read_strokes([np.array([(140, 40), (140, 240)], np.float32)], model)
    charts.probability_bars(reading.probabilities[0], model.class_names)
    neighbours.find(model, reading.digits[0].glyph.image)
    gc.collect()
    gc.freeze()
