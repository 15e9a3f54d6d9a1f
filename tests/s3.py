"""A server of moto on this machine that answers as S3 does, with one bucket."""

import contextlib
import logging
from collections.abc import Iterator

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextlib.contextmanager
def serve() -> Iterator[dict[str, str]]:
    """Start a server, and yield the variables with which `DIGITS_STORE_URL` leads to its bucket."""
    for package in ("s3fs", "moto.server"):
        pytest.importorskip(package, reason=f"{package} is not installed: requirements-cluster-dev.txt")
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        made = dict(zip(("aws_access_key_id", "aws_secret_access_key", "region_name"), KEYS.values(), strict=True))
        boto3.client("s3", endpoint_url=url, **made).create_bucket(Bucket="digits")
        yield {**KEYS, "AWS_ENDPOINT_URL": url, "DIGITS_STORE_URL": "s3://digits/runs"}
    finally:
        server.stop()
