"""What can go wrong with a command."""


class CommandError(Exception):
    """The command cannot do what it was asked; the message says why and what to do instead."""
