from collections.abc import Iterator

import pytest

from tests.support.auth_server import Running, auth_server
from tests.support.granting import Dance, new_dance


@pytest.fixture
def dance(auth: Running) -> Dance:
    """A user and a public client of it."""
    return new_dance(auth)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An authorization server for all of a module's tests that leave nothing behind."""
    with auth_server(tmp_path_factory.mktemp("auth")) as running:
        yield running
