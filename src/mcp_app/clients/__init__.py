"""Outbound HTTP: one module per service that the tools call."""
