"""Choosing records for a transfer: by volume, kind, years, fonds, codes or a search; never what must not travel."""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import indexing
from node.search_plans import plan_of
from protocol.calls import Search
from protocol.codec import decode_record
from protocol.errors import BadQuery, BadValue, Retryable
from protocol.queries import parse
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.reference_codes import fold_code
from protocol.transfers import TransferState
from protocol.vocabularies import Level
from protocol.wording import Count, Text
from replication.transfer_items import ItemState

TRANSFER_ITEMS_MAX = 20_000
"""Items of one transfer: four yearly hand-overs of a large town; more is divided, so that a fault holds up less."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which records a person, or the receiver's plan, wants handed over; every condition that is given must hold."""

    volumes: tuple[str, ...] = ()
    """Reference codes of volumes, whose items are meant."""
    codes: tuple[str, ...] = ()
    """Reference codes of single records."""
    fonds_no: str = ""
    kind: str = ""
    """A livelihood kind."""
    year_first: int | None = None
    year_last: int | None = None
    query: str = ""

    @property
    def is_empty(self) -> bool:
        """True if nothing is asked for, which would be everything."""
        return self == Selection()


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was chosen."""

    docid: int
    record: Record
    busy: UUID | None = None
    """Another transfer that carries it already, and is not over."""


def chosen(connection: Connection, selection: Selection, receiver: str) -> list[Chosen]:
    """Return the records of a selection that are not kept by the receiver yet, in the order of their codes.

    Raises:
        BadValue: nothing was asked for, or too much was found.
        BadQuery: the search cannot be understood.
        Retryable: a search is asked for, and the index does not hold all records yet.

    """
    if selection.is_empty:
        raise BadValue(
            Text(zh="没有说明要移交哪些档案。", en="nothing says which records are meant"),
            Text(
                zh="用 --volume、--kind、--years、--fonds、--codes、--query 或 --plan 选择。",
                en="Choose with --volume, --kind, --years, --fonds, --codes, --query or --plan.",
            ),
        )
    clauses, values = _conditions(connection, selection)
    rows = connection.exec_driver_sql(
        "SELECT docid, body FROM record WHERE standing = 'listed' AND level IN ('item', 'volume')"  # noqa: S608 - ours
        f" {' '.join(f'AND {clause}' for clause in clauses)} ORDER BY fonds_no, ref_code, docid",
        tuple(values),
    )
    records = [(docid, decode_record(body)) for docid, body in rows]
    meant = [(docid, one) for docid, one in records if one.custodian != receiver and _is_of_years(one, selection)]
    going = {one.record_id for _, one in meant}
    kept = [(docid, one) for docid, one in meant if one.level is Level.ITEM or _goes(connection, one, going, receiver)]
    if len(kept) > TRANSFER_ITEMS_MAX:
        raise BadValue(
            Text(
                zh=f"选中 {len(kept)} 条，一次移交最多 {TRANSFER_ITEMS_MAX} 条。",
                en=f"{Count(len(kept)):record was|records were} chosen, one transfer carries {TRANSFER_ITEMS_MAX} at"
                " most",
            ),
            Text(zh="请按年度或案卷分几次移交。", en="Divide them by years or volumes."),
        )
    busy = _busy(connection, [one.record_id for _, one in kept])
    return [Chosen(docid=docid, record=one, busy=busy.get(one.record_id)) for docid, one in kept]


def _goes(connection: Connection, volume: Record, going: Collection[UUID], receiver: str) -> bool:
    """Tell whether the entry of a volume goes: with the last of its items, or by itself where nobody described any."""
    rows = connection.exec_driver_sql(
        "SELECT body FROM record WHERE fonds_no = ? AND volume_code = ? AND volume_code <> '' AND standing = 'listed'"
        " AND level = 'item'",
        (volume.fonds_no, volume.ref_code),
    )
    inside = [decode_record(body) for (body,) in rows]
    return all(one.record_id in going or one.custodian == receiver for one in inside)


def _conditions(connection: Connection, selection: Selection) -> tuple[list[str], list[object]]:
    clauses: list[str] = []
    values: list[object] = []
    if selection.volumes:
        folded = json.dumps([fold_code(code) for code in selection.volumes])
        named = "SELECT value FROM json_each(?)"
        clauses.append(f"(volume_code IN ({named}) OR (level = 'volume' AND ref_code IN ({named})))")
        values += [folded, folded]
    if selection.codes:
        clauses.append("ref_code IN (SELECT value FROM json_each(?))")
        values.append(json.dumps([fold_code(code) for code in selection.codes]))
    for column, value in (("fonds_no", selection.fonds_no), ("livelihood_kind", selection.kind)):
        if value:
            clauses.append(f"{column} = ?")
            values.append(value)
    if selection.query:
        clauses.append("docid IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(_found(connection, selection.query)))
    return clauses, values


def _found(connection: Connection, query: str) -> list[int]:
    """Return the records that a search finds, all of them."""
    # A call that cannot be understood finds everything; a person who mistypes must not hand everything over.
    plan = plan_of(Search(asker="", question="", query="", language=query)) if parse(query).parts else None
    if plan is None:
        raise BadQuery(0, len(query), Text(zh="这个检索式查不了。", en="nothing in it can be searched"), _AGAIN)
    if plan.found_by is not None or plan.unwanted is not None:
        _check_index(connection)
    narrowed = "".join(f" AND {clause}" for clause in plan.clauses)
    values: list[object] = []
    found = "record"
    if plan.found_by is not None:
        found = "search JOIN record ON record.docid = search.rowid"
        narrowed = f" AND search MATCH ?{narrowed}"
        values.append(plan.found_by)
    values += plan.values
    if plan.unwanted is not None:
        narrowed += " AND record.docid NOT IN (SELECT rowid FROM search WHERE search MATCH ?)"
        values.append(plan.unwanted)
    rows = connection.exec_driver_sql(
        f"SELECT record.docid, record.body FROM {found} WHERE record.standing = 'listed'{narrowed}",  # noqa: S608 - ours
        tuple(values),
    )
    return [docid for docid, body in rows if plan.is_exact or plan.matcher.satisfies(subject_of(decode_record(body)))]


def _check_index(connection: Connection) -> None:
    """Refuse to choose by words while the index lacks records: what is handed over is handed over whole."""
    count = indexing.count_waiting(connection)
    if count:
        raise Retryable(
            Text(
                zh=f"刚读入的约 {count} 条尚未编入检索，按检索词选择会有遗漏。",
                en=f"some {Count(count):entry was|entries were} just read and cannot be found yet: a choice by words"
                " would lack them",
            ),
            Text(zh="请稍后再试，本站程序运行时会自动编完。", en="Try again in a moment; the running node sees to it."),
        )


_AGAIN = Text(zh="请换几个词。", en="Try other words.")


def _is_of_years(record: Record, selection: Selection) -> bool:
    if selection.year_first is None and selection.year_last is None:
        return True
    year = year_of(record)
    if year is None:
        return False
    return (selection.year_first or year) <= year <= (selection.year_last or year)


def year_of(record: Record) -> int | None:
    """Return the year under which a record is handed over: its filing year, else that of its latest date."""
    if record.filing_year is not None:
        return record.filing_year
    day = record.date_latest or record.date_earliest
    return day.year if day is not None else None


def _busy(connection: Connection, record_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return which of these records an unfinished transfer carries already."""
    over = [TransferState.CANCELLED.value, TransferState.CLOSED.value]
    out = [ItemState.LEFT_OUT.value]
    rows = connection.exec_driver_sql(
        "SELECT transfer_item.record_id, transfer.transfer_id FROM transfer_item"
        " JOIN transfer ON transfer.transfer_id = transfer_item.transfer_id"
        " WHERE transfer.state NOT IN (?, ?) AND transfer_item.state <> ?",
        (*over, *out),
    )
    carried = {UUID(bytes=record_id): UUID(transfer_id) for record_id, transfer_id in rows}
    return {one: carried[one] for one in record_ids if one in carried}
