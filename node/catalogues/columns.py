"""Which column of a sheet holds which field: the mapping that a whole sheet is read by, worked out once."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from node.catalogues.fields import MANY_COLUMNS, SERIAL_RANK, Field, meaning_of, plain_header
from protocol.findings import Finding, finding
from protocol.vocabularies import Level

FINGERPRINT_BYTES: Final = 16
"""Bytes of a mapping's fingerprint."""

NAMING_FIELDS: Final = frozenset((Field.TITLE, Field.VOLUME_TITLE, Field.REF_CODE, Field.DOC_NO))
"""A catalogue names its records by one of these; a sheet without any is something else."""

CATALOGUE_FIELDS: Final = frozenset(Field) - {Field.SEQUENCE, Field.NOTE}
"""Fields that tell a catalogue from another table: many tables have a running number and a remark."""

RECOGNISED_FIELDS_MIN: Final = 2
"""Fields by which a row is recognised as the header of a catalogue."""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping of one sheet: pairs of field and 0-based column, and what is left over."""

    headers: tuple[str, ...]
    """The header of every column as it is shown, several header rows joined."""
    fields: tuple[tuple[Field, int], ...]
    """Every mapped column, in the order of the sheet; `MANY_COLUMNS` may come more than once."""
    unmapped: tuple[int, ...] = ()
    preamble: tuple[Field, ...] = ()
    """Fields that stand above the header (全宗号：Z109) and count for every row; their values follow the row's cells."""
    level: Level = Level.ITEM
    codes_may_be_serials: bool = False
    """The code column is called no more than a number, so that a bare number in it is not a damaged code."""
    findings: tuple[Finding, ...] = ()

    def column(self, wanted: Field) -> int | None:
        """The first column that holds ``wanted``."""
        return next((index for field, index in self.fields if field is wanted), None)

    @property
    def fingerprint(self) -> bytes:
        """Changes with whatever changes the meaning of an unchanged row."""
        told = repr((self.headers, self.fields, self.preamble, self.level, self.codes_may_be_serials))
        return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=FINGERPRINT_BYTES).digest()

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """Field and header of every mapped column, for the report."""
        return tuple((field.value, self.headers[index]) for field, index in self.fields if index < len(self.headers))


def is_catalogue(fields: Iterable[Field]) -> bool:
    """Tell whether a header with these fields is that of a catalogue."""
    known = CATALOGUE_FIELDS.intersection(fields)
    return len(known) >= RECOGNISED_FIELDS_MIN and not known.isdisjoint(NAMING_FIELDS)


def choose(readings: Sequence[Sequence[str]], mapping: Mapping[Field, str]) -> dict[int, Field]:
    """Return the field of each column.

    ``readings`` has, for every column, the header texts to try in order (the lower header row, both rows joined ...).
    ``mapping`` comes from ``node.toml`` (field to header) and wins over the table of names.
    """
    chosen: dict[int, Field] = {}
    for field, header in mapping.items():
        column = _column_called(readings, header)
        if column is not None:
            chosen[column] = field
    ranked = sorted(
        (meaning.rank, column, meaning.field)
        for column, texts in enumerate(readings)
        if column not in chosen and (meaning := next(filter(None, map(meaning_of, texts)), None)) is not None
    )
    for _, column, field in ranked:
        if field in MANY_COLUMNS or field not in chosen.values():
            chosen[column] = field
    return _with_a_code(chosen)


def _column_called(readings: Sequence[Sequence[str]], header: str) -> int | None:
    wanted = plain_header(header)
    return next(
        (column for column, texts in enumerate(readings) if any(plain_header(text) == wanted for text in texts)), None
    )


def missing_headers(readings: Sequence[Sequence[str]], mapping: Mapping[Field, str]) -> list[str]:
    """Return the headers that ``node.toml`` names and the sheet does not have."""
    return [header for header in mapping.values() if _column_called(readings, header) is None]


def _with_a_code(chosen: dict[int, Field]) -> dict[int, Field]:
    """Where no column is called 档号, the archive's number is the code, or else the office's."""
    if Field.REF_CODE not in chosen.values():
        for column, field in chosen.items():
            if field is Field.ARCHIVE_CODE or (
                field is Field.OFFICE_CODE and Field.ARCHIVE_CODE not in chosen.values()
            ):
                return {**chosen, column: Field.REF_CODE}
    return chosen


def columns_of(
    headers: tuple[str, ...], readings: Sequence[Sequence[str]], mapping: Mapping[Field, str], preamble: tuple[Field, ...]
) -> Columns:
    """Return the mapping of a sheet whose header has been found."""
    chosen = choose(readings, mapping)
    fields = tuple((chosen[column], column) for column in sorted(chosen))
    present = set(chosen.values())
    virtual = tuple(field for field in preamble if field not in present)
    code = next((column for column, field in chosen.items() if field is Field.REF_CODE), None)
    code_name = next(filter(None, map(meaning_of, readings[code])), None) if code is not None else None
    unmapped = tuple(column for column, header in enumerate(headers) if header and column not in chosen)
    return Columns(
        headers=headers,
        fields=(*fields, *((field, len(headers) + place) for place, field in enumerate(virtual))),
        unmapped=unmapped,
        preamble=virtual,
        level=_level(present),
        codes_may_be_serials=code_name is not None and code_name.rank >= SERIAL_RANK,
        findings=_findings(headers, readings, chosen, unmapped),
    )


def _level(present: set[Field]) -> Level:
    if Field.TITLE in present:
        return Level.ITEM
    if Field.VOLUME_TITLE in present:
        return Level.VOLUME
    return Level.PERSON_INDEX_ROW if Field.PERSON in present else Level.ITEM


def _findings(
    headers: tuple[str, ...], readings: Sequence[Sequence[str]], chosen: Mapping[int, Field], unmapped: tuple[int, ...]
) -> tuple[Finding, ...]:
    """Report columns that were left out: a second one for the same field, or an unknown one."""
    noticed = []
    for column in unmapped:
        meaning = next(filter(None, map(meaning_of, readings[column])), None)
        rank_taken = _rank_of(readings, chosen, meaning.field) if meaning is not None else None
        same = meaning is not None and rank_taken == meaning.rank
        code = "header_ambiguous" if same else "column_unmapped"
        field = meaning.field.value if meaning is not None and same else ""
        noticed.append(finding(code, field=field, value=headers[column]))
    return tuple(noticed)


@functools.cache
def _never() -> None: ...
