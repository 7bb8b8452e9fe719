"""A sandbox that hosts the apps beside this file, on a Runtime API that the test scripts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.runtime_api import FakeRuntimeApi, runtime_api
from tests.support.sandbox import Sandbox, sandbox

APPS = "tests.lambda_asgi.apps"


@asynccontextmanager
async def hosted(app: str = "routes", **env: str) -> AsyncIterator[tuple[FakeRuntimeApi, Sandbox]]:
    async with runtime_api() as api, sandbox(f"{APPS}.{app}", api.address, env=env) as box:
        yield api, box


@pytest.fixture
async def running() -> AsyncIterator[tuple[FakeRuntimeApi, Sandbox]]:
    async with hosted() as both:
        yield both
