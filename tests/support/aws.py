"""AWS as a real server on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

REGION = "us-east-1"


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
"""What opens nothing; botocore signs nothing without any."""


class _Silent(MotoRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Tell nobody: tests read what the server under test logs."""


@contextmanager
def moto() -> Iterator[str]:
    """The URL of a moto server on a free port. It decides conditions without a lock: see `dynamodb_proxy.proxy`."""
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    # moto's own ThreadedMotoServer looks twice a second whether to stop.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def aws_server() -> Iterator[None]:
    """A moto server, and the SDK's own variables (see its "endpoint_url" guide) pointing at it."""
    with moto() as url, pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        yield
