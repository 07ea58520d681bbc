"""When a site could be heard: turns are noted once, nobody is silent while the hub is deaf, and it stays bounded."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from hub.alarm.health import HubReport, keep_report
from hub.home import SCHEMA
from hub.sites import contacts
from hub.sites.board import Facts, NodeState
from hub.sites.contacts import TURNS_KEPT_MAX, Contact, Turn
from hub.web.contact_days import days_of
from replication.migrations import REPLICATION, migrate

SITE = "330599001203"
NOW = 1_790_000_000_000
LISTENING = NOW - 600_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    with engine.connect() as made:
        migrate(made, [REPLICATION, SCHEMA])
        yield made
    engine.dispose()


def facts(seen_at_ms: int, *, stopping: bool = False, by_courier: bool = False) -> Facts:
    node = NodeState(
        site=SITE,
        node="U",
        epoch="e1",
        seq=1,
        published=1,
        outbox_frames=0,
        records=1,
        withheld=0,
        rejected=0,
        warned=0,
        files=1,
        brakes_held=0,
        importing=False,
        stopping=stopping,
        disk_free_bytes=0,
        software="",
        started_at_ms=0,
        seen_at_ms=seen_at_ms,
    )
    return Facts(
        site=SITE,
        enrolled_nodes=1,
        node=node,
        comes_by_courier=by_courier,
        courier_at_ms=NOW + 30_000 if by_courier else None,
    )


def look(connection: Connection, found: Facts, now_ms: int, listening: int | None = LISTENING) -> list[Turn]:
    contacts.note(connection, [found], listening, now_ms)
    return contacts.of_site(connection, SITE)


def test_a_turn_is_noted_once_and_silence_dates_from_the_last_sign(connection: Connection) -> None:
    look(connection, facts(NOW), NOW)
    look(connection, facts(NOW + 15_000), NOW + 15_000)
    look(connection, facts(NOW + 15_000), NOW + 60_000)
    turns = look(connection, facts(NOW + 15_000), NOW + 200_000)

    assert turns == [
        Turn(since_ms=NOW, contact=Contact.HEARD),
        Turn(since_ms=NOW + 15_000, contact=Contact.SILENT),
    ]


def test_a_goodbye_and_a_bundle_have_turns_of_their_own(connection: Connection) -> None:
    look(connection, facts(NOW), NOW)
    look(connection, facts(NOW + 5_000, stopping=True), NOW + 15_000)
    turns = look(connection, facts(NOW + 5_000, by_courier=True), NOW + 30_000)

    assert [one.contact for one in turns] == [Contact.HEARD, Contact.CLOSED, Contact.COURIER]


def test_nobody_is_silent_while_the_hub_hears_nobody(connection: Connection) -> None:
    look(connection, facts(NOW), NOW)
    deaf = look(connection, facts(NOW), NOW + 300_000, listening=None)
    just_back = look(connection, facts(NOW), NOW + 330_000, listening=NOW + 320_000)
    later = look(connection, facts(NOW), NOW + 500_000, listening=NOW + 320_000)

    assert [one.contact for one in deaf] == [Contact.HEARD, Contact.UNWATCHED]
    assert just_back == deaf
    assert [one.contact for one in later] == [Contact.HEARD, Contact.UNWATCHED, Contact.SILENT]


def test_a_silence_from_before_is_not_taken_back_by_a_deaf_hub(connection: Connection) -> None:
    look(connection, facts(NOW), NOW)
    look(connection, facts(NOW), NOW + 200_000)
    turns = look(connection, facts(NOW), NOW + 900_000, listening=None)

    assert turns[1:] == [
        Turn(since_ms=NOW + 1, contact=Contact.SILENT),
        Turn(since_ms=NOW + 900_000, contact=Contact.UNWATCHED),
    ]


def test_a_hub_that_was_stopped_says_so_from_its_last_look_on(connection: Connection) -> None:
    look(connection, facts(NOW), NOW)
    keep_report(connection, HubReport(software="1"), NOW + 30_000)
    contacts.note_pause(connection, NOW + 45_000)
    still = contacts.of_site(connection, SITE)
    contacts.note_pause(connection, NOW + 7_200_000)
    turns = look(connection, facts(NOW + 7_200_000), NOW + 7_200_000, listening=NOW + 7_190_000)

    assert still == [Turn(since_ms=NOW, contact=Contact.HEARD)]
    assert turns[1:] == [
        Turn(since_ms=NOW + 30_000, contact=Contact.UNWATCHED),
        Turn(since_ms=NOW + 7_200_000, contact=Contact.HEARD),
    ]


def test_the_memory_of_a_site_is_bounded(connection: Connection) -> None:
    for at in range(TURNS_KEPT_MAX + 20):
        now = NOW + at * 1_000
        look(connection, facts(now, stopping=at % 2 == 1), now)
    turns = contacts.of_site(connection, SITE)

    assert (len(turns), turns[-1].since_ms) == (TURNS_KEPT_MAX, NOW + (TURNS_KEPT_MAX + 19) * 1_000)


def test_the_picture_ends_now_and_counts_what_it_draws() -> None:
    zone = datetime.UTC
    midnight = int(datetime.datetime(2026, 9, 21, tzinfo=zone).timestamp() * 1000)
    turns = [
        Turn(since_ms=midnight - 3_600_000, contact=Contact.HEARD),
        Turn(since_ms=midnight + 8 * 3_600_000, contact=Contact.SILENT),
    ]
    today, yesterday, *_ = days_of(turns, midnight + 10 * 3_600_000, zone)

    assert [(one.x, one.width, one.contact) for one in today.spans] == [
        (0, 480, Contact.HEARD),
        (480, 120, Contact.SILENT),
    ]
    assert (yesterday.heard_minutes, [one.x for one in yesterday.spans], days_of([], midnight, zone)[0].spans) == (
        60,
        [1380],
        (),
    )
