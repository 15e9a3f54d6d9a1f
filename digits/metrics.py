"""Counts of what this process has done, for Prometheus."""

from prometheus_client import Counter

ANSWERS = Counter("digits_answers", "Drawings and pictures read.")
ERRORS = Counter("digits_errors", "Pages that met an unforeseen error.")
