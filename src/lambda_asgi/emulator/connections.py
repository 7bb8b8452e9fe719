"""Shuts down a frozen process's TCP connections from outside, as a peer or a firewall does while a sandbox sleeps."""

import ctypes
import os
import socket
import sys
from contextlib import suppress

_PIDFD_GETFD = 438  # The same number on every architecture; Linux 5.6 and later.


def _descriptors(pid: int) -> list[int]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 (names alone are wanted)
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):  # noqa: PTH115 (not a path)
                found.append(int(name))
    return found


def _shut_down(duplicate: int, spared: int) -> bool:
    with socket.socket(fileno=duplicate) as connection:
        if connection.family not in {socket.AF_INET, socket.AF_INET6} or connection.type != socket.SOCK_STREAM:
            return False
        if connection.getpeername()[1] == spared:
            return False
        connection.shutdown(socket.SHUT_RDWR)
        return True


def drop_connections(pid: int, spared: int) -> int:
    """Shut down every TCP connection of a process except those to the port `spared`; return how many.

    The process sees the end of the stream when it next uses one. Needs the right to trace the process, which a parent
    of the same user has. Raises OSError where the system has no such call or refuses.
    """
    if sys.platform != "linux":
        raise OSError("connections of another process can be shut down on Linux alone")
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        count = 0
        for descriptor in _descriptors(pid):
            duplicate = libc.syscall(_PIDFD_GETFD, handle, descriptor, 0)
            if duplicate < 0:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
            with suppress(OSError):
                count += _shut_down(duplicate, spared)
        return count
    finally:
        os.close(handle)
