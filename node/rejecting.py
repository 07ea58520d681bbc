"""Temporary stand-in."""

from collections.abc import Sequence
from pathlib import Path

from node.files import RejectedRow


def write_rejects(_source: Path, _rows: Sequence[RejectedRow]) -> None:
    """Write nothing."""
