"""Relaying: the hub takes the steps that two sites write to one another, and gives each on to the other.

The hub is no party: it writes no step. It looks at every seal with the keys of whoever wrote it, keeps the log as the
parties have it, and vouches for what it gives on. What it has given on it remembers by digest, so that a step that was
replaced after a loss goes on again, and one that came twice does not. That custody has moved it says to the receiver
only when its own catalogue shows it: the receiver has no other way to see the giver's records.
"""

from collections.abc import Callable, Collection
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hub.transfers.relay_tables import transfer_relayed
from protocol.errors import Refused
from protocol.letters import Letter, body_of
from protocol.relays import KEYS_MAX, RELAY_PREFIX, RELAYED_KIND, RelayedStep, Vouched
from protocol.transfer_codec import decode_step
from protocol.transfer_folds import Transfer
from protocol.transfers import (
    LETTER_KIND,
    WANTED_KIND,
    CustodyMoved,
    Opened,
    SealedStep,
    Side,
    Signed,
    Step,
    StepsWanted,
    TransferState,
)
from protocol.wording import Text
from replication import letters
from replication.keys import Identity
from replication.letters import Handlers
from replication.transfer_log import WITNESS, LoggedStep, TransferLog, check_seal, role_of, steps_of, transfer_of
from replication.transfer_tables import transfer_step
from replication.watermarks import marks_of

KeysOf = Callable[[Connection, str], Collection[str]]

ClockMs = Callable[[], int]


class TransferRelay:
    """The hub between two sites."""

    def __init__(self, identity: Identity, county: str, keys_of: KeysOf, clock_ms: ClockMs) -> None:
        self._identity = identity
        self._county = county
        self._keys_of = keys_of
        self._clock_ms = clock_ms
        # To the giver the hub stands for the receiver, and to the receiver for the giver.
        self._logs = {side: TransferLog(side, identity, keys_of, clock_ms, WITNESS) for side in Side}

    def handlers(self, own: TransferLog) -> Handlers:
        """Return what takes the letters about transfers: ours, and those of two sites."""
        usual = own.handlers()

        def step(connection: Connection, peer: str, letter: Letter) -> None:
            sealed = body_of(letter, SealedStep)
            if self._is_between_sites(connection, decode_step(sealed.step), sealed):
                self._take(connection, peer, sealed)
            else:
                usual[LETTER_KIND](connection, peer, letter)

        def wanted(connection: Connection, peer: str, letter: Letter) -> None:
            asked = body_of(letter, StepsWanted)
            if role_of(connection, asked.transfer) == WITNESS:
                self._give_back(connection, peer, asked)
            else:
                usual[WANTED_KIND](connection, peer, letter)

        return {LETTER_KIND: step, WANTED_KIND: wanted}

    def _is_between_sites(self, connection: Connection, step: Step, sealed: SealedStep) -> bool:
        role = role_of(connection, step.transfer)
        if role is not None:
            return role == WITNESS
        if isinstance(step.what, Opened):
            return step.what.receiver != self._county
        # A hub that was put back may hear the receiver first: its steps are not sealed by the county's key.
        return step.side is Side.RECEIVER and sealed.key != self._identity.public_key

    def _take(self, connection: Connection, peer: str, sealed: SealedStep) -> None:
        step = decode_step(sealed.step)
        giver, receiver = self._parties(connection, step)
        if peer not in (giver, receiver):
            raise Refused(Text(zh="这次移交属于另一站点。", en="the transfer is another site's"))
        host = self._host_of(connection, step)
        writer = host or (giver if step.side is Side.GIVER else receiver)
        check_seal(sealed, self._keys_of(connection, writer))
        if host and step.side is Side.RECEIVER and isinstance(step.what, Signed):
            self._check_owner(connection, step.transfer, giver)
        place = self._logs[Side.RECEIVER if peer == giver else Side.GIVER]
        place.place(connection, giver if peer == giver else receiver, step, sealed, giver)
        self.give_on(connection, step.transfer)

    def _parties(self, connection: Connection, step: Step) -> tuple[str, str]:
        now = transfer_of(connection, step.transfer)
        if now is not None and now.giver is not None:
            return now.giver.site, now.receiver_site
        if isinstance(step.what, Opened):
            return step.what.giver.site, step.what.receiver
        raise Refused(
            Text(zh="这次移交的第一步还没有收到。", en="the first step of this transfer has not come yet"),
            Text(zh="收到后自动补办。", en="It is taken up by itself once that is here."),
        )

    def _host_of(self, connection: Connection, step: Step) -> str:
        """Return the site whose node writes the steps of both parties; it is the receiver, or there is none."""
        now = transfer_of(connection, step.transfer)
        host, receiver = ("", "") if now is None else (now.host, now.receiver_site)
        if isinstance(step.what, Opened):
            host, receiver = step.what.host, step.what.receiver
        return host if host == receiver else ""

    def _check_owner(self, connection: Connection, transfer_id: UUID, owner: str) -> None:
        """Go on only if the hub has vouched for the key by which an owner signed whose fonds another node keeps.

        A node signs for the receiver after that only, so that custody never moves before it.

        Raises:
            Refused: the key was not enrolled for the owner.

        """
        before = self._given_on(connection, transfer_id, Side.GIVER)
        latest = _signatures(connection, transfer_id)[-1:]
        if not latest or before.get(latest[0].step.number) != latest[0].digest:
            raise Refused(
                Text(zh=f"签字的密钥没有登记给 {owner}。", en=f"the key that signed is not enrolled for {owner}"),
                Text(
                    zh="请所有者用自己登记过的密钥签（transfer sign --key）。",
                    en="The owner signs with a key that is enrolled for it (transfer sign --key).",
                ),
            )

    def _give_back(self, connection: Connection, peer: str, asked: StepsWanted) -> None:
        now = transfer_of(connection, asked.transfer)
        if now is None or now.giver is None or peer not in (now.giver.site, now.receiver_site):
            raise Refused(Text(zh="没有这次移交。", en="there is no such transfer of that site"))
        for side, behind in ((Side.GIVER, asked.giver), (Side.RECEIVER, asked.receiver)):
            for one in steps_of(connection, asked.transfer, side)[behind:]:
                self._tell(connection, peer, now, one)

    def give_on(self, connection: Connection, transfer_id: UUID) -> int:
        """Give on what one party has written and the other was not told yet; return how many steps."""
        now = transfer_of(connection, transfer_id)
        if now is None or now.giver is None:
            return 0
        if now.host:
            return self._name_owner(connection, now)
        told = 0
        for side, whom in ((Side.GIVER, now.receiver_site), (Side.RECEIVER, now.giver.site)):
            before = self._given_on(connection, transfer_id, side)
            for one in steps_of(connection, transfer_id, side):
                if before.get(one.step.number) == one.digest:
                    continue
                if isinstance(one.step.what, CustodyMoved) and not self._is_shown(connection, now):
                    break
                self._tell(connection, whom, now, one)
                self._remember(connection, one)
                told += 1
        return told

    def _name_owner(self, connection: Connection, now: Transfer) -> int:
        """Give the owner's signature back to the node that keeps its fonds, with the keys that are the owner's.

        It is remembered only where the key is one of them: a key that is enrolled later is named with the next step.
        """
        signed = _signatures(connection, now.transfer_id)[-1:]
        if now.giver_signature is None or now.giver is None or not signed:
            return 0
        (one,) = signed
        if self._given_on(connection, now.transfer_id, Side.GIVER).get(one.step.number) == one.digest:
            return 0
        self._tell(connection, now.receiver_site, now, one)
        if now.giver_signature.key in self._keys_of(connection, now.giver.site):
            self._remember(connection, one)
        return 1

    def _is_shown(self, connection: Connection, now: Transfer) -> bool:
        """Tell whether the catalogue has come to where the giver says that custody has moved."""
        if now.custody is None or now.giver is None or now.state is not TransferState.SIGNED:
            return True
        mark = marks_of(connection, [now.giver.site])[now.giver.site]
        # Another epoch describes everything anew, what has moved included.
        return mark.epoch != now.custody.epoch or mark.position >= now.custody.position

    def _tell(self, connection: Connection, peer: str, now: Transfer, one: LoggedStep) -> None:
        """Give one step on to a party, or back to who wrote it."""
        giver = now.giver.site if now.giver is not None else ""
        writer = giver if one.step.side is Side.GIVER else now.receiver_site
        row = connection.execute(
            select(transfer_step.c.step, transfer_step.c.key, transfer_step.c.seal).where(
                transfer_step.c.transfer_id == str(now.transfer_id),
                transfer_step.c.side == one.step.side.value,
                transfer_step.c.number == one.step.number,
            )
        ).one()
        keys = tuple(sorted(self._keys_of(connection, writer)))[:KEYS_MAX]
        vouched = msgspec.json.encode(
            Vouched(transfer=now.transfer_id, digest=one.digest, site=writer, keys=keys),
        )
        relayed = RelayedStep(
            sealed=SealedStep(step=bytes(row.step), key=row.key, seal=bytes(row.seal)),
            vouched=vouched,
            seal=self._identity.sign(RELAY_PREFIX + vouched),
        )
        letters.write(
            connection,
            peer,
            kind=RELAYED_KIND,
            topic=now.transfer_id,
            body=relayed,
            now_ms=self._clock_ms(),
        )

    def _given_on(self, connection: Connection, transfer_id: UUID, side: Side) -> dict[int, str]:
        rows = connection.execute(
            select(transfer_relayed.c.number, transfer_relayed.c.digest).where(
                transfer_relayed.c.transfer_id == str(transfer_id), transfer_relayed.c.side == side.value
            )
        )
        return {row.number: row.digest for row in rows}

    def _remember(self, connection: Connection, one: LoggedStep) -> None:
        mine = (
            (transfer_relayed.c.transfer_id == str(one.step.transfer))
            & (transfer_relayed.c.side == one.step.side.value)
            & (transfer_relayed.c.number == one.step.number)
        )
        connection.execute(delete(transfer_relayed).where(mine))
        connection.execute(
            insert(transfer_relayed).values(
                transfer_id=str(one.step.transfer),
                side=one.step.side.value,
                number=one.step.number,
                digest=one.digest,
            )
        )


def _signatures(connection: Connection, transfer_id: UUID) -> list[LoggedStep]:
    return [one for one in steps_of(connection, transfer_id, Side.GIVER) if isinstance(one.step.what, Signed)]
