"""One server of each kind for all the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.support.client_documents import ClientDocuments, client_documents
from tests.support.oauth_service import KINDS, Service, service


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientDocuments]:
    """Where clients publish their metadata documents."""
    with client_documents(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module", params=KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, site: ClientDocuments
) -> Iterator[Service]:
    """A server that fetches documents from the site."""
    with service(request.param, tmp_path_factory.mktemp(request.param), site) as running:
        yield running
