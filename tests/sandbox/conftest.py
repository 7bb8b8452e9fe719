import pytest

from sandbox import running


@pytest.fixture(scope="module")
def served():
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served):
    """The module's sandbox, as it was when it started."""
    yield served
    served.heal()
    served.requests.clear()
    served.accept_access_tokens = served.legacy_details = served.instructions_as_text = False
    served.introspection = "user_jwt"
