"""Applying frames to the unified catalogue: entries, the index, tombstones, baselines, and what is set aside."""

import random
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Connection, select

from hub.catalogue import history_of, tally_from, tally_statement
from hub.merge import Origin
from hub.preparation import CAUSE_CHARS_MAX, CAUSE_UNSTATED, KEY_CHARS_MAX, UNREADABLE_ACCESS
from hub.repair import comparisons
from hub.repair.comparisons import Sameness
from hub.searching.search import Query, search
from hub.storage.reindexing import INDEX_VERSION
from hub.tables import catalogue_state, conflict
from protocol.codec import encode_record
from protocol.events import BaselinePhase, Event, WithdrawalCause
from protocol.vocabularies import AccessStatus, Secrecy
from replication.digests import record_digest
from tests.catalogue import (
    OTHER_VILLAGE,
    VILLAGE,
    accepted,
    access_changed,
    described,
    fictitious,
    marked,
    record_id,
    withdrawn,
)
from tests.hubs import Hub
from tests.stores import Store
from tests.tallies import tally_of


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def titled(number: int, title: str) -> Event:
    return described(number, fictitious(number, title=title))


async def test_described_records_are_found_newest_first(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 60)))

    page = await hub.database.read(lambda connection: search(connection, Query(words="村民委员会", limit=100)))
    dates = [str(hit.record.date_latest) for hit in page.hits]

    assert page.total == 59
    assert [date[:4] for date in dates] == sorted((date[:4] for date in dates), reverse=True)


async def test_body_is_kept_byte_for_byte_with_its_digest(hub: Hub) -> None:
    """Fields that this version does not know survive, and digests agree at both ends."""
    body = encode_record(fictitious(1))[:-1] + b',"from_the_future":[1, 2 ]}'
    event = msgspec.structs.replace(described(1, fictitious(1)), record=msgspec.Raw(body))
    await hub.tell(event)

    held = (await hub.one(1)).held

    assert (held.body, held.digest) == (body, record_digest(body))


async def test_changed_title_is_found_and_the_old_one_is_not(hub: Hub) -> None:
    await hub.tell(titled(1, "林地承包合同"))
    await hub.tell(described(2, fictitious(1, title="茶园承包合同")))

    assert await hub.titles("林地") == []
    assert await hub.titles("茶园") == ["茶园承包合同"]
    assert (await hub.one(1)).held.origins.of("title") == Origin(1, 2, 2)


async def test_changed_year_moves_the_record_in_the_order(hub: Hub) -> None:
    first, second = fictitious(1, title="承包甲"), fictitious(2, title="承包乙")
    await hub.tell(described(1, first), described(2, second))
    early = fictitious(3).date_earliest
    assert early is not None
    moved = [
        msgspec.structs.replace(first, date_latest=early.replace(year=2024)),
        msgspec.structs.replace(second, date_latest=early.replace(year=1930)),
    ]
    await hub.tell(*(described(seq, one) for seq, one in enumerate(moved, 3)))

    assert await hub.titles("承包") == ["承包甲", "承包乙"]
    assert await hub.index() == await hub.rebuilt_index()


async def test_replayed_frame_changes_nothing(hub: Hub) -> None:
    events: list[Event] = [described(1, fictitious(1)), described(2, fictitious(2)), withdrawn(3, record_id(1))]
    await hub.tell(*events)
    before = [await hub.stored(1), await hub.stored(2), await hub.index()]
    await hub.tell(*events)

    assert [await hub.stored(1), await hub.stored(2), await hub.index()] == before


async def test_withdrawn_record_leaves_a_tombstone_without_its_description(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1)), described(2, fictitious(2)))
    await hub.tell(withdrawn(3, record_id(1)))
    stored = await hub.one(1)

    assert (stored.held.body, stored.held.withdrawn) == (None, WithdrawalCause.ROW_VANISHED)
    assert stored.ref_code == fictitious(1).ref_code
    assert await hub.titles("村民委员会") == [fictitious(2).title]


async def test_raised_secrecy_leaves_nothing_but_the_id(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.tell(withdrawn(2, record_id(1), WithdrawalCause.SECRECY_RAISED))
    stored = await hub.one(1)

    assert (stored.held.body, stored.ref_code, stored.fonds_no) == (None, "", "")
    assert await hub.index() == []


async def test_late_description_does_not_revive(hub: Hub) -> None:
    await hub.tell(withdrawn(5, record_id(1)))
    await hub.tell(described(3, fictitious(1)))

    assert (await hub.one(1)).held.body is None
    assert await hub.titles("村民委员会") == []


async def test_record_that_changes_within_one_batch_is_written_once_as_it_ends(hub: Hub) -> None:
    await hub.apply(
        accepted([titled(1, "一稿"), described(2, fictitious(2))]),
        accepted([described(3, fictitious(1, title="二稿")), withdrawn(4, record_id(2))]),
        accepted([described(5, fictitious(1, title="三稿"))]),
    )

    assert (await hub.titles("稿"), await hub.titles("一稿")) == (["三稿"], [])
    assert (await hub.one(2)).held.withdrawn == WithdrawalCause.ROW_VANISHED
    assert await hub.index() == await hub.rebuilt_index()


async def test_same_record_id_at_two_sites_is_two_entries(hub: Hub) -> None:
    """Only the owner writes (promise 1): another site's claim stands beside it, and changes nothing."""
    await hub.tell(titled(1, "本村原件"))
    await hub.tell(titled(1, "别村冒称"), site=OTHER_VILLAGE)

    assert [stored.site for stored in await hub.stored(1)] == [VILLAGE.code, OTHER_VILLAGE.code]
    assert await hub.titles("原件") == ["本村原件"]


async def test_two_contents_at_one_place_are_noted(hub: Hub) -> None:
    await hub.tell(titled(1, "原件"))
    await hub.tell(titled(1, "另一份"))

    def step(connection: Connection) -> Sequence[object]:
        return connection.execute(select(conflict.c.record_id, conflict.c.seq)).all()

    assert await hub.database.read(step) == [(record_id(1).bytes, 1)]
    assert await hub.titles("原件") == ["原件"]


async def test_history_names_fields_and_never_values(hub: Hub) -> None:
    """A value that its owner masked later must not live on at the hub."""
    await hub.tell(titled(1, "含姓名的题名"))
    await hub.tell(described(2, fictitious(1, title="隐去姓名的题名")), withdrawn(3, record_id(1)))

    def step(connection: Connection) -> list[tuple[object, ...]]:
        found = connection.execute(history_of(record_id(1).bytes, VILLAGE.code))
        return [(row.seq, row.kind, row.what) for row in found]

    assert await hub.database.read(step) == [(2, "described", "title"), (3, "withdrawn", "row_vanished")]


# Access


async def test_access_change_is_applied_with_its_record(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.tell(access_changed(2, fictitious(1), AccessStatus.OPEN))
    found = await hub.database.read(
        lambda connection: search(connection, Query(words="村民", access_status=AccessStatus.OPEN))
    )

    assert [hit.record.access_status for hit in found.hits] == [AccessStatus.OPEN]


async def test_closing_takes_effect_though_its_record_is_unreadable(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, access_status=AccessStatus.OPEN)))
    frame = accepted([access_changed(2, fictitious(1), AccessStatus.RESTRICTED, raw=b'{"title":7}')])
    await hub.apply(frame)
    found = await hub.database.read(lambda connection: search(connection, Query(words="村民")))

    assert [hit.record.access_status for hit in found.hits] == [AccessStatus.RESTRICTED]
    assert [(spoilt.seq, spoilt.fault) for spoilt in frame.spoilt] == [(2, UNREADABLE_ACCESS)]


async def test_cause_of_a_later_version_withdraws_at_once_and_keeps_its_word(hub: Hub) -> None:
    """Nothing but the id stays: an unknown cause may be as grave as raised secrecy."""
    await hub.tell(titled(1, "关于水库的协议"), titled(2, "关于茶园的协议"))
    await hub.tell(withdrawn(3, record_id(1), "court_order"))
    stone = await hub.one(1)
    steps = await hub.database.read(lambda c: list(c.execute(history_of(record_id(1).bytes, VILLAGE.code))))

    assert await hub.titles("协议") == ["关于茶园的协议"]
    assert (stone.held.withdrawn, stone.held.body, stone.ref_code, stone.fonds_no) == ("court_order", None, "", "")
    assert [(step.kind, step.what) for step in steps] == [("withdrawn", "court_order")]
    await hub.tell(described(2, fictitious(1, title="迟到的协议")))
    assert await hub.titles("协议") == ["关于茶园的协议"]


@pytest.mark.parametrize("cause", ["", "长" * 500])
async def test_cause_that_says_nothing_or_too_much_withdraws_all_the_same(hub: Hub, cause: str) -> None:
    await hub.tell(described(1, fictitious(1)), withdrawn(2, record_id(1), cause))
    stone = (await hub.one(1)).held

    assert (stone.body, stone.withdrawn) == (None, cause[:CAUSE_CHARS_MAX] or CAUSE_UNSTATED)


async def test_access_status_of_a_later_version_closes_until_it_is_known(hub: Hub) -> None:
    opened_one = fictitious(1, access_status=AccessStatus.OPEN)
    later = encode_record(opened_one).replace(b'"open"', b'"sealed_by_court"')
    frame = accepted(
        [
            msgspec.structs.replace(
                access_changed(2, opened_one, AccessStatus.DEFERRED, raw=later), access_status="sealed_by_court"
            )
        ]
    )
    await hub.tell(described(1, opened_one))
    await hub.apply(frame)

    assert (await hub.one(1)).held.access_status is AccessStatus.RESTRICTED
    assert [(spoilt.seq, spoilt.fault) for spoilt in frame.spoilt] == [(2, UNREADABLE_ACCESS)]
    assert later in frame.spoilt[0].content


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        (b'"access_status":"sealed_by_court"', AccessStatus.RESTRICTED),
        (b'"access_status":"deferred"', AccessStatus.DEFERRED),
        (b'"note":""', AccessStatus.UNREVIEWED),
        (b'"access_status":"open"', AccessStatus.RESTRICTED),
    ],
)
async def test_description_that_cannot_be_read_may_close_and_never_opens(
    hub: Hub, said: bytes, holds: AccessStatus
) -> None:
    """A catch-up describes where the site once closed."""
    before = AccessStatus.RESTRICTED if b'"open"' in said else AccessStatus.OPEN
    await hub.tell(described(1, fictitious(1, access_status=before)))
    raw = b'{"record_id":"%s","level":"of_tomorrow",%s}' % (str(record_id(1)).encode(), said)
    await hub.tell(msgspec.structs.replace(described(2, fictitious(1)), record=msgspec.Raw(raw)))

    assert (await hub.one(1)).held.access_status is holds


async def test_unreadable_record_is_set_aside_and_the_rest_of_its_frame_applied(hub: Hub) -> None:
    bad = msgspec.structs.replace(described(2, fictitious(2)), record=msgspec.Raw(b'{"title":"no id"}'))
    frame = accepted([described(1, fictitious(1)), bad, described(3, fictitious(3))])
    await hub.apply(frame)

    assert len(await hub.titles("村民委员会")) == 2
    assert [(spoilt.seq, spoilt.content) for spoilt in frame.spoilt] == [(2, b'{"title":"no id"}')]


@pytest.mark.parametrize("field", ["fonds_no", "livelihood_kind"])
async def test_a_key_too_long_for_an_index_sets_its_record_aside_on_either_store(hub: Hub, field: str) -> None:
    """A line of PostgreSQL's indexes holds 2,704 bytes; a record beyond must not stop its site, there or elsewhere."""
    draw = random.Random(7)
    longest = "".join(chr(draw.randint(0x20000, 0x2A000)) for _ in range(KEY_CHARS_MAX))
    fits = fictitious(1, fonds_no=longest, livelihood_kind=longest)
    long = fictitious(2, **{field: longest + "长"})
    frame = accepted([described(1, fits), described(2, long), described(3, fictitious(3))])
    await hub.apply(frame)

    assert len(await hub.titles("村民委员会")) == 2
    assert [(spoilt.seq, spoilt.fault) for spoilt in frame.spoilt] == [(2, "unreadable_record")]


async def test_record_that_must_not_travel_is_forgotten_content_and_all(hub: Hub) -> None:
    """The node keeps promise 8; if one day it does not, the hub does not keep what it was sent."""
    await hub.tell(described(1, fictitious(1)))
    frame = accepted([described(2, fictitious(1, secrecy=Secrecy.SECRET))])
    await hub.apply(frame)
    stored = await hub.one(1)

    assert (stored.held.body, stored.held.withdrawn) == (None, WithdrawalCause.SECRECY_RAISED)
    assert [(spoilt.fault, spoilt.content) for spoilt in frame.spoilt] == [("must_not_travel", b"")]


async def test_clock_beyond_all_years_is_not_stored(hub: Hub) -> None:
    """A number that the database cannot hold must not stop the whole county's frames."""
    await hub.tell(described(1, fictitious(1, filing_year=10**30), at_ms=2**70))

    assert (await hub.one(1)).held.at_ms == 0


# Epochs and baselines


def promised(*numbers: int) -> dict[str, object]:
    tally = tally_of([record_digest(encode_record(fictitious(number))) for number in numbers])
    return {"count": tally.count, "digest": tally.digest}


async def sameness(hub: Hub) -> tuple[Sameness, int]:
    kept = await hub.database.read(comparisons.kept)
    return kept[VILLAGE.code].state, kept[VILLAGE.code].seq


async def test_complete_baseline_withdraws_what_it_leaves_out(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in (1, 2, 3)))
    await hub.tell(
        marked(1, BaselinePhase.BEGIN),
        described(2, fictitious(1)),
        described(3, fictitious(3)),
        marked(4, BaselinePhase.END, **promised(1, 3)),  # type: ignore[arg-type]
        epoch="e2",
    )

    assert (await hub.one(2)).held.withdrawn == WithdrawalCause.NOT_IN_BASELINE
    assert (await hub.one(1)).held.body is not None
    assert await sameness(hub) == (Sameness.EQUAL, 4)
    assert await hub.index() == await hub.rebuilt_index()


async def test_baseline_over_many_frames_and_batches_ends_the_same(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 8)))
    await hub.tell(marked(8, BaselinePhase.BEGIN), described(9, fictitious(1)))
    await hub.tell(described(10, fictitious(2)))
    await hub.tell(
        described(11, fictitious(3)),
        marked(12, BaselinePhase.END, **promised(1, 2, 3)),  # type: ignore[arg-type]
        described(13, fictitious(9)),
    )

    assert len(await hub.titles("村民委员会")) == 4
    assert await sameness(hub) == (Sameness.EQUAL, 12)


async def test_event_from_before_a_complete_baseline_is_void(hub: Hub) -> None:
    await hub.tell(marked(5, BaselinePhase.BEGIN), described(6, fictitious(1)), marked(7, BaselinePhase.END))
    await hub.tell(described(3, fictitious(2)))

    assert await hub.stored(2) == []


async def test_baseline_that_does_not_add_up_is_said_to_differ(hub: Hub) -> None:
    await hub.tell(
        marked(1, BaselinePhase.BEGIN),
        described(2, fictitious(1)),
        marked(3, BaselinePhase.END, **promised(1, 2)),  # type: ignore[arg-type]
    )

    assert await sameness(hub) == (Sameness.DIFFERENT, 3)


async def test_records_of_an_old_epoch_stay_until_the_new_baseline_is_complete(hub: Hub) -> None:
    """A site that describes everything again is never half empty in between."""
    await hub.tell(described(900, fictitious(1)), described(901, fictitious(2)))
    await hub.tell(marked(1, BaselinePhase.BEGIN), described(2, fictitious(1)), epoch="e2")

    assert len(await hub.titles("村民委员会")) == 2
    assert (await hub.one(1)).held.place == (2, 2)


async def test_tally_of_the_catalogue_is_that_of_the_bodies(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 20)), withdrawn(20, record_id(4)))
    held = await hub.database.read(
        lambda connection: tally_from(tuple(connection.execute(tally_statement(VILLAGE.code)).one()))
    )
    expected = tally_of([record_digest(encode_record(fictitious(n))) for n in range(1, 20) if n != 4])

    assert held == expected


@pytest.mark.parametrize("spoilt", ["digest = 5", "bucket = 255 - bucket", "fonds_no = 'J999'", "docid = 7"])
async def test_what_follows_from_a_body_is_healed_when_the_same_body_is_told_again(hub: Hub, spoilt: str) -> None:
    """The body is what it was, so that only its place seemed to need writing."""
    await hub.tell(described(1, fictitious(1)), described(2, fictitious(2)))
    whole = "SELECT digest, bucket, fonds_no, docid / 1000000000, body FROM entry ORDER BY record_id"
    before, terms = await hub.database.fetch(whole), len(await hub.index())
    await hub.database.write(
        lambda c: c.exec_driver_sql(f"UPDATE entry SET {spoilt} WHERE record_id = ?", (record_id(1).bytes,))
    )
    assert await hub.database.fetch(whole) != before
    await hub.tell(
        marked(3, BaselinePhase.BEGIN),
        *(described(3 + number, fictitious(number)) for number in (1, 2)),
        marked(6, BaselinePhase.END, count=2),
    )

    assert await hub.database.fetch(whole) == before
    assert len(await hub.rebuilt_index()) == terms


async def test_index_of_another_version_is_built_anew(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 20)))
    before = await hub.index()

    assert await hub.rebuilt_index() == before
    version = await hub.database.read(lambda c: c.execute(select(catalogue_state.c.index_version)).scalar_one())
    assert version == INDEX_VERSION


async def test_rare_characters_are_found(hub: Hub) -> None:
    """Extension B and private-use characters stand in names; the usual tokenizer drops what it does not know."""
    await hub.tell(titled(1, "村民王𠮷的承包合同"), titled(2, "村民李\ue000的承包合同"), titled(3, "村民赵𰻞的合同"))

    assert await hub.titles("王𠮷") == ["村民王𠮷的承包合同"]
    assert await hub.titles("李\ue000") == ["村民李\ue000的承包合同"]
    assert await hub.titles("赵𰻞") == ["村民赵𰻞的合同"]


async def test_record_without_a_year_comes_last(hub: Hub) -> None:
    undated = fictitious(1, title="无日期", date_earliest=None, date_latest=None, filing_year=None)
    await hub.tell(described(1, undated), described(2, fictitious(2, title="有日期")))

    assert await hub.titles("日期") == ["有日期", "无日期"]


def test_ids_of_the_builders_differ() -> None:
    assert isinstance(record_id(1), UUID)
    assert len({record_id(number) for number in range(1000)}) == 1000
