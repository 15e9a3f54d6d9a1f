"""Digits: train, draw and inspect handwritten-character recognisers."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow and LiteRT read it when they load; errors still show

__version__ = "0.1.0"
