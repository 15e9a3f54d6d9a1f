"""Every error that Digits raises on purpose, as one family.

DigitsError
├── InvalidHyperparameter (ValueError)
├── InvalidImage (ValueError)
├── InvalidText (ValueError)
├── DatasetError
│   ├── DatasetUnavailable
│   └── DatasetCorrupt
├── ModelNotFound (LookupError)
├── ExportMismatch
├── InvalidPackage (ValueError)
├── TooManyPackages
├── RegistryUnavailable
└── RunError
    ├── RunNotFound (LookupError)
    ├── NotYourRun (PermissionError)
    ├── RunAlreadyFinished
    ├── RunBusy
    ├── TooManyRuns
    └── TrainingDiverged (ArithmeticError)

A message says what was expected, what came, and what to do. Pages and the command line catch
`DigitsError` alone and show its message; anything else is a bug and stays loud.
"""


class DigitsError(Exception):
    """The root of the family."""


class InvalidHyperparameter(DigitsError, ValueError):
    """A hyperparameter lies outside its declared range or is not known."""


class InvalidImage(DigitsError, ValueError):
    """A picture or a drawing cannot be read as an image."""


class InvalidText(DigitsError, ValueError):
    """A name or a note is too long."""


class DatasetError(DigitsError):
    """A data set cannot be used."""


class DatasetUnavailable(DatasetError):
    """A data set, or one of its files, is not there."""


class DatasetCorrupt(DatasetError):
    """A data set's file is there but is truncated, altered or of another format."""


class ModelNotFound(DigitsError, LookupError):
    """No model has this name, or its files are gone."""


class ExportMismatch(DigitsError):
    """An exported model does not predict what the trained one predicts."""


class InvalidPackage(DigitsError, ValueError):
    """A zip file is no model's package, or is not what it says it is."""


class TooManyPackages(DigitsError):
    """The visitor has brought as many models as are allowed, or other packages are being checked."""


class RegistryUnavailable(DigitsError):
    """The run registry cannot be opened, read or written."""


class RunError(DigitsError):
    """Something about a training run."""


class RunNotFound(RunError, LookupError):
    """No run has this id."""


class NotYourRun(RunError, PermissionError):
    """The run belongs to another visitor, who alone may command it."""


class RunAlreadyFinished(RunError):
    """The run has ended; a finished run never changes."""


class RunBusy(RunError):
    """The run is still queued, training or paused; what was asked needs one that has ended."""


class TooManyRuns(RunError):
    """The visitor, or the whole queue, has as many waiting runs as are allowed."""


class TrainingDiverged(RunError, ArithmeticError):
    """The loss became infinite or not a number."""
