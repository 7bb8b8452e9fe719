"""Authenticators: each turns a request into a principal, one module per way."""
