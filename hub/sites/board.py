"""The board of sites: what the county expects against what is there, with one honest word for each site (promise 12).

A site is *in sync* only if its digests were found equal at the very position where both ends stand now. Everything
less has a word of its own, and the worst of them is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec
from sqlalchemy import Connection, Row, func, select

from hub.courier import couriers
from hub.membership import keyring
from hub.repair import comparisons, rebuilds, repairs
from hub.repair.comparisons import Comparison, Sameness
from hub.repair.repairs import Repair
from hub.tables import entry, node_state
from protocol.beats import Beat, Want
from protocol.limits import BEAT_FAULTS_MAX, OFFLINE_AFTER_S, SEQ_MAX
from protocol.rhythms import sound
from protocol.wording import Text
from replication import quarantine
from replication.dialects import upsert
from replication.tables import watermark

FAULT_NAMES_CHARS_MAX = 400
"""Characters of the names of a site's faults that are kept."""

STRANGER = Text(zh="（不在名录中）", en="(not expected)")
"""What stands in place of the name of a site that nobody expects."""


class Word(StrEnum):
    """The state of a site in one word; the first that holds, in this order, is the site's."""

    NOT_ENROLLED = "not_enrolled"
    """No installation may speak for it: none was enrolled, or all were revoked."""
    REBUILDING = "rebuilding"
    """The catalogue was rebuilt, and this site's entries are not all here again: searches of the copy miss some."""
    NEVER_SEEN = "never_seen"
    """Enrolled, but no sign of life yet."""
    OFFLINE = "offline"
    """It said goodbye, or was silent for too long though it is expected on the line."""
    FORKED = "forked"
    """Two histories contradict each other; the site was asked to begin a new epoch."""
    DIFFERS = "differs"
    """Compared at the present position, and not equal; or a repair is open (``hub.repair.repairs``)."""
    BEHIND = "behind"
    """The site has minted events that are not applied here yet."""
    HELD = "held"
    """The site's mass-change brake holds a change back until somebody decides."""
    BY_COURIER = "by_courier"
    """The last that was heard came on a stick; everything in it is applied, and the comparison says as of then."""
    NOT_COMPARED = "not_compared"
    """Everything is applied, but the digests were not compared at this position."""
    IN_SYNC = "in_sync"


WORDS = {
    Word.NOT_ENROLLED: Text(zh="未登记", en="not enrolled"),
    Word.REBUILDING: Text(zh="重建中", en="being rebuilt"),
    Word.NEVER_SEEN: Text(zh="从未上线", en="never seen"),
    Word.OFFLINE: Text(zh="离线", en="offline"),
    Word.FORKED: Text(zh="历史冲突", en="contradicts itself"),
    Word.DIFFERS: Text(zh="内容不一致", en="differs"),
    Word.BEHIND: Text(zh="未追平", en="behind"),
    Word.HELD: Text(zh="变更待定", en="held"),
    Word.BY_COURIER: Text(zh="信使包", en="by courier"),
    Word.NOT_COMPARED: Text(zh="已追平，未核对", en="applied, not compared"),
    Word.IN_SYNC: Text(zh="一致", en="in sync"),
}


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """The last sign of life of a site, as it is stored."""

    site: str
    node: str
    epoch: str
    seq: int
    published: int
    outbox_frames: int
    records: int
    withheld: int
    rejected: int
    warned: int
    files: int
    brakes_held: int
    importing: bool
    stopping: bool = False
    """It was a goodbye."""
    disk_free_bytes: int
    software: str
    started_at_ms: int
    seen_at_ms: int
    rhythm: str = ""
    """JSON of the ``protocol.rhythms.Rhythm`` that it declares; empty if it declares none."""
    folders_unread: int = 0
    kept_faulty: int = 0
    """Files that it keeps for others and that are not as they came."""
    faults: str = ""
    """Names of faults of its link, with commas."""
    clock_offset_ms: int | None = None
    """How far its clock was ahead of the hub's."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a site's history is applied here, and since when."""

    site: str
    epoch: str
    position: int
    want: Want
    moved_at_ms: int


class SiteState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the board."""

    site: str
    name: str = ""
    word: Word
    expected: bool = False
    enrolled_nodes: int = 0
    revoked_nodes: int = 0
    seen_at_ms: int | None = None
    epoch: str = ""
    applied: int = 0
    """Position applied here."""
    lag: int = 0
    """Positions that the site has minted and that are not applied here; in a new epoch, all of them."""
    moved_at_ms: int | None = None
    records: int = 0
    """Records that the site says it publishes."""
    hub_records: int | None = None
    """Records of the site that the hub holds; None where they were not counted."""
    withheld: int = 0
    rejected: int = 0
    warned: int = 0
    files: int = 0
    brakes_held: int = 0
    quarantined: int = 0
    want: Want = Want.NOTHING
    outbox_frames: int = 0
    importing: bool = False
    stopping: bool = False
    """Its last sign of life was a goodbye: its program has closed."""
    disk_free_bytes: int = 0
    software: str = ""
    comparison: Comparison | None = None
    repair: Repair | None = None
    """The site's open repair, else its latest one."""
    rebuilding_since_ms: int | None = None
    """Since when its entries are being fetched anew; None if they are all here."""
    courier_at_ms: int | None = None
    """When the last bundle was taken, if the site comes by courier."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the board knows of one site, before it is put into a word."""

    site: str
    name: str = ""
    expected: bool = False
    enrolled_nodes: int = 0
    revoked_nodes: int = 0
    node: NodeState | None = None
    mark: Mark | None = None
    comparison: Comparison | None = None
    quarantined: int = 0
    hub_records: int | None = None
    repair: Repair | None = None
    rebuilding_since_ms: int | None = None
    comes_by_courier: bool = False
    courier_at_ms: int | None = None
    """When its last bundle was taken."""


def is_offline(seen_at_ms: int, now_ms: int) -> bool:
    """Tell whether a site counts as offline: silent for longer than ``OFFLINE_AFTER_S``."""
    return now_ms - seen_at_ms > OFFLINE_AFTER_S * 1000


def is_away(node: NodeState, now_ms: int) -> bool:
    """Tell whether nobody need wait for a site: it said goodbye, or counts as offline."""
    return node.stopping or is_offline(node.seen_at_ms, now_ms)


def lag_of(node: NodeState, mark: Mark | None) -> int:
    """Return how many positions a site is ahead of what is applied here."""
    applied = mark.position if mark is not None and mark.epoch == node.epoch else 0
    return max(0, node.seq - applied)


def word_of(facts: Facts, now_ms: int) -> Word:
    """Put a site's state into one word; the worst that holds."""
    node = facts.node
    if not facts.enrolled_nodes:
        return Word.NOT_ENROLLED
    if facts.rebuilding_since_ms is not None:
        return Word.REBUILDING
    if node is None:
        return Word.BY_COURIER if facts.comes_by_courier else Word.NEVER_SEEN
    if is_away(node, now_ms) and not is_by_courier(facts):
        return Word.OFFLINE
    return _word_of_copy(facts, node)


def _word_of_copy(facts: Facts, node: NodeState) -> Word:
    """Say how what is held here stands to what a site last said of itself."""
    mark, compared = facts.mark, compared_here(facts)
    if mark is not None and mark.want is Want.NEW_EPOCH:
        return Word.FORKED
    is_ill = facts.repair is not None and facts.repair.healed_at_ms is None
    is_asked = mark is not None and mark.want is Want.BASELINE
    if is_asked or is_ill or (compared is not None and compared.state is Sameness.DIFFERENT):
        return Word.DIFFERS
    if lag_of(node, mark):
        return Word.BEHIND
    if is_by_courier(facts):
        return Word.BY_COURIER
    if node.brakes_held:
        return Word.HELD
    equal = compared is not None and compared.state is Sameness.EQUAL and compared.holds_at(node.epoch, node.seq)
    return Word.IN_SYNC if equal else Word.NOT_COMPARED


def is_by_courier(facts: Facts) -> bool:
    """Tell whether the last that was heard of a site came on a stick: nobody waits for its beats then."""
    seen_at_ms = facts.node.seen_at_ms if facts.node is not None else None
    return facts.comes_by_courier and couriers.has_last_word(facts.courier_at_ms, seen_at_ms)


def compared_here(facts: Facts) -> Comparison | None:
    """Return the site's last comparison if it was made where its history is applied now, and came to a result."""
    last, mark = facts.comparison, facts.mark
    if last is None or last.state is Sameness.NOT_COMPARABLE:
        return None
    # Of a site that has never minted anything nothing is applied, and that is all of it.
    here = (mark.epoch, mark.position) if mark is not None else (last.epoch, 0)
    return last if last.holds_at(*here) else None


def state_of(facts: Facts, now_ms: int) -> SiteState:
    """Return a site's line of the board."""
    node, mark = facts.node, facts.mark
    line = SiteState(
        site=facts.site,
        name=facts.name,
        word=word_of(facts, now_ms),
        expected=facts.expected,
        enrolled_nodes=facts.enrolled_nodes,
        revoked_nodes=facts.revoked_nodes,
        epoch=mark.epoch if mark else "",
        applied=mark.position if mark else 0,
        moved_at_ms=mark.moved_at_ms if mark else None,
        want=mark.want if mark else Want.NOTHING,
        hub_records=facts.hub_records,
        quarantined=facts.quarantined,
        comparison=facts.comparison,
        repair=facts.repair,
        rebuilding_since_ms=facts.rebuilding_since_ms,
        courier_at_ms=facts.courier_at_ms,
    )
    if node is None:
        return line
    return msgspec.structs.replace(
        line,
        seen_at_ms=node.seen_at_ms,
        lag=lag_of(node, mark),
        records=node.records,
        withheld=node.withheld,
        rejected=node.rejected,
        warned=node.warned,
        files=node.files,
        brakes_held=node.brakes_held,
        outbox_frames=node.outbox_frames,
        importing=node.importing,
        stopping=node.stopping,
        disk_free_bytes=node.disk_free_bytes,
        software=node.software,
    )


# Signs of life


def record_beats(connection: Connection, beats: Sequence[Beat], now_ms: int) -> None:
    """Note signs of life; of several by one site the last counts."""
    rows = [_beat_row(beat, now_ms) for beat in {beat.site: beat for beat in beats}.values()]
    if not rows:
        return
    statement = upsert(node_state)
    moved = {name: statement.excluded[name] for name in rows[0] if name != "site"}
    connection.execute(statement.on_conflict_do_update(index_elements=[node_state.c.site], set_=moved), rows)


def _beat_row(beat: Beat, now_ms: int) -> dict[str, object]:
    given = msgspec.structs.asdict(beat) | {
        "importing": int(beat.importing),
        "stopping": int(beat.stopping),
        "seen_at_ms": now_ms,
        "rhythm": msgspec.json.encode(sound(beat.rhythm)).decode() if beat.rhythm else "",
        "faults": ",".join(beat.faults[:BEAT_FAULTS_MAX])[:FAULT_NAMES_CHARS_MAX],
        "clock_offset_ms": beat.at_ms - now_ms if beat.at_ms else None,
    }
    # A number that the database cannot hold must not keep the other sites' beats from being noted.
    return {
        name: max(-SEQ_MAX, min(value, SEQ_MAX)) if isinstance(value, int) else value
        for name, value in given.items()
        if name in node_state.c
    }


# Reading


def node_states(connection: Connection) -> dict[str, NodeState]:
    """Return the last sign of life of every site that ever gave one."""
    return {row.site: _node_state(row) for row in connection.execute(select(node_state))}


def node_state_of(connection: Connection, site: str) -> NodeState | None:
    """Return the last sign of life of one site; None if it never gave any."""
    row = connection.execute(select(node_state).where(node_state.c.site == site)).one_or_none()
    return None if row is None else _node_state(row)


def _node_state(row: Row[*tuple[object, ...]]) -> NodeState:
    return msgspec.convert(row, NodeState, from_attributes=True, strict=False)


def marks(connection: Connection) -> dict[str, Mark]:
    """Return how far every site is applied."""
    columns = (watermark.c.site, watermark.c.epoch, watermark.c.position, watermark.c.want, watermark.c.moved_at_ms)
    return {row.site: _mark(row) for row in connection.execute(select(*columns))}


def _mark(row: Row[str, str, int, str, int]) -> Mark:
    return Mark(
        site=row.site,
        epoch=row.epoch,
        position=row.position,
        want=Want(row.want),
        moved_at_ms=row.moved_at_ms,
    )


def counts_by_site(connection: Connection) -> dict[str, int]:
    """Return how many records of each site the hub holds: one walk along an index, a second for some millions."""
    statement = select(entry.c.site, func.count().label("held")).where(entry.c.body.is_not(None)).group_by(entry.c.site)
    return {row.site: row.held for row in connection.execute(statement)}


def gathered(connection: Connection, *, with_counts: bool = True) -> list[Facts]:
    """Return what is known of every site that is expected, enrolled, seen or applied, in the order of their codes."""
    names = keyring.site_names(connection)
    nodes = keyring.nodes(connection, with_revoked=True)
    seen, applied, compared = node_states(connection), marks(connection), comparisons.kept(connection)
    aside, repaired = quarantine.counts(connection), repairs.latest_by_site(connection)
    renewing, carried = rebuilds.pending(connection), couriers.last_taken(connection)
    held: Mapping[str, int] = counts_by_site(connection) if with_counts else {}
    enrolled = Counter(one.site for one in nodes if one.revoked_at_ms is None)
    revoked = Counter(one.site for one in nodes if one.revoked_at_ms is not None)
    sites = names.keys() | enrolled.keys() | revoked.keys() | seen.keys() | applied.keys() | renewing.keys()
    return [
        Facts(
            site=site,
            name=names.get(site, ""),
            expected=site in names,
            enrolled_nodes=enrolled[site],
            revoked_nodes=revoked[site],
            node=seen.get(site),
            mark=applied.get(site),
            comparison=compared.get(site),
            quarantined=aside.get(site, 0),
            hub_records=held.get(site, 0) if with_counts else None,
            repair=repaired.get(site),
            rebuilding_since_ms=renewing.get(site),
            comes_by_courier=site in carried,
            courier_at_ms=carried.get(site),
        )
        for site in sorted(sites)
    ]


def board(connection: Connection, now_ms: int, *, site_glob: str = "", with_counts: bool = True) -> list[SiteState]:
    """Return the board, or the lines of it whose site codes match."""
    found = gathered(connection, with_counts=with_counts)
    return [state_of(facts, now_ms) for facts in found if matches(facts.site, site_glob)]


def matches(site: str, site_glob: str) -> bool:
    """Tell whether a site code matches a pattern with ``*`` and ``?``; an empty pattern matches all."""
    return not site_glob or fnmatchcase(site, site_glob)
