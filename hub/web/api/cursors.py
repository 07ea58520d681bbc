"""Cursors of lists that are paged by a number: sealed as those of searches are, and checked the same way."""

from hub.searching.cursors import Cursor, opened, sealed


def next_cursor(list_name: str, filters: str, last: int | None) -> str:
    """Return the cursor of the page behind a line; empty where there is none."""
    return (
        ""
        if last is None
        else sealed(Cursor(stage=0, below=last, ceiling=last, floor=0), _identity(list_name, filters))
    )


def place_in(list_name: str, filters: str, cursor: str) -> int | None:
    """Return the number behind which a page begins; None for the first page.

    Raises:
        BadSetting: the cursor was altered, or is of another list.

    """
    return opened(cursor, _identity(list_name, filters)).below if cursor else None


def _identity(list_name: str, filters: str) -> bytes:
    return f"{list_name}\n{filters}".encode("utf-8", "replace")
