"""The archive's own codes 馆编档号: its rules, a preview of what an acceptance would give, and the giving itself.

A code is given once and for ever: its row in ``archive_code`` is written in the transaction of the ruling that tells it
to the giver, and the code is the key. What a transfer was given that is cancelled later is given to nobody else. The
office's code stays an alias of the record (``node.transfers.custody``): both lead to it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, func, insert, select

from hub.tables import entry
from hub.transfers.archive_code_tables import archive_code, archive_code_rule, archive_volume
from hub.transfers.archive_numbers import VOLUMES, CodedItem, GivenCode, Next, VolumeOf, check_pattern, codes_for
from hub.transfers.deciding import IN_PLAY
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.records import Record
from protocol.reference_codes import fold_code
from protocol.transfer_folds import Transfer, last_rulings
from protocol.transfers import ItemRuling, Ruling
from protocol.wording import Text
from replication import transfer_items
from replication.dialects import upsert
from replication.transfer_items import TransferItem
from replication.transfer_tables import transfer_item

CODES_AT_ONCE: Final = 500
"""Codes or records named in one statement."""


class CodeRule(msgspec.Struct, frozen=True, kw_only=True):
    """How the archive numbers what comes from a site, or of one of its fonds; empty stands for any."""

    site: str = ""
    office_fonds: str = ""
    fonds: str = ""
    """The archive's own fonds number; empty: the office's."""
    catalogue: str = ""
    """The archive's own catalogue number; empty: the office's."""
    pattern: str
    set_by: str = ""


def set_rule(connection: Connection, rule: CodeRule, now_ms: int) -> None:
    """Set a rule in the place of the former one; codes that were given stay as they are.

    Raises:
        BadValue: the pattern cannot be used.

    """
    values: dict[str, object] = {
        "fonds": rule.fonds.strip(),
        "catalogue": rule.catalogue.strip(),
        "pattern": check_pattern(rule.pattern.strip()),
        "set_by": rule.set_by,
        "set_at_ms": now_ms,
    }
    statement = upsert(archive_code_rule).values(site=rule.site, office_fonds=rule.office_fonds, **values)
    keys = [archive_code_rule.c.site, archive_code_rule.c.office_fonds]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def rules(connection: Connection) -> list[CodeRule]:
    """Return the rules, the general ones first."""
    columns = (column for column in archive_code_rule.c if column.name != "set_at_ms")
    ordered = select(*columns).order_by(archive_code_rule.c.site, archive_code_rule.c.office_fonds)
    return [msgspec.convert(row, CodeRule, from_attributes=True) for row in connection.execute(ordered)]


def rule_for(known: Iterable[CodeRule], site: str, office_fonds: str) -> CodeRule:
    """Return the rule that fits best: of the site's fonds, of the site, of the fonds anywhere, of everybody.

    Raises:
        BadValue: none fits.

    """
    by_key = {(one.site, one.office_fonds): one for one in known}
    for key in ((site, office_fonds), (site, ""), ("", office_fonds), ("", "")):
        if key in by_key:
            return by_key[key]
    raise BadValue(
        Text(zh=f"{site} 全宗 {office_fonds or '—'} 还没有馆编档号规则。", en=f"there is no rule for codes of {site}"),
        Text(zh="先用 transfer codes --pattern 定规则。", en="Set one with transfer codes --pattern."),
    )


def preview(connection: Connection, now: Transfer, without: Collection[UUID] = ()) -> list[GivenCode]:
    """Return the codes that an acceptance of the present round would give, but to some items; nothing is given.

    Raises:
        BadValue: no rule fits, or a record does not say what its rule needs.

    """
    site = now.giver.site if now.giver is not None else ""
    known = rules(connection)
    by_pattern: dict[str, list[CodedItem]] = {}
    open_items = [one for one in _open_items(connection, now, site) if one[0].record_id not in without]
    for item, record in open_items:
        rule = rule_for(known, site, record.fonds_no)
        by_pattern.setdefault(rule.pattern, []).append(_coded(item, record, rule, site))
    given = [
        one
        for pattern, items in by_pattern.items()
        for one in codes_for(pattern, items, _next_in(connection), _volume_in(connection), _taken_in(connection))
    ]
    _refuse_collisions(connection, [one.code for one in given])
    return given


def give(connection: Connection, now: Transfer, now_ms: int, without: Collection[UUID] = ()) -> list[ItemRuling]:
    """Give the codes of ``preview`` for good, and return the rulings that tell them to the giver; raises as it."""
    given = preview(connection, now, without)
    for one in given:
        if one.volume_series:
            row = {"series": one.volume_series, "volume": one.volume, "number": one.volume_number}
            keys = [archive_volume.c.series, archive_volume.c.volume]
            connection.execute(upsert(archive_volume).values(**row).on_conflict_do_nothing(index_elements=keys))
    _write(connection, now.transfer_id, given, now_ms)
    return [ItemRuling(record_id=one.record_id, ruling=Ruling.ACCEPT, archive_code=one.code) for one in given]


def note_listed(connection: Connection, now: Transfer, rulings: Sequence[ItemRuling], now_ms: int) -> None:
    """Write down codes that a person brought in a list, so that no rule gives them to anything else.

    Raises:
        BadValue: one was given to another record before.

    """
    given = [
        GivenCode(record_id=one.record_id, office_code="", code=fold_code(one.archive_code))
        for one in rulings
        if one.archive_code
    ]
    holders = _holders(connection, [one.code for one in given])
    fresh = [one for one in given if holders.get(one.code) != one.record_id]
    _refuse_collisions(connection, [one.code for one in fresh])
    _write(connection, now.transfer_id, fresh, now_ms)


def _write(connection: Connection, transfer_id: UUID, given: Sequence[GivenCode], now_ms: int) -> None:
    rows = [
        {
            "code": one.code,
            "series": one.series,
            "number": one.number,
            "transfer_id": str(transfer_id),
            "record_id": one.record_id.bytes,
            "given_at_ms": now_ms,
        }
        for one in given
    ]
    if rows:
        connection.execute(insert(archive_code), rows)


def _holders(connection: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    """Return to which records these codes were given before."""
    found: dict[str, UUID] = {}
    for start in range(0, len(codes), CODES_AT_ONCE):
        some = codes[start : start + CODES_AT_ONCE]
        rows = connection.execute(
            select(archive_code.c.code, archive_code.c.record_id).where(archive_code.c.code.in_(some))
        )
        found.update({row.code: UUID(bytes=bytes(row.record_id)) for row in rows})
        # Lists of before this book was kept stand with their items only.
        listed = connection.execute(
            select(transfer_item.c.archive_code, transfer_item.c.record_id).where(
                transfer_item.c.archive_code.in_(some)
            )
        )
        found.update({row.archive_code: UUID(bytes=bytes(row.record_id)) for row in listed})
    return found


def _refuse_collisions(connection: Connection, codes: Sequence[str]) -> None:
    """Go on only if no code stands twice, and none was ever given before.

    Raises:
        BadValue: one was.

    """
    taken = next(iter(_holders(connection, codes)), "")
    if len(set(codes)) != len(codes) or taken:
        raise BadValue(
            Text(
                zh=f"馆编档号 {taken or '有重复'}：一个号只能给一件档案。",
                en=f"an archive code would be given twice: {taken or 'two items would share one'}",
            ),
            Text(zh="请核对规则或清单。", en="Look at the rule, or at the list."),
        )


def _open_items(connection: Connection, now: Transfer, site: str) -> list[tuple[TransferItem, Record]]:
    """Return what an acceptance would accept now, with its records: not returned, not held, without a code yet."""
    ruled = {one.record_id: one for one in last_rulings(now)}
    items = []
    for item in transfer_items.listed(connection, now.transfer_id, states=IN_PLAY):
        ruling = ruled.get(item.record_id)
        is_open = ruling is None or (ruling.ruling is Ruling.ACCEPT and not ruling.archive_code)
        if is_open and not item.archive_code:
            items.append(item)
    records: dict[UUID, Record] = {}
    for start in range(0, len(items), CODES_AT_ONCE):
        some = [item.record_id.bytes for item in items[start : start + CODES_AT_ONCE]]
        found = connection.scalars(
            select(entry.c.body).where(entry.c.record_id.in_(some), entry.c.site == site, entry.c.body.is_not(None))
        )
        records.update({record.record_id: record for record in map(decode_record, found)})
    return [(item, records[item.record_id]) for item in items if item.record_id in records]


def _coded(item: TransferItem, record: Record, rule: CodeRule, site: str) -> CodedItem:
    return CodedItem(
        record_id=item.record_id,
        office_code=item.ref_code,
        values={
            "fonds": rule.fonds or record.fonds_no,
            "catalogue": rule.catalogue or record.catalogue_no,
            "category": record.category_code,
            "year": str(record.filing_year or ""),
            "retention": record.retention.code() if record.retention is not None else "",
            "org": record.org_or_subject,
        },
        volume=_volume_of(record, site),
    )


def _volume_of(record: Record, site: str) -> str:
    """Return the volume in which a record lies at its office: by its link, else by the numbers that it says."""
    if record.parent_id is not None:
        return str(record.parent_id)
    numbers = (site, record.fonds_no, record.catalogue_no, record.volume_no)
    return "/".join(numbers) if record.volume_no else ""


def _next_in(connection: Connection) -> Next:
    def next_of(series: str) -> int:
        table = archive_volume if series.endswith(VOLUMES) else archive_code
        last = connection.scalar(select(func.max(table.c.number)).where(table.c.series == series))
        return int(last or 0) + 1

    return next_of


def _taken_in(connection: Connection) -> Callable[[str], bool]:
    return lambda code: bool(_holders(connection, [code]))


def _volume_in(connection: Connection) -> VolumeOf:
    def volume_of(series: str, volume: str) -> int | None:
        return connection.scalar(
            select(archive_volume.c.number).where(archive_volume.c.series == series, archive_volume.c.volume == volume)
        )

    return volume_of
