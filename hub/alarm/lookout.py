"""The lookout: looks at all sites and at the broker every few seconds, and keeps the book of alarms (promise 12).

Nobody is called silent while the hub itself could not hear: after a lost link or a restart the clocks of silence start
anew, and what was open stays open until the site is heard.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import structlog
from sqlalchemy import Connection

from hub.alarm import alarm_book
from hub.alarm.alarm_book import Turn
from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import Alarm, AlarmKind, Cause, Finding
from hub.alarm.health import HubReport, keep_report
from hub.alarm.overdue import LINELESS, overdue_backups, overdue_bundles
from hub.alarm.refusals import Refusals
from hub.alarm.silence import Listening, rhythm_of, silences
from hub.alarm.stalls import HUB_STALL_S, BrokerSigns, course_after, hub_stall, stalls_of
from hub.backup.backups import BackupFinding
from hub.keeping.keeping_findings import kept_at_sites
from hub.membership import keyring
from hub.sites import contacts
from hub.sites.board import gathered, is_by_courier
from protocol.errors import Permanent, Retryable
from protocol.wording import Text
from replication.brokers import ClusterSigns
from replication.database import Database
from replication.streams import Backlog

LOOK_EVERY_S = 15.0
"""Seconds between two looks: half a heartbeat."""

REFUSALS_KEPT_MAX = 1_000
"""Sites of which a refused key is remembered."""

log = structlog.get_logger(__name__)


class Lookout:
    """Keeps the book of alarms; ``run`` is its loop, ``step`` one look."""

    def __init__(
        self,
        database: Database,
        county: str,
        settings: AlarmSettings,
        backlog: Callable[[], Awaitable[Backlog]],
        is_connected: Callable[[], bool],
        refusals: Refusals,
        clock_ms: Callable[[], int],
        software: str = "",
    ) -> None:
        self._database = database
        self._county = county
        self._settings = settings
        self._backlog = backlog
        self._is_connected = is_connected
        self._refusals = refusals
        self._clock_ms = clock_ms
        self._software = software
        self._started_at_ms = clock_ms()
        self._listening_since_ms: int | None = None
        self._deaf_since_ms: int | None = clock_ms()
        self._broker = BrokerSigns()
        self._connected = asyncio.Event()
        self._taken = 0
        self._refused_ms: dict[str, int] = {}
        self._backups: Callable[[int], Sequence[BackupFinding]] = lambda _: ()
        self._books: list[Callable[[Connection, int], Sequence[Finding]]] = []
        self._cluster: Callable[[], Awaitable[ClusterSigns]] | None = None
        self._signs: ClusterSigns | None = None

    def watch_backups(self, look: Callable[[int], Sequence[BackupFinding]]) -> None:
        """Have it looked at, too, what there is to say about the hub's backups at a moment; it may read a file."""
        self._backups = look

    def watch_book(self, look: Callable[[Connection, int], Sequence[Finding]]) -> None:
        """Have it looked at, too, what one of the hub's own books says at a moment: held files, audit logs."""
        self._books.append(look)

    def watch_cluster(self, look: Callable[[], Awaitable[ClusterSigns]]) -> None:
        """Have it looked at, too, how the copies of the stream are."""
        self._cluster = look

    def hear_link(self) -> None:
        """Note a new connection to the broker: before it nobody could be heard, and health is another now."""
        self._listening_since_ms = None
        self._connected.set()

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            # Before the look: a link that comes up during it is looked at again.
            self._connected.clear()
            try:
                await self.step()
            except Retryable as error:
                log.warning("look_postponed", reason=error.reason.en)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._connected.wait()

    async def step(self) -> Turn:
        """Look once, and return what changed.

        Raises:
            Retryable: the database is busy or full; nothing was noted.

        """
        now_ms = self._clock_ms()
        await self._look_at_broker(now_ms)
        refused = await asyncio.to_thread(self._refusals.read)
        backups = overdue_backups(self._county, await asyncio.to_thread(self._backups, now_ms))
        free = (await asyncio.to_thread(shutil.disk_usage, self._database.folder)).free
        report = HubReport(
            software=self._software,
            started_at_ms=self._started_at_ms,
            listening_since_ms=self._listening_since_ms,
            broker=self._broker,
            disk_free_bytes=free,
            cluster=self._signs,
        )

        def look(connection: Connection) -> Turn:
            contacts.note_pause(connection, now_ms)
            keep_report(connection, report, now_ms)
            self._note_refusals(connection, refused, now_ms)
            return self._judge(connection, backups, now_ms)

        turn = await self._database.write(look)
        _tell_log(turn)
        return turn

    async def _look_at_broker(self, now_ms: int) -> None:
        if not self._is_connected():
            self._listening_since_ms = None
            self._deaf_since_ms = self._deaf_since_ms or now_ms
            self._broker = BrokerSigns()
            self._signs = None
            return
        self._deaf_since_ms = None
        self._listening_since_ms = self._listening_since_ms or now_ms
        try:
            seen = await self._backlog()
            self._signs = None if self._cluster is None else await self._cluster()
        except (Retryable, Permanent):
            # Connected, but the stream does not answer now: nothing is known of what waits.
            self._broker = BrokerSigns(
                is_connected=True,
                still_since_ms=self._broker.still_since_ms,
                # A single broker that is busy answers later; a cluster that lost too many servers never does.
                mute_since_ms=(self._broker.mute_since_ms or now_ms) if self._cluster is not None else None,
            )
            self._signs = None
            return
        stands = seen.pending > 0 and seen.taken == self._taken
        still_since_ms = (self._broker.still_since_ms or now_ms) if stands else None
        self._taken = seen.taken
        self._broker = BrokerSigns(
            is_connected=True, last=seen.last, pending=seen.pending, still_since_ms=still_since_ms
        )

    def _note_refusals(self, connection: Connection, refused: frozenset[str], now_ms: int) -> None:
        for key in refused:
            node = keyring.node(connection, key)
            if node is not None and (node.site in self._refused_ms or len(self._refused_ms) < REFUSALS_KEPT_MAX):
                self._refused_ms[node.site] = now_ms

    def _judge(self, connection: Connection, backups: Sequence[Finding], now_ms: int) -> Turn:
        known, enrolled = alarm_book.open_alarms(connection), _enrolled(connection)
        facts = gathered(connection, with_counts=False)
        contacts.note(connection, facts, self._listening_since_ms, now_ms)
        own = [*backups, *(finding for look in self._books for finding in look(connection, now_ms))]
        own += kept_at_sites(facts)
        lineless = [*own, *overdue_bundles(facts, enrolled, self._settings.bundle_overdue_days, now_ms)]
        rhythms = {one.site: rhythm_of(one.node, self._settings) for one in facts}
        if self._listening_since_ms is None:
            findings = [*_held(known), *self._deaf(now_ms), *lineless]
            return alarm_book.turn(connection, findings, rhythms, self._settings, now_ms)
        before = alarm_book.courses(connection)
        after = {one.site: course_after(before.get(one.site), one.node, one.mark, now_ms) for one in facts if one.node}
        alarm_book.keep_courses(connection, [one for one in after.values() if one != before.get(one.site)])
        listening = Listening(
            since_ms=self._listening_since_ms,
            refused_ms=self._refused_ms,
            enrolled_ms=enrolled,
            open_alarms=frozenset(one.site for one in known if one.kind is AlarmKind.SILENT),
        )
        findings = [*lineless, *silences(facts, after, listening, self._settings, now_ms)]
        days = self._settings.folder_unread_days
        for one in facts:
            # A bundle counts as a sign of life for a while, but tells nothing of what moves on the line.
            if one.node is not None and one.enrolled_nodes and not is_by_courier(one):
                findings += stalls_of(one.node, one.mark, after[one.site], self._broker, now_ms, days)
        stalled = hub_stall(self._county, self._broker, now_ms)
        return alarm_book.turn(
            connection, [*findings, *([stalled] if stalled else [])], rhythms, self._settings, now_ms
        )

    def _deaf(self, now_ms: int) -> list[Finding]:
        if self._deaf_since_ms is None or now_ms - self._deaf_since_ms < HUB_STALL_S * 1000:
            return []
        seconds = (now_ms - self._deaf_since_ms) // 1000
        fact = Text(
            zh=f"县级枢纽 {seconds} 秒连不上消息服务器", en=f"the hub has not reached the broker for {seconds} s"
        )
        return [Finding(site=self._county, kind=AlarmKind.NOT_APPLIED, cause=Cause.HUB, evidence=(fact,))]


def _held(known: list[Alarm]) -> list[Finding]:
    """Return what was wrong before as it was: a hub that hears nobody cannot say that it is over."""
    return [
        Finding(site=one.site, kind=one.kind, cause=one.cause, evidence=one.evidence)
        for one in known
        if one.cleared_at_ms is None and one.kind is not AlarmKind.NOT_APPLIED and one.kind not in LINELESS
    ]


def _enrolled(connection: Connection) -> Mapping[str, int]:
    return {one.site: one.enrolled_at_ms for one in keyring.nodes(connection)}


def _tell_log(turn: Turn) -> None:
    for one in turn.opened:
        log.warning("alarm_opened", site=one.site, kind=one.kind.value, cause=one.cause.value)
    for notice in turn.told:
        log.warning("alarm_told", site=notice.alarm.site, kind=notice.alarm.kind.value, addressee=notice.addressee)
    for one in turn.closed:
        log.info("alarm_closed", site=one.site, kind=one.kind.value)
