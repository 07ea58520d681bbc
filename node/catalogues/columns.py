"""Which column of a sheet holds which field: the mapping by which the whole sheet is read, worked out once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from node.catalogues.fields import MANY_COLUMNS, SERIAL_RANK, Field, Meaning, meaning_of, plain_header
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

NOT_KEPT_AS_RAW: Final = frozenset(
    (
        *(Field.REF_CODE, Field.ARCHIVE_CODE, Field.OFFICE_CODE, Field.OLD_CODE, Field.TITLE, Field.DOC_NO, Field.DATE),
        *(Field.RETENTION, Field.ACCESS_REASON, Field.EXTENT, Field.CARRIER, Field.SCOPE, Field.NOTE),
        *(Field.RESPONSIBLE, Field.PAGE_COUNT, Field.SEQUENCE, Field.IDENTITY),
    )
)
"""Fields that stand in the record word for word unless the row's reader says otherwise, and those that are not kept at
all: running and identity numbers."""

Readings = Sequence[Sequence[str]]
"""For every column the header texts to try in order: the lower header row, both rows joined, the upper row."""


class Columns(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """The mapping of one sheet: pairs of field and 0-based column, and what follows from them for every row."""

    headers: tuple[str, ...]
    """The header of every column as it is shown, several header rows joined."""
    fields: tuple[tuple[Field, int], ...]
    """Every mapped column, in the order of the sheet; `MANY_COLUMNS` may come more than once."""
    present: frozenset[Field] = frozenset()
    """The fields that are mapped."""
    kept: tuple[tuple[str, int], ...] = ()
    """Header and column of every cell that never stands in the record word for word."""
    preamble: tuple[Field, ...] = ()
    """Fields stated above the header (全宗号：Z109), which count for every row; their values follow the row's cells."""
    level: Level = Level.ITEM
    codes_may_be_serials: bool = False
    """The code column is called no more than a number, so that a bare number in it is not a damaged code."""
    findings: tuple[Finding, ...] = ()

    @property
    def width(self) -> int:
        """Cells of a row that has no more than the header: its columns and the values stated above."""
        return len(self.headers) + len(self.preamble)

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


def choose(readings: Readings, mapping: Mapping[Field, str]) -> dict[int, Field]:
    """Return the field of each column; ``mapping`` (field to header, from the settings) wins over the known names."""
    chosen: dict[int, Field] = {}
    for field, header in mapping.items():
        column = _column_called(readings, header)
        if column is not None:
            chosen[column] = field
    meant = [
        (meaning.rank, column, meaning.field)
        for column, meaning in enumerate(map(_meaning, readings))
        if meaning is not None and column not in chosen
    ]
    for _, column, field in sorted(meant):
        if field in MANY_COLUMNS or field not in chosen.values():
            chosen[column] = field
    return _with_a_code(chosen)


def missing_headers(readings: Readings, mapping: Mapping[Field, str]) -> list[str]:
    """Return the headers that ``node.toml`` names and the sheet does not have."""
    return [header for header in mapping.values() if _column_called(readings, header) is None]


def columns_of(
    headers: tuple[str, ...], readings: Readings, mapping: Mapping[Field, str], preamble: Iterable[Field]
) -> Columns:
    """Return the mapping of a sheet whose header has been found."""
    chosen = choose(readings, mapping)
    present = set(chosen.values())
    virtual = tuple(field for field in preamble if field not in present)
    code = next((column for column, field in chosen.items() if field is Field.REF_CODE), None)
    name = _meaning(readings[code]) if code is not None else None
    unmapped = tuple(column for column, header in enumerate(headers) if header and column not in chosen)
    return Columns(
        headers=headers,
        fields=(
            *((chosen[column], column) for column in sorted(chosen)),
            *((field, len(headers) + place) for place, field in enumerate(virtual)),
        ),
        present=frozenset((*present, *virtual)),
        kept=tuple(
            (header, column) for column, header in enumerate(headers) if chosen.get(column) not in NOT_KEPT_AS_RAW
        ),
        preamble=virtual,
        level=_level(present),
        codes_may_be_serials=name is not None and name.rank >= SERIAL_RANK,
        findings=_left_out(headers, readings, chosen, unmapped),
    )


def _meaning(texts: Sequence[str]) -> Meaning | None:
    return next(filter(None, map(meaning_of, texts)), None)


def _column_called(readings: Readings, header: str) -> int | None:
    wanted = plain_header(header)
    return next((place for place, texts in enumerate(readings) if wanted in map(plain_header, texts)), None)


def _with_a_code(chosen: dict[int, Field]) -> dict[int, Field]:
    """Where no column is called 档号, the archive's number is the code, or else the office's."""
    if Field.REF_CODE in chosen.values():
        return chosen
    stand_in = Field.ARCHIVE_CODE if Field.ARCHIVE_CODE in chosen.values() else Field.OFFICE_CODE
    return {column: Field.REF_CODE if field is stand_in else field for column, field in chosen.items()}


def _level(present: set[Field]) -> Level:
    if Field.TITLE in present:
        return Level.ITEM
    if Field.VOLUME_TITLE in present:
        return Level.VOLUME
    return Level.PERSON_INDEX_ROW if Field.PERSON in present else Level.ITEM


def _left_out(
    headers: tuple[str, ...], readings: Readings, chosen: Mapping[int, Field], unmapped: tuple[int, ...]
) -> tuple[Finding, ...]:
    """Report the columns that were left out: a second one of the same name, or an unknown one."""
    taken = {_meaning(readings[column]) for column in chosen}
    noticed = []
    for column in unmapped:
        meaning = _meaning(readings[column])
        if meaning is not None and meaning in taken:
            noticed.append(finding("header_ambiguous", field=meaning.field.value, value=headers[column]))
        else:
            noticed.append(finding("column_unmapped", field="", value=headers[column]))
    return tuple(noticed)
