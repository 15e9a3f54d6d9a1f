"""A server that answers as S3 does, for the tests that need a bucket."""

import pytest

from tests import s3


@pytest.fixture(scope="session")
def s3_server():
    """The variables with which `DIGITS_STORE_URL` leads to a bucket."""
    with s3.serve() as variables:
        yield variables
