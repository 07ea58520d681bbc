"""Filters in the words of the index: what a query's fields, and those around it, let through, as marks.

A rare filter then narrows a common word within the index, before any entry is looked at. Sites are few, so patterns and
names are resolved to the sites that they mean; where most are meant, the others are excluded.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from hub.membership import keyring
from hub.sites.board import matches
from protocol.analysis import fold
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.marks import ACCESS, FONDS, KIND, LEVEL, SITE, mark
from protocol.plans import Selection, marked
from protocol.query_fields import Field
from replication.dialects import rows_of


class Narrowing(msgspec.Struct, frozen=True, kw_only=True):
    """What every hit passes."""

    wanted: tuple[Expression, ...] = ()
    unwanted: tuple[Expression, ...] = ()
    is_empty: bool = False
    """No entry can pass: none of the sites that are meant has any."""

    def of(self, expression: Expression | None) -> Expression | None:
        """Return what finds the entries of an expression that pass; None asks for nothing.

        What must not be found needs something to be taken from: ``leaves_out`` tells if there is nothing.
        """
        parts = tuple(part for part in (expression, *self.wanted) if part is not None)
        if not parts:
            return None
        found = parts[0] if len(parts) == 1 else AllOf(parts=parts)
        return Without(wanted=found, unwanted=_any(self.unwanted)) if self.unwanted else found

    @property
    def leaves_out(self) -> Expression | None:
        """What must not be found, if nothing is asked for that it could be taken from."""
        return _any(self.unwanted) if self.unwanted and not self.wanted else None


def narrowing_of(
    connection: Connection, site_glob: str, values: Sequence[tuple[str, str]], selections: Sequence[Selection]
) -> Narrowing:
    """Return what filters ask of the index.

    Args:
        connection: the catalogue.
        site_glob: site codes, with ``*`` and ``?``.
        values: sign of a mark and the value that it must have; an empty value does not narrow.
        selections: filters within the query.

    """
    wanted: list[Expression] = [_run(mark(sign, value)) for sign, value in values if value]
    unwanted: list[Expression] = []
    of_sites = [one for one in selections if one.field is Field.SITE]
    for selection in selections:
        if selection.field is Field.SITE or (expression := marked(selection)) is None:
            continue
        (unwanted if selection.is_excluded else wanted).append(expression)
    if site_glob or of_sites:
        known = [site for (site,) in rows_of(connection, "SELECT DISTINCT site FROM site_epoch ORDER BY site")]
        chosen = {site for site in known if matches(site, site_glob)}
        for selection in of_sites:
            meant = _meant(connection, known, selection.values)
            chosen = chosen - meant if selection.is_excluded else chosen & meant
        if not chosen:
            return Narrowing(is_empty=True)
        others = [site for site in known if site not in chosen]
        if others and len(others) < len(chosen):
            unwanted += [_run(mark(SITE, site)) for site in others]
        elif others:
            wanted.append(_any([_run(mark(SITE, site)) for site in sorted(chosen)]))
    return Narrowing(wanted=tuple(wanted), unwanted=tuple(unwanted))


def filter_values(fonds_no: str, kind: str, access_status: str, level: str) -> tuple[tuple[str, str], ...]:
    """Return the values of filters with the signs of their marks."""
    return ((FONDS, fonds_no), (KIND, kind), (ACCESS, access_status), (LEVEL, level))


def _meant(connection: Connection, known: Sequence[str], values: Sequence[str]) -> set[str]:
    """The sites that some values mean: the beginning of a code, a code, or a part of a name."""
    names = {one.site: fold(one.name) for one in keyring.expected_sites(connection)}
    meant: set[str] = set()
    for value in values:
        beginning, wanted = value.rstrip("*"), fold(value.rstrip("*"))
        if value.endswith("*"):
            meant |= {site for site in known if site.startswith(beginning)}
        elif value in known:
            meant.add(value)
        else:
            meant |= {site for site in known if wanted and wanted in names.get(site, "")}
    return meant


def _run(term: str) -> Run:
    return Run(terms=(term,), columns=(Column.MARKS,))


def _any(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else AnyOf(parts=tuple(parts))
