"""Warming up: what the first visitor would wait for is loaded and tried before anyone comes."""

import gc
import time

import numpy as np
import pandas  # noqa: F401 - the canvas would load it

from digits.models import catalogue
from digits.models.reading import read_strokes
from digits.settings import Settings
from digits.views import charts
from pages import _picture, _reading, _sheet, _why  # noqa: F401 - and with them all that pages share


def warm_up(*, head_start_seconds: float = 3.0) -> None:
    """Read a drawing as the Draw page does, then keep what is loaded by now out of every later garbage collection.

    Importing this module has loaded what the first page needs, while its browser starts; that page then comes first.
    Going through the objects of all modules took 70 ms each time, in the middle of somebody's stroke.
    """
    time.sleep(head_start_seconds)
    model = catalogue.find(catalogue.DEFAULT_MODEL, Settings.from_environment())
    reading = read_strokes([np.array([(140, 40), (140, 240)], np.float32)], model)
    charts.probability_bars(reading.probabilities[0], model.class_names)
    gc.collect()
    gc.freeze()
