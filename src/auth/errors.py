"""What the authorization server refuses, under the codes that clients know."""

from typing import ClassVar


class OAuthError(Exception):
    """An error of an OAuth endpoint (RFC 6749, sections 4.1.2.1 and 5.2).

    Attributes:
        code: the `error` member.
        status: the HTTP status of a direct reply.
        description: one sentence for whoever wrote the client; holds nothing that came from it.
        retry_after: seconds to wait, where waiting helps.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.retry_after = retry_after


class InvalidRequestError(OAuthError):
    """A parameter is missing, repeated or malformed."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """The client is unknown, or did not authenticate."""

    code = "invalid_client"
    status = 401


class InvalidGrantError(OAuthError):
    """The code or refresh token is not good, or not this client's."""

    code = "invalid_grant"


class UnauthorizedClientError(OAuthError):
    """The client may not use this grant type."""

    code = "unauthorized_client"


class UnsupportedGrantTypeError(OAuthError):
    """There is no such grant type here."""

    code = "unsupported_grant_type"


class UnsupportedTokenTypeError(OAuthError):
    """Tokens of this kind cannot be revoked one by one (RFC 7009, section 2.2.1)."""

    code = "unsupported_token_type"


class UnsupportedResponseTypeError(OAuthError):
    """Only `code` is served."""

    code = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """The scope is unknown, or more than was granted."""

    code = "invalid_scope"


class InvalidTargetError(OAuthError):
    """The resource is not this server's (RFC 8707, section 2)."""

    code = "invalid_target"


class AccessDeniedError(OAuthError):
    """The user said no."""

    code = "access_denied"
    status = 403


class InvalidRedirectUriError(OAuthError):
    """A redirect URI that no client may have (RFC 7591, section 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuthError):
    """Client metadata that cannot be used (RFC 7591, section 3.2.2)."""

    code = "invalid_client_metadata"


class TooManyRequestsError(OAuthError):
    """A limit was reached; `retry_after` says for how long."""

    code = "temporarily_unavailable"
    status = 429


class TemporarilyUnavailableError(OAuthError):
    """The store or the key service gave no answer; clients keep their credentials and try again."""

    code = "temporarily_unavailable"
    status = 503
