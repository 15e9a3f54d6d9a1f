"""The exceptions that Digits raises on purpose.

DigitsError
├── InvalidHyperparameter (ValueError)
├── InvalidSetting (ValueError)
├── InvalidImage (ValueError)
├── TooManyPictures
├── FileTooLarge (ValueError)
├── InvalidText (ValueError)
├── DatasetError
│   ├── DatasetUnavailable
│   ├── DatasetCorrupt
│   ├── TermsForbidTraining
│   ├── InvalidSet (ValueError)
│   └── NotYourSet
├── ModelNotFound (LookupError)
├── CannotTeach
├── ExportMismatch
├── InvalidPackage (ValueError)
├── TooManyPackages
├── PackageNotStored
├── RegistryUnavailable
│   └── RegistryBusy
├── StoreUnavailable (OSError)
├── ClusterUnusable
├── SweepError
│   ├── InvalidSweep (ValueError)
│   ├── SweepNotFound (LookupError)
│   ├── NotYourSweep (PermissionError)
│   ├── SweepEnded
│   └── SweepBusy
└── RunError
    ├── RunNotFound (LookupError)
    ├── NotYourRun (PermissionError)
    ├── RunAlreadyFinished
    ├── RunBusy
    ├── LeaseLost
    ├── TooManyRuns
    ├── QuotaReached
    ├── CheckpointUnusable
    └── TrainingDiverged (ArithmeticError)

A message states what was expected, what was received, and what to do. Pages and the command line catch only
`DigitsError` and show its message. Any other exception is a bug and is not caught.
"""


class DigitsError(Exception):
    """The base class of all exceptions here."""


class InvalidHyperparameter(DigitsError, ValueError):
    """A hyperparameter is unknown or outside its declared range."""


class InvalidSetting(DigitsError, ValueError):
    """An environment variable has a value that cannot be used."""


class InvalidImage(DigitsError, ValueError):
    """A picture or a drawing cannot be read as an image."""


class TooManyPictures(DigitsError):
    """Others' pictures are being decoded, or the visitor keeps as many as are allowed."""


class FileTooLarge(DigitsError, ValueError):
    """A file on the command line has more bytes than such a file may have."""


class InvalidText(DigitsError, ValueError):
    """A name or a note is too long."""


class DatasetError(DigitsError):
    """A data set cannot be used."""


class DatasetUnavailable(DatasetError):
    """A data set or one of its files is missing."""


class DatasetCorrupt(DatasetError):
    """A data set's file is truncated, altered or in another format."""


class TermsForbidTraining(DatasetError):
    """A data set may be measured on, but no model that learned from it may be given to others."""


class InvalidSet(DatasetError, ValueError):
    """A set of drawings, or a file of them, cannot be taken as it is."""


class NotYourSet(DatasetError):
    """The set of drawings belongs to another visitor; only its owner may change it."""


class ModelNotFound(DigitsError, LookupError):
    """No model has this name, or its files are missing or invalid."""


class CannotTeach(DigitsError):
    """A model cannot learn from corrections: there are none for it, or it is of another version."""


class ExportMismatch(DigitsError):
    """An exported model and the trained model predict differently."""


class InvalidPackage(DigitsError, ValueError):
    """A file is not a valid package of a model."""


class TooManyPackages(DigitsError):
    """The visitor has imported as many models as are allowed, or other packages are being checked."""


class PackageNotStored(DigitsError):
    """An imported model cannot be written to this server's disk."""


class RegistryUnavailable(DigitsError):
    """The run registry cannot be opened, read or written."""


class RegistryBusy(RegistryUnavailable):
    """The run registry is locked, its connection failed or its disk is full; the same request may succeed later."""


class StoreUnavailable(DigitsError, OSError):
    """The store of runs' files does not answer; the same request may succeed later."""


class ClusterUnusable(DigitsError):
    """The cluster that should train cannot be used: it does not answer, or something that it needs is missing."""


class SweepError(DigitsError):
    """The base class of errors about a sweep."""


class InvalidSweep(SweepError, ValueError):
    """A sweep's space or budget cannot be used."""


class SweepNotFound(SweepError, LookupError):
    """No sweep has this id."""


class NotYourSweep(SweepError, PermissionError):
    """The sweep belongs to another visitor; only its owner may control it."""


class SweepEnded(SweepError):
    """The sweep has ended, or is not in the state that the command needs."""


class SweepBusy(SweepError):
    """The sweep is still running or paused; the request needs one that has ended."""


class RunError(DigitsError):
    """The base class of errors about a training run."""


class RunNotFound(RunError, LookupError):
    """No run has this id."""


class NotYourRun(RunError, PermissionError):
    """The run belongs to another visitor; only its owner may change it."""


class RunAlreadyFinished(RunError):
    """The run has ended; a finished run never changes."""


class RunBusy(RunError):
    """The run is still queued, training or paused; the request needs a run that has ended."""


class LeaseLost(RunError):
    """The run has ended, or another trainer has taken it over; this trainer must not write it any more."""


class TooManyRuns(RunError):
    """The visitor, or the whole queue, has as many waiting runs as are allowed."""


class QuotaReached(RunError):
    """The visitor, or everybody together, has used what the server's quotas allow."""


class CheckpointUnusable(RunError):
    """A checkpoint belongs to another network or version, so training cannot continue from it."""


class TrainingDiverged(RunError, ArithmeticError):
    """The loss or the weights became infinite or NaN."""
