"""Benchmarks against the peers: `uv run python -m bench --help`."""
