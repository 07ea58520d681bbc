"""Two ends of transfers in memory, and a post between them that loses, repeats and reorders letters."""

import uuid
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, update

from protocol.handovers import SIGNED_PREFIX, canonical, certificate_digest, certificate_of
from protocol.letters import Letter
from protocol.transfer_codec import items_digest
from protocol.transfer_folds import Transfer
from protocol.transfers import (
    Checking,
    Closed,
    CustodyMoved,
    Decided,
    ItemRuling,
    Loaded,
    Nature,
    Opened,
    Parcel,
    Party,
    Prepared,
    Ruled,
    Ruling,
    Side,
    Signed,
    Submitted,
    What,
)
from protocol.wording import Text
from replication import letters, transfer_items
from replication.keys import Identity, new_seed
from replication.migrations import REPLICATION
from replication.tables import letter_out
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog, transfer_of
from replication.transfer_reminders import remind
from tests.simulation.disk import engine_on, new_image

PROJECT = Path(__file__).parents[1]
HUB = ("hub", PROJECT / "hub" / "migrations")
NODE = ("node", PROJECT / "node" / "migrations")
VILLAGE, COUNTY = "330523108204", "330523000000"
DELIVERIES_MAX = 200
"""Rounds of letters after which two ends that still write go round in circles."""

NOW_MS = 1_800_000_000_000


def identity(number: int) -> Identity:
    return Identity(new_seed(bytes([number]) * 32))


class End:
    """One end: its database, its log, and what it does with letters."""

    def __init__(self, side: Side, own: Identity, other: Identity) -> None:
        self.side = side
        self.identity = own
        self.keys = {other.public_key}
        self.peer = VILLAGE if side is Side.RECEIVER else letters.HUB_PEER
        self.engine = fresh(HUB if side is Side.RECEIVER else NODE)
        self.log = TransferLog(side, own, lambda _connection, _peer: self.keys, lambda: NOW_MS)

    def do(self, step: Callable[[Connection], object]) -> object:
        with self.engine.begin() as connection:
            return step(connection)

    def append(self, transfer_id: UUID, what: What) -> Transfer:
        with self.engine.begin() as connection:
            if isinstance(what, Opened):
                return self.log.open(connection, self.peer, transfer_id, what)
            return self.log.append(connection, transfer_id, what)

    def transfer(self, transfer_id: UUID) -> Transfer | None:
        with self.engine.begin() as connection:
            return transfer_of(connection, transfer_id)

    def written(self) -> list[Letter]:
        """Every letter that was ever written here and not taken, the oldest first."""
        with self.engine.begin() as connection:
            return letters.due(connection, self.peer, NOW_MS)[0]

    def take(self, some: Sequence[Letter]) -> tuple[UUID, ...]:
        with self.engine.begin() as connection:
            return letters.take(connection, self.peer, some, self.log.handlers(), NOW_MS)

    def confirm(self, taken: Sequence[UUID]) -> None:
        with self.engine.begin() as connection:
            letters.confirm(connection, self.peer, taken)

    def faults(self) -> list[str]:
        with self.engine.begin() as connection:
            return [one.reason.en for one in letters.set_aside(connection)]

    def saved(self) -> bytes:
        """The whole database as it stands, for a backup."""
        raw = self.engine.raw_connection()
        try:
            assert raw.driver_connection is not None
            return bytes(raw.driver_connection.serialize())
        finally:
            raw.close()

    def put_back(self, backup: bytes) -> None:
        """Put a backup back: the letters' memory gets another name, as a restored database does it."""
        raw = self.engine.raw_connection()
        try:
            assert raw.driver_connection is not None
            raw.driver_connection.deserialize(backup)
        finally:
            raw.close()
        with self.engine.begin() as connection:
            letters.renew_incarnation(connection)

    def told_again(self) -> None:
        """Tell everything again, because the other end lost its memory, and what it said itself."""
        with self.engine.begin() as connection:
            connection.execute(update(letter_out).values(is_taken=0))
            remind(connection, self.peer, NOW_MS)


@cache
def _image(schema: tuple[str, Path]) -> bytes:
    return new_image([REPLICATION, schema])


def fresh(schema: tuple[str, Path]) -> Engine:
    return engine_on(_image(schema))


def two_ends() -> tuple[End, End]:
    village, county = identity(1), identity(2)
    return End(Side.GIVER, village, county), End(Side.RECEIVER, county, village)


def deliver(giver: End, receiver: End) -> None:
    """Carry letters both ways until nobody has anything to say."""
    for _ in range(DELIVERIES_MAX):
        moved = 0
        for sender, reader in ((giver, receiver), (receiver, giver)):
            some = sender.written()
            moved += len(some)
            sender.confirm(reader.take(some))
        if not moved:
            return
    raise AssertionError("the two ends never stop writing to each other")


def opened(nature: Nature = Nature.TRANSFER) -> Opened:
    return Opened(
        title="1986 年山林权属档案",
        nature=nature,
        giver=Party(site=VILLAGE, name="某村", leader="甲", handler="乙"),
        receiver=COUNTY,
    )


def parcel(number: int = 1, items: int = 3) -> Parcel:
    manifest = f"{number:02d}{items:02d}" + "a" * 60
    return Parcel(round=number, items=items, files=items * 2, size_bytes=items * 1000, manifest=manifest)


def record_ids(count: int) -> list[UUID]:
    return [UUID(int=number + 1) for number in range(count)]


def choose(end: End, transfer_id: UUID, count: int, number: int = 1) -> None:
    """Note the items that a package carries."""
    with end.engine.begin() as connection:
        transfer_items.put(
            connection,
            transfer_id,
            [
                TransferItem(record_id=one, sequence=place, ref_code=f"001-{place}", title="合同", round=number)
                for place, one in enumerate(record_ids(count))
            ],
        )


def submitted(number: int = 1, items: int = 3) -> Submitted:
    return Submitted(
        round=number, consignment=uuid.uuid5(uuid.NAMESPACE_URL, str(number)), manifest=parcel(number, items).manifest
    )


def checking(number: int = 1, items: int = 3) -> Checking:
    return Checking(round=number, manifest=parcel(number, items).manifest)


def returning(*record_ids: UUID, number: int = 1, ruling: Ruling = Ruling.RETURN) -> Ruled:
    reason = Text(zh="缺第 3 页", en="page 3 is missing")
    return Ruled(
        round=number, rulings=tuple(ItemRuling(record_id=one, ruling=ruling, reason=reason) for one in record_ids)
    )


def decided(end: End, transfer_id: UUID, number: int = 1, *, is_final: bool = False) -> Decided:
    with end.engine.begin() as connection:
        now = transfer_of(connection, transfer_id)
        assert now is not None
        accepted = transfer_items.accepted_if_decided(connection, now)
    return Decided(
        round=number,
        receiver=Party(site=COUNTY, name="县档案馆", leader="丙", handler="丁"),
        opinion="同意接收",
        is_final=is_final,
        items_digest=items_digest(accepted),
    )


def signature(end: End, transfer_id: UUID) -> Signed:
    now = end.transfer(transfer_id)
    assert now is not None
    certificate = certificate_of(now)
    assert certificate is not None
    return Signed(
        certificate=certificate_digest(certificate),
        key=end.identity.public_key,
        signature=end.identity.sign(SIGNED_PREFIX + canonical(certificate)),
    )


def moved() -> CustodyMoved:
    return CustodyMoved(records=3, epoch="e", position=9)


def loaded() -> Loaded:
    return Loaded(accession="2026-001")


def closed() -> Closed:
    return Closed()


def prepared(number: int = 1, items: int = 3) -> Prepared:
    return Prepared(parcel=parcel(number, items))
