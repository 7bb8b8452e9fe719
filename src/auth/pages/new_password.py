"""A new password, chosen by whoever knows the old one."""

import hmac
from collections.abc import Mapping

from auth.errors import TooManyRequestsError
from auth.pages.render import too_often
from auth.passwords import UnfitPasswordError
from auth.records import User
from auth.server.server import AuthorizationServer
from auth.sign_in import SignInRefusedError


class ChangeRefusedError(Exception):
    """The password stays as it was; the message is for the person, and holds no password.

    Attributes:
        field: the name of the form's field that has to change.
        retry_after: seconds to wait, where waiting helps.
    """

    def __init__(self, field: str, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.field = field
        self.retry_after = retry_after


async def changed(server: AuthorizationServer, user: User, form: Mapping[str, str], address: str) -> User:
    """Change a user's password as a form says; grants and sessions of before are dead then.

    Args:
        server: where the user is.
        user: who is signed in.
        form: `current`, `new` and `repeated`.
        address: where the request comes from.

    Raises:
        ChangeRefusedError: the old password is wrong, or the new one not fit.
        StoreUnavailableError: the store does not answer.
    """
    current, new, repeated = (form.get(name, "") for name in ("current", "new", "repeated"))
    if not hmac.compare_digest(new.encode(), repeated.encode()):
        raise ChangeRefusedError("repeated", "The new password is not the same in both places.")
    try:
        await server.limits.sign_in(user.username, address)
        return await server.users.change_password(user, new, current=current)
    except UnfitPasswordError as error:
        raise ChangeRefusedError("new", str(error)) from None
    except (SignInRefusedError, TooManyRequestsError) as error:
        raise _refused(error.retry_after) from None


def _refused(seconds: int | None) -> ChangeRefusedError:
    if seconds is None:
        return ChangeRefusedError("current", "That is not your current password.")
    return ChangeRefusedError("current", too_often(seconds), seconds)
