"""The state machine of a transfer: which step may follow, and what a log of steps comes to. Pure.

At every moment one side has the turn, and only it may go on; the other may do nothing but give the transfer up. So the
only steps that ever cross are a cancellation and what its writer had not heard of. Steps are put into one order by what
their writers had heard, and where neither knew of the other the giver's stands first; a step that may not follow what
stands before it is void, at both ends alike. Whoever has signed can give up no more on his own: the giver not after its
signature, the receiver not after its own, which comes last and knows the giver's. So what both have signed, no step
that is still on its way can undo.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec

from protocol.handovers import certificate_digest, certificate_of
from protocol.transfer_folds import Transfer, by_ruling, last_rulings
from protocol.transfers import (
    BOXES_PER_STEP_MAX,
    ROUNDS_MAX,
    RULINGS_PER_STEP_MAX,
    Cancelled,
    Checking,
    Closed,
    Counted,
    CustodyMoved,
    Decided,
    Loaded,
    Opened,
    Prepared,
    Ruled,
    Ruling,
    SentBack,
    Side,
    SignatureRefused,
    Signed,
    Step,
    Submitted,
    TransferState,
    What,
)
from protocol.wording import Text

_STATES = TransferState

_NOT_NOW = Text(zh="移交目前的状态不允许这一步。", en="the transfer does not stand where this step may follow")
_NOT_YOURS = Text(zh="现在应由对方处理。", en="it is the other side's turn")
_OVER = Text(zh="移交已经结束。", en="the transfer is over")
_ROUND = Text(zh="批次或清单摘要与当前不符。", en="the round or the manifest is not the present one")
_SIGNED = Text(zh="签字之后不能单方面取消。", en="whoever has signed cannot give up alone")
_EMPTY = Text(zh="没有任何档案可以移交。", en="there is nothing to hand over")
_MANY = Text(zh="一步之中内容过多。", en="too much in one step")
_MORE = Text(zh="后一批只应包含退回的条目。", en="a later round carries only what was returned, and not more than that")
_CERTIFICATE = Text(zh="所签的不是这份交接文据。", en="another certificate than this one was signed")


def fold(transfer_id: UUID, giver: Sequence[Step], receiver: Sequence[Step]) -> Transfer:
    """Return what a log comes to; steps of each side in the order of their numbers, from 1 on and without holes.

    Steps whose writer had heard what is not here yet do not count until it is.
    """
    transfer = Transfer(transfer_id=transfer_id)
    for step in in_order(giver, receiver):
        transfer = after(transfer, step)
    return transfer


def in_order(giver: Sequence[Step], receiver: Sequence[Step]) -> Iterator[Step]:
    """Yield both sides' steps, each behind all that its writer had heard, as far as that is here."""
    given = taken = 0
    while True:
        # The giver's first where neither had heard of the other, so that the order is one and the same everywhere.
        if given < len(giver) and giver[given].heard <= taken:
            yield giver[given]
            given += 1
        elif taken < len(receiver) and receiver[taken].heard <= given:
            yield receiver[taken]
            taken += 1
        else:
            return


def after(transfer: Transfer, step: Step) -> Transfer:
    """Return a transfer after a step; one that may not follow counts as read, and as void."""
    is_void = refusal(transfer, step.side, step.what) is not None
    moved = transfer if is_void else _applied(transfer, step.side, step.what)
    return msgspec.structs.replace(
        moved,
        giver_steps=transfer.giver_steps + (step.side is Side.GIVER),
        receiver_steps=transfer.receiver_steps + (step.side is Side.RECEIVER),
        void=(*transfer.void, (step.side, step.number)) if is_void else transfer.void,
    )


def refusal(transfer: Transfer, side: Side, what: What) -> Text | None:
    """Say why a step of a side may not follow now; None if it may."""
    if isinstance(what, Opened):
        may_open = side is Side.GIVER and transfer.giver is None and transfer.state is _STATES.PLANNED
        return None if may_open else _NOT_NOW
    if transfer.state.is_over:
        return _OVER
    if isinstance(what, Cancelled):
        return _refused_cancelling(transfer, side)
    if transfer.giver is None:
        return _NOT_NOW
    if transfer.turn is not side:
        return _NOT_YOURS
    return _refused_by_giver(transfer, what) if side is Side.GIVER else _refused_by_receiver(transfer, what)


def _refused_cancelling(transfer: Transfer, side: Side) -> Text | None:
    own = transfer.giver_signature if side is Side.GIVER else transfer.receiver_signature
    has_signed = own is not None or transfer.receiver_signature is not None
    return _SIGNED if has_signed else None


def _refused_by_giver(transfer: Transfer, what: What) -> Text | None:
    match what:
        case Prepared(parcel=parcel):
            if parcel.items < 1:
                return _EMPTY
            due = len(transfer.parcels) + 1
            if parcel.round != due or due > ROUNDS_MAX:
                return _ROUND
            if transfer.parcels and parcel.items > len(transfer.returned):
                return _MORE
            return None
        case Submitted(round=number, manifest=manifest):
            if transfer.state is not _STATES.PREPARED or transfer.prepared is None:
                return _NOT_NOW
            return None if (number, manifest) == (transfer.prepared.round, transfer.prepared.manifest) else _ROUND
        case Signed():
            return _refused_signature(transfer, what) if transfer.state is _STATES.ACCEPTED else _NOT_NOW
        case CustodyMoved():
            return None if transfer.state is _STATES.SIGNED else _NOT_NOW
    return _NOT_NOW


def _refused_by_receiver(transfer: Transfer, what: What) -> Text | None:
    match what:
        case Checking(round=number, manifest=manifest):
            prepared = transfer.prepared
            if prepared is None:
                return _NOT_NOW
            return None if (number, manifest) == (prepared.round, prepared.manifest) else _ROUND
        case SentBack(round=number):
            return None if transfer.prepared is not None and number == transfer.prepared.round else _ROUND
        case Counted() | Ruled() | Decided():
            return _refused_look(transfer, what) if transfer.state is _STATES.CHECKING else _NOT_NOW
        case Signed() | SignatureRefused():
            if transfer.state is not _STATES.ACCEPTED:
                return _NOT_NOW
            return _refused_signature(transfer, what) if isinstance(what, Signed) else None
        case Loaded():
            return None if transfer.state is _STATES.SIGNED else _NOT_NOW
        case Closed():
            return None if transfer.state is _STATES.LOADED else _NOT_NOW
    return _NOT_NOW


def _refused_look(transfer: Transfer, what: Counted | Ruled | Decided) -> Text | None:
    if isinstance(what, Counted):
        return None if len(what.boxes) <= BOXES_PER_STEP_MAX else _MANY
    if what.round != transfer.round:
        return _ROUND
    if isinstance(what, Ruled):
        return None if len(what.rulings) <= RULINGS_PER_STEP_MAX else _MANY
    return _refused_decision(transfer, what)


def _refused_decision(transfer: Transfer, what: Decided) -> Text | None:
    decided = _decided(transfer, what)
    return _EMPTY if decided.accepted < (1 if decided.state is _STATES.ACCEPTED else 0) else None


def _refused_signature(transfer: Transfer, what: Signed) -> Text | None:
    certificate = certificate_of(transfer)
    if certificate is None:
        return _NOT_NOW
    return None if what.certificate == certificate_digest(certificate) else _CERTIFICATE


def _applied(transfer: Transfer, side: Side, what: What) -> Transfer:
    return _given(transfer, what) if side is Side.GIVER else _received(transfer, what)


def _given(transfer: Transfer, what: What) -> Transfer:
    change = msgspec.structs.replace
    match what:
        case Opened():
            return change(
                transfer,
                title=what.title,
                nature=what.nature,
                giver=what.giver,
                receiver_site=what.receiver,
                plan=what.plan,
                copy_kept_until=what.copy_kept_until,
                note=what.note,
            )
        case Prepared(parcel=parcel, checks_open=count):
            return change(
                transfer, state=_STATES.PREPARED, prepared=parcel, checks_open=count, consignment=None, list_digest=""
            )
        case Submitted(consignment=consignment, list_digest=digest, by_disk=by_disk):
            return change(
                transfer,
                state=_STATES.SUBMITTED,
                consignment=consignment,
                list_digest=digest,
                by_disk=by_disk,
                sent_back=None,
            )
        case Signed():
            return change(transfer, giver_signature=what, signature_refused=None)
        case CustodyMoved():
            return change(transfer, custody=what)
    return _cancelled(transfer, Side.GIVER, what)


def _received(transfer: Transfer, what: What) -> Transfer:
    change = msgspec.structs.replace
    match what:
        case Checking():
            return change(transfer, state=_STATES.CHECKING)
        case Counted(boxes=boxes):
            counted = {box.box: box for box in (*transfer.boxes, *boxes)}
            return change(transfer, boxes=tuple(counted[box] for box in sorted(counted)))
        case Ruled(rulings=rulings):
            latest = {one.record_id: one for one in (*transfer.rulings, *rulings)}
            return change(transfer, rulings=tuple(latest[one] for one in sorted(latest)))
        case Decided():
            return _decided(transfer, what)
        case Signed():
            return change(transfer, state=_STATES.SIGNED, receiver_signature=what)
        case SentBack(reason=reason):
            again = _STATES.RETURNED if transfer.parcels else _STATES.PLANNED
            return change(transfer, state=again, prepared=None, rulings=(), sent_back=reason)
        case SignatureRefused(reason=reason):
            return change(transfer, giver_signature=None, signature_refused=reason)
        case Loaded(accession=accession):
            return change(transfer, state=_STATES.LOADED, accession=accession)
        case Closed():
            return change(transfer, state=_STATES.CLOSED)
    return _cancelled(transfer, Side.RECEIVER, what)


def _decided(transfer: Transfer, what: Decided) -> Transfer:
    all_rulings = last_rulings(transfer)
    returned = by_ruling(all_rulings, Ruling.RETURN)
    held = by_ruling(all_rulings, Ruling.HOLD)
    open_items = len(returned) + len(held)
    # What a later round does not carry of the returned items has left.
    again = transfer.prepared.items if transfer.prepared is not None and transfer.parcels else len(transfer.returned)
    gone = len(transfer.returned) - again
    decided = msgspec.structs.replace(
        transfer,
        parcels=transfer.all_parcels,
        prepared=None,
        rulings=(),
        returned=() if what.is_final else returned,
        held=() if what.is_final else held,
        left_out=transfer.left_out + gone + (open_items if what.is_final else 0),
        receiver=what.receiver,
        opinion=what.opinion,
        dated=what.dated,
        items_digest=what.items_digest,
    )
    if what.is_final or not open_items:
        return msgspec.structs.replace(decided, state=_STATES.ACCEPTED)
    # What is only held back stays with the receiver.
    return msgspec.structs.replace(decided, state=_STATES.RETURNED if returned else _STATES.CHECKING)


def _cancelled(transfer: Transfer, side: Side, what: What) -> Transfer:
    reason = what.reason if isinstance(what, Cancelled) else ""
    return msgspec.structs.replace(transfer, state=_STATES.CANCELLED, cancelled_by=side, cancel_reason=reason)
