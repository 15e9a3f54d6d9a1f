"""Remarks: what the disk refuses is said until it is mended, and never ends a run."""

import errno

import pytest

from digits.training.remarks import Remarks

NO_COPY = "The copy could not be saved"
FULL = "The copy could not be saved: No space left on device. Free some space on the disk."


@pytest.fixture
def remarks():
    remarks = Remarks("A checkpoint was damaged.")
    with remarks.tolerating(NO_COPY):
        raise OSError(errno.ENOSPC, "No space left on device")
    return remarks


def test_what_the_disk_refuses_is_said_after_the_notice(remarks):
    assert str(remarks) == f"A checkpoint was damaged. {FULL}"
    remarks.add(NO_COPY, "It is tried again.")
    assert str(remarks).endswith(f"{FULL} It is tried again.")


def test_it_is_said_until_it_succeeds(remarks):
    with remarks.tolerating("No checkpoint could be written"):
        pass
    assert remarks.has(NO_COPY)
    with remarks.tolerating(NO_COPY):
        pass
    assert not remarks.has(NO_COPY)
    assert str(remarks) == "A checkpoint was damaged."


def test_other_errors_are_raised(remarks):
    with pytest.raises(KeyError), remarks.tolerating(NO_COPY):
        raise KeyError("weights")
