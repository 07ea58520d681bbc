"""The log of transfers at one end: writes its own steps, takes the other end's, and keeps what both come to.

Everything happens in the caller's transaction: a step, the letter that tells it, the state that follows and what it
means for the items stand together or not at all. A step that comes twice changes nothing. A step that comes before its
predecessor waits in the table. An end whose database was put back has lost steps of its own: the other end has them,
with the seal of the key that wrote them, and gives them back; until then, or where the end has meanwhile gone another
way under the same numbers, what the other end holds is what counts, for that is what it has acted on.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection, Row, delete, exists, insert, select

from protocol.errors import BadValue, Refused
from protocol.letters import Letter, body_of
from protocol.transfer_codec import decode_step, encode_step, step_digest
from protocol.transfer_folds import Transfer
from protocol.transfer_states import after, fold, in_order, refusal
from protocol.transfers import (
    LETTER_KIND,
    SEAL_PREFIX,
    WANTED_KIND,
    Opened,
    SealedStep,
    Side,
    Step,
    StepsWanted,
    TransferState,
    What,
)
from protocol.wording import Text
from replication import letters, transfer_items
from replication.dialects import upsert
from replication.keys import Identity, verified
from replication.letters import Handlers
from replication.transfer_tables import transfer, transfer_step

LOOK_S: Final = 5.0
"""Seconds between two looks of a site's program for transfers that wait, while any is open."""

REST_S: Final = 30.0
"""The same while none is: the next one is begun by a person, or comes with a letter."""

log = structlog.get_logger(__name__)


KeysOf = Callable[[Connection, str], Collection[str]]
"""The keys that may write for a peer now: those that are enrolled and not revoked."""


USUAL: Final = ""
"""The part that an end plays in a transfer unless another is said: the hub receives, a site gives."""

RECEIVING: Final = "receiver"
"""The part of a site that takes records of another site into its custody."""

HOST: Final = "host"
"""The part of a site that keeps the fonds of both parties, and so writes the steps of both."""

WITNESS: Final = "witness"
"""The part of a hub that carries the steps of two sites from one to the other."""


class LoggedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step as the log has it."""

    step: Step
    digest: str
    key: str
    noted_at_ms: int
    """When this end wrote or took it, by its own clock."""


class TransferLog:
    """One end of all its transfers."""

    def __init__(
        self, side: Side, identity: Identity, keys_of: KeysOf, clock_ms: Callable[[], int], role: str = USUAL
    ) -> None:
        self.side = side
        self.identity = identity
        self.role = role
        self._keys_of = keys_of
        self._clock_ms = clock_ms

    def handlers(self) -> Handlers:
        """Return what takes the letters about transfers."""
        return {LETTER_KIND: self._take, WANTED_KIND: self._give_back}

    def open(self, connection: Connection, peer: str, transfer_id: UUID, opened: Opened, by: str = "") -> Transfer:
        """Begin a transfer at the giver; with an id that is known it changes nothing.

        Raises:
            Refused: this end is not the giver.

        """
        known = transfer_of(connection, transfer_id)
        if known is not None:
            return known
        return self._write(connection, peer, opened.giver.site, Transfer(transfer_id=transfer_id), opened, by)

    def append(self, connection: Connection, transfer_id: UUID, what: What, by: str = "") -> Transfer:
        """Write the next step of this side, and return what the transfer comes to with it.

        Raises:
            BadValue: there is no such transfer.
            Refused: the step may not follow now; nothing was written.

        """
        row = self._row_of(connection, transfer_id)
        if row is None:
            raise no_such(str(transfer_id))
        now = folded(connection, transfer_id)
        return self._write(connection, row.peer, row.site, now, what, by)

    def _write(self, connection: Connection, peer: str, site: str, now: Transfer, what: What, by: str) -> Transfer:
        reason = refusal(now, self.side, what)
        if reason is not None:
            raise Refused(reason, Text(zh="请先查看移交的当前状态。", en="Look at where the transfer stands first."))
        own = steps_of(connection, now.transfer_id, self.side)
        step = Step(
            transfer=now.transfer_id,
            side=self.side,
            number=len(own) + 1,
            heard=len(steps_of(connection, now.transfer_id, self.side.other)),
            previous=own[-1].digest if own else "",
            at_ms=self._clock_ms(),
            by=by,
            what=what,
        )
        raw = encode_step(step)
        sealed = SealedStep(step=raw, key=self.identity.public_key, seal=self.identity.sign(SEAL_PREFIX + raw))
        before = self._order(connection, now.transfer_id)
        self._keep(connection, step, sealed)
        letters.write(connection, peer, kind=LETTER_KIND, topic=now.transfer_id, body=sealed, now_ms=self._clock_ms())
        return self._settle(connection, peer, site, now.transfer_id, before)

    def _take(self, connection: Connection, peer: str, letter: Letter) -> None:
        self.take(connection, peer, body_of(letter, SealedStep), peer, self._keys_of(connection, peer))

    def take(self, connection: Connection, peer: str, sealed: SealedStep, writer: str, keys: Collection[str]) -> None:
        """Take a step of the other end, or one of our own that it gives back.

        Args:
            connection: within the transaction of the letter that brought it.
            peer: whom we write letters to about this transfer.
            sealed: the step.
            writer: the site whose step it is, if it is the other end's.
            keys: the keys that may write for that site now.

        Raises:
            Refused: it is another site's transfer, or the seal is not to be believed.
            BadValue: it cannot be read.

        """
        step = decode_step(sealed.step)
        row = self._row_of(connection, step.transfer)
        allowed = {self.identity.public_key} if step.side is self.side else set(keys)
        self._check(row is not None and row.peer != peer, allowed, sealed)
        if isinstance(step.what, Opened) and self.side is Side.RECEIVER and step.what.giver.site != writer:
            raise Refused(Text(zh="移交单位与来件站点不符。", en="the giver named is not the site that wrote"))
        self.place(connection, peer, step, sealed, row.site if row is not None else self._site_of(writer, step))

    def place(self, connection: Connection, peer: str, step: Step, sealed: SealedStep, site: str) -> None:
        """Put a step in its place whose seal was looked at, and do what follows from it."""
        before = self._order(connection, step.transfer)
        if not self._placed(connection, peer, step, sealed):
            return
        own = len(steps_of(connection, step.transfer, self.side))
        if step.side is not self.side and step.heard > own:
            log.warning("transfer_steps_lost", transfer=str(step.transfer), own=own, heard=step.heard)
            self._want(connection, peer, step.transfer)
        self._settle(connection, peer, site, step.transfer, before)

    def _row_of(self, connection: Connection, transfer_id: UUID) -> Row[str, str] | None:
        return connection.execute(
            select(transfer.c.peer, transfer.c.site).where(transfer.c.transfer_id == str(transfer_id))
        ).one_or_none()

    def _check(self, is_anothers: bool, allowed: Collection[str], sealed: SealedStep) -> None:  # noqa: FBT001 - a fact
        if is_anothers:
            raise Refused(Text(zh="这次移交属于另一站点。", en="the transfer is another site's"))
        check_seal(sealed, allowed)

    def _site_of(self, writer: str, step: Step) -> str:
        """Whose transfer it is that is seen for the first time."""
        if self.side is Side.RECEIVER and step.side is Side.GIVER:
            return writer
        # Only an end that was put back meets its own transfer so: its first step, given back, names the site.
        return step.what.giver.site if isinstance(step.what, Opened) else ""

    def _placed(self, connection: Connection, peer: str, step: Step, sealed: SealedStep) -> bool:
        """Put a step in its place; False if nothing has changed."""
        held = {one.step.number: one for one in logged(connection, step.transfer, step.side)}
        same, behind = held.get(step.number), held.get(step.number - 1)
        digest = step_digest(sealed.step)
        if same is not None and same.digest == digest:
            return False
        is_fork = same is not None or (behind is not None and behind.digest != step.previous)
        if is_fork and step.side is not self.side:
            # They have gone another way after a loss; what we hold, and acted on, is given back to them.
            log.warning("transfer_forked", transfer=str(step.transfer), number=step.number)
            self._send(connection, peer, step.transfer, step.side, step.number - 2)
            return False
        if is_fork:
            log.warning("transfer_steps_replaced", transfer=str(step.transfer), number=step.number)
            connection.execute(
                delete(transfer_step).where(
                    transfer_step.c.transfer_id == str(step.transfer),
                    transfer_step.c.side == step.side.value,
                    transfer_step.c.number >= step.number,
                )
            )
        self._keep(connection, step, sealed)
        return True

    def _keep(self, connection: Connection, step: Step, sealed: SealedStep) -> None:
        connection.execute(
            insert(transfer_step).values(
                transfer_id=str(step.transfer),
                side=step.side.value,
                number=step.number,
                digest=step_digest(sealed.step),
                noted_at_ms=self._clock_ms(),
                key=sealed.key,
                seal=sealed.seal,
                step=sealed.step,
            )
        )

    def _settle(
        self, connection: Connection, peer: str, site: str, transfer_id: UUID, before: Sequence[Step]
    ) -> Transfer:
        """Fold the log anew, and do to the items what the steps say that count since."""
        known = {(step.side, step.number) for step in before}
        now = Transfer(transfer_id=transfer_id)
        for step in self._order(connection, transfer_id):
            then, now = now, after(now, step)
            if (step.side, step.number) not in known and (step.side, step.number) not in now.void:
                transfer_items.follow(connection, step, then)
        _remember(connection, peer, site or (now.giver.site if now.giver else ""), now, self._clock_ms(), self.role)
        return now

    def _order(self, connection: Connection, transfer_id: UUID) -> list[Step]:
        giver, receiver = (_contiguous(connection, transfer_id, side) for side in Side)
        return list(in_order(giver, receiver))

    def _want(self, connection: Connection, peer: str, transfer_id: UUID) -> None:
        giver, receiver = (len(steps_of(connection, transfer_id, side)) for side in Side)
        wanted = StepsWanted(transfer=transfer_id, giver=giver, receiver=receiver)
        letters.write(connection, peer, kind=WANTED_KIND, topic=transfer_id, body=wanted, now_ms=self._clock_ms())

    def _give_back(self, connection: Connection, peer: str, letter: Letter) -> None:
        wanted = body_of(letter, StepsWanted)
        row = self._row_of(connection, wanted.transfer)
        if row is None or row.peer != peer:
            raise Refused(Text(zh="没有这次移交。", en="there is no such transfer of that site"))
        self.give_back(connection, peer, wanted)

    def give_back(self, connection: Connection, peer: str, wanted: StepsWanted) -> None:
        """Give a peer the steps that it lost."""
        self._send(connection, peer, wanted.transfer, Side.GIVER, wanted.giver)
        self._send(connection, peer, wanted.transfer, Side.RECEIVER, wanted.receiver)

    def _send(self, connection: Connection, peer: str, transfer_id: UUID, side: Side, behind: int) -> None:
        rows = connection.execute(
            select(transfer_step.c.step, transfer_step.c.key, transfer_step.c.seal)
            .where(
                transfer_step.c.transfer_id == str(transfer_id),
                transfer_step.c.side == side.value,
                transfer_step.c.number > behind,
            )
            .order_by(transfer_step.c.number)
        ).all()
        for row in rows:
            sealed = SealedStep(step=bytes(row.step), key=row.key, seal=bytes(row.seal))
            letters.write(connection, peer, kind=LETTER_KIND, topic=transfer_id, body=sealed, now_ms=self._clock_ms())


def logged(connection: Connection, transfer_id: UUID, side: Side | None = None) -> list[LoggedStep]:
    """Return the steps that are here, those included that wait for a predecessor: by side and number."""
    statement = select(transfer_step).where(transfer_step.c.transfer_id == str(transfer_id))
    if side is not None:
        statement = statement.where(transfer_step.c.side == side.value)
    return [
        LoggedStep(step=decode_step(bytes(row.step)), digest=row.digest, key=row.key, noted_at_ms=row.noted_at_ms)
        for row in connection.execute(statement.order_by(transfer_step.c.side, transfer_step.c.number))
    ]


def steps_of(connection: Connection, transfer_id: UUID, side: Side) -> list[LoggedStep]:
    """Return the steps of a side from 1 on, up to the first that is missing or does not follow from the one before."""
    found: list[LoggedStep] = []
    for one in logged(connection, transfer_id, side):
        if one.step.number != len(found) + 1 or one.step.previous != (found[-1].digest if found else ""):
            break
        found.append(one)
    return found


def _contiguous(connection: Connection, transfer_id: UUID, side: Side) -> list[Step]:
    return [one.step for one in steps_of(connection, transfer_id, side)]


def folded(connection: Connection, transfer_id: UUID) -> Transfer:
    """Return what the log comes to now."""
    giver = _contiguous(connection, transfer_id, Side.GIVER)
    return fold(transfer_id, giver, _contiguous(connection, transfer_id, Side.RECEIVER))


def transfer_of(connection: Connection, transfer_id: UUID) -> Transfer | None:
    """Return a transfer as it stands; None if nothing is known of it."""
    raw = connection.scalar(select(transfer.c.folded).where(transfer.c.transfer_id == str(transfer_id)))
    return None if raw is None else msgspec.json.decode(raw, type=Transfer)


def transfer_named(connection: Connection, written: str) -> Transfer:
    """Return the transfer whose id begins with what a person wrote.

    Raises:
        BadValue: there is none, or more than one.

    """
    begin = written.strip().lower()
    rows = connection.execute(
        select(transfer.c.folded).where(transfer.c.transfer_id.startswith(begin, autoescape=True)).limit(2)
    ).all()
    if not begin or len(rows) != 1:
        raise no_such(written)
    return msgspec.json.decode(rows[0].folded, type=Transfer)


def role_of(connection: Connection, transfer_id: UUID) -> str | None:
    """Return the part that this end plays in a transfer; None where nothing is known of it."""
    return connection.scalar(select(transfer.c.role).where(transfer.c.transfer_id == str(transfer_id)))


def check_seal(sealed: SealedStep, allowed: Collection[str]) -> None:
    """Go on only if a step is sealed by one of these keys.

    Raises:
        Refused: it is not.

    """
    if sealed.key not in allowed or not verified(sealed.key, sealed.seal, SEAL_PREFIX + sealed.step):
        raise Refused(
            Text(zh="步骤的签名无效，或密钥已停用。", en="the step is not sealed by a key that may write here"),
            Text(zh="请核对该站密钥；停用的密钥所签的步骤不予接受。", en="Check the site's keys."),
        )


def no_such(written: str) -> BadValue:
    """Return the error for a transfer that is not there."""
    return BadValue(
        Text(zh=f"没有编号为 {written} 的移交，或编号不够长。", en=f"no transfer {written}, or more than one"),
        Text(zh="用 transfer list 或 transfer status 查看编号。", en="See the numbers with transfer list or status."),
    )


def _remember(connection: Connection, peer: str, site: str, now: Transfer, now_ms: int, role: str) -> None:
    values: dict[str, object] = {
        "peer": peer,
        "site": site,
        "state": now.state.value,
        "turn": now.turn.value if now.turn is not None else "",
        "title": now.title,
        "nature": now.nature.value,
        "round": now.round,
        "items": now.items,
        "accepted": now.accepted,
        "size_bytes": now.size_bytes,
        "plan": str(now.plan) if now.plan is not None else "",
        "moved_at_ms": now_ms,
        "folded": msgspec.json.encode(now),
    }
    statement = upsert(transfer).values(transfer_id=str(now.transfer_id), opened_at_ms=now_ms, role=role, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[transfer.c.transfer_id], set_=values))


def pause_s(connection: Connection) -> float:
    """Return the seconds until a program looks for transfers again: a site that has none open is hardly disturbed."""
    is_over = transfer.c.state.in_((TransferState.CLOSED.value, TransferState.CANCELLED.value))
    is_any = connection.execute(select(exists(select(transfer.c.transfer_id).where(~is_over)))).scalar_one()
    return LOOK_S if is_any else REST_S


def opened_transfers(connection: Connection, states: Iterable[str] = (), role: str | None = None) -> list[Transfer]:
    """Return the transfers in these states, or all, those that moved first being first; of one role, or of any."""
    statement = select(transfer.c.folded).order_by(transfer.c.moved_at_ms, transfer.c.transfer_id)
    wanted = list(states)
    if role is not None:
        statement = statement.where(transfer.c.role == role)
    if wanted:
        statement = statement.where(transfer.c.state.in_(wanted))
    return [msgspec.json.decode(row.folded, type=Transfer) for row in connection.execute(statement)]
