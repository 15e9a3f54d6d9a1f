"""Digits: train, draw and inspect handwritten-character recognisers."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow and LiteRT read it when they load; errors still show
# TensorFlow's own allocator doubles its pools, and keeps them: 150 MB after one run for drawings.
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")

__version__ = "0.1.0"
