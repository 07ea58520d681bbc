"""Options of a transfer as a person writes them."""

import pytest

from node.commands.transfer_options import years_of
from protocol.errors import BadValue


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", (None, None)),
        ("2012", (2012, 2012)),
        ("2010-2015", (2010, 2015)),
        ("-1990", (None, 1990)),
        ("2001—", (2001, None)),
    ],
)
def test_years_are_read(written: str, expected: tuple[int | None, int | None]) -> None:
    assert years_of(written) == expected


@pytest.mark.parametrize("written", ["20", "201²", "²⁰¹²", "2010-15", "x"])
def test_what_is_no_year_is_refused_in_words(written: str) -> None:
    with pytest.raises(BadValue):
        years_of(written)
