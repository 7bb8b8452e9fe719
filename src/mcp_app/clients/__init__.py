"""Outbound HTTP: one module per service that the tools call."""


class Clients:
    """Placeholder replaced by the tools engineer."""
