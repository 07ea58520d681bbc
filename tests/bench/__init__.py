"""Benchmarks; `python -m tests.bench` prints their table."""
