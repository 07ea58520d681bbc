"""Particulars: the cells of a row that are its own, such as title, code and date, and what is noticed in them."""

import operator
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from node.catalogues.cells import SEPARATOR
from node.catalogues.cleaning import cleaned, is_plain
from node.catalogues.columns import NOT_KEPT_AS_RAW, Columns
from node.catalogues.fields import MANY_COLUMNS, Field
from protocol.findings import Finding, Severity, finding
from protocol.identity_numbers import mask_identity_numbers


class Particulars(NamedTuple):
    """One text for each of these fields of `Field`; empty if the row gives none."""

    ref_code: str
    title: str
    doc_no: str
    date: str
    item_no: str
    page_no: str
    scope: str
    volume_title: str
    archive_code: str
    office_code: str
    old_code: str
    date_from: str
    date_to: str


PARTICULAR_FIELDS: Final = frozenset((*map(Field, Particulars._fields), *MANY_COLUMNS))
"""The fields whose cells differ from row to row, or are understood together with others."""

_IN_ORDER: Final = tuple(map(Field, Particulars._fields))


class Plan(msgspec.Struct, frozen=True):
    """Where the particulars of a sheet's rows stand."""

    columns: Columns
    pick: Callable[[tuple[str, ...]], tuple[str, ...]]
    """Takes the particulars out of a row to which an empty cell was added."""
    code: int | None
    """Column of the reference code."""
    persons: tuple[int, ...]
    identities: tuple[int, ...]
    kept: tuple[tuple[str, int], ...]
    """Header and column of the particulars that never stand in the record word for word."""


def plan_of(columns: Columns) -> Plan:
    """Return where the rows of a sheet have their particulars."""
    places = {field.value: index for field, index in reversed(columns.fields)}
    particular = {index for field, index in columns.fields if field in PARTICULAR_FIELDS - NOT_KEPT_AS_RAW - ECHOED}
    return Plan(
        columns=columns,
        pick=operator.itemgetter(*(places.get(name, -1) for name in Particulars._fields)),
        code=columns.column(Field.REF_CODE),
        persons=tuple(index for field, index in columns.fields if field is Field.PERSON),
        identities=tuple(index for field, index in columns.fields if field is Field.IDENTITY),
        kept=tuple((header, index) for header, index in columns.kept if index in particular),
    )


ECHOED: Final = frozenset(
    (
        *(Field.FONDS_NO, Field.CATEGORY_CODE, Field.CATALOGUE_NO, Field.PROJECT_NO, Field.VOLUME_NO, Field.ITEM_NO),
        *(Field.PAGE_NO, Field.ORG_OR_SUBJECT, Field.FILING_YEAR),
    )
)
"""Fields that a reference code states as well: the cell is kept only where the record says something else."""


class Given:
    """The particulars of one row; lives while the row is described."""

    __slots__ = ("_cells", "_kept", "_plan", "findings", "identities", "persons", "values")

    def __init__(self, cells: tuple[str, ...], plan: Plan) -> None:
        picked = plan.pick((*cells, ""))
        self._cells = cells
        self._plan = plan
        self._kept: list[int] = []
        self.findings: list[Finding] = []
        self.persons = [text for index in plan.persons if (text := cells[index].strip())] if plan.persons else []
        self.identities = [text for index in plan.identities if (text := cells[index].strip())]
        if is_plain(SEPARATOR.join(picked)):
            self.values = Particulars._make([text.strip() for text in picked])
        else:
            self.values = Particulars._make(map(self._cleaned, _IN_ORDER, picked))

    def _cleaned(self, field: Field, cell: str) -> str:
        clean = cleaned(field, cell)
        if clean.text != cell.strip():
            self.keep(field)
        self.findings += clean.findings
        return clean.text

    @property
    def verbatim_code(self) -> str:
        """The reference code with the blanks around it, unless something had to be removed from it."""
        text, column = self.values.ref_code, self._plan.code
        cell = text if column is None else self._cells[column]
        return cell if cell == text or cell.strip() == text else text

    def notice(self, code: str, field: Field, severity: Severity | None = None) -> None:
        """Remember what was noticed in a field."""
        text: str = getattr(self.values, field.value, "")
        self.findings.append(finding(code, field=field.value, value=text, severity=severity))

    def notice_all(self, codes: tuple[str, ...], field: Field) -> None:
        """Remember everything that the reader of a value noticed."""
        for code in codes:
            self.notice(code, field)

    def keep(self, field: Field) -> None:
        """Keep the cell of a field beside the record, because the record does not hold it word for word."""
        column = self._plan.columns.column(field)
        if column is not None and column < len(self._plan.columns.headers):
            self._kept.append(column)

    def raw(self) -> list[tuple[str, str]]:
        """Header and text of the particulars that the record does not hold word for word, identity numbers masked."""
        cells, columns = self._cells, self._plan.columns
        kept = [(header, cells[column]) for header, column in self._plan.kept if cells[column]]
        if self._kept:
            kept += [(columns.headers[column], cells[column]) for column in dict.fromkeys(self._kept)]
        if len(cells) > columns.width:
            kept += [("", cell) for cell in cells[columns.width :] if cell]
        return [(header, mask_identity_numbers(text)[0]) for header, text in kept] if kept else kept
