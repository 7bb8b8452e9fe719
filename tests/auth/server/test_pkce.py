import pytest

from auth.server.pkce import challenge_of, is_challenge, proves

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
MALFORMED = ["", "a" * 42, "a" * 129, VERIFIER[:-1] + "=", VERIFIER[:-1] + "é", VERIFIER + "\n"]


def test_the_example_of_the_rfc_proves_itself() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE
    assert proves(VERIFIER, CHALLENGE)
    assert is_challenge(CHALLENGE)


@pytest.mark.parametrize("verifier", MALFORMED)
def test_a_malformed_verifier_proves_nothing_not_even_its_own_hash(verifier: str) -> None:
    assert not proves(verifier, challenge_of(verifier))


@pytest.mark.parametrize("verifier", [CHALLENGE, VERIFIER[::-1]])
def test_another_verifier_or_the_challenge_itself_proves_nothing(verifier: str) -> None:
    assert not proves(verifier, CHALLENGE)


@pytest.mark.parametrize("value", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE + "=", CHALLENGE[:-1] + "+", "plain"])
def test_what_no_hash_can_be_is_no_challenge(value: str) -> None:
    assert not is_challenge(value)
