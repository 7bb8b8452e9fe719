"""AWS as a real server on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


@contextmanager
def aws_server() -> Iterator[None]:
    """A moto server on a free port, and the SDK's own variables (see its "endpoint_url" guide) pointing at it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
                monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            yield
    finally:
        server.stop()
