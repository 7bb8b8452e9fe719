"""An app that wants out: its request fails, its sandbox lives."""

import base64
import json

import pytest

from tests.support.runtime_api import runtime_api
from tests.support.sandbox import sandbox

from .events import function_url

pytestmark = pytest.mark.anyio

APP = "tests.lambda_asgi.exiting.app"


@pytest.mark.parametrize("path", ["/exit-at-once", "/exit-later"])
async def test_an_app_that_exits_is_a_500_and_the_sandbox_goes_on(path):
    async with runtime_api() as api, sandbox(APP, api.address):
        assert (await api.call(function_url(path))).prelude["statusCode"] == 500
        assert (await api.call(function_url("/small"))).payload == b"ok"


async def test_an_app_that_exits_midway_is_told_in_the_trailers():
    async with runtime_api() as api, sandbox(APP, api.address):
        sent = await api.call(function_url("/exit-midway"))
        assert sent.trailers["lambda-runtime-function-error-type"] == "Function.AppExitError"
        failure = json.loads(base64.b64decode(sent.trailers["lambda-runtime-function-error-body"]))
        assert failure["errorMessage"] == "The app called for the end of the process: SystemExit(0)."
        assert (await api.call(function_url("/small"))).payload == b"ok"
