"""The receiver's half of the handover: looks at the giver's signature, then signs, with its line in the audit log."""

from uuid import UUID

from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.membership import keyring
from hub.staff.administration import Actor
from hub.transfers.deciding import found, refuse_witness
from protocol.errors import Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import SignatureRefused
from protocol.wording import Text
from replication.transfer_log import TransferLog
from replication.transfer_signing import signature_fault, signed_by


def look_at_signature(connection: Connection, log: TransferLog, transfer_id: UUID) -> Text | None:
    """Refuse the giver's signature if it is not to be believed, and say why; None if it is, or there is none."""
    now = found(connection, transfer_id)
    signature, giver = now.giver_signature, now.giver
    if signature is None or giver is None or now.receiver_signature is not None:
        return None
    fault = signature_fault(now, signature, keyring.keys_now(connection, giver.site))
    if fault is not None:
        log.append(connection, transfer_id, SignatureRefused(reason=fault), by="checks")
    return fault


def sign(
    connection: Connection, log: TransferLog, actor: Actor, transfer_id: UUID, signer: str, now_ms: int
) -> Transfer:
    """Sign the certificate for the receiver: from then on both are bound.

    A refusal of the giver's signature is written down all the same: look at the state that is returned.

    Raises:
        Refused: it is not the receiver's turn to sign.

    """
    refuse_witness(connection, transfer_id)
    if look_at_signature(connection, log, transfer_id) is not None:
        return found(connection, transfer_id)
    now = found(connection, transfer_id)
    if now.giver_signature is None:
        raise Refused(
            Text(zh="移交单位尚未签字。", en="the giver has not signed yet"),
            Text(zh="移交单位先签：danglian-node transfer sign。", en="The giver signs first."),
        )
    after = log.append(connection, transfer_id, signed_by(now, log.identity, signer), by="archivist")
    entry = AuditEntry(
        who=actor.who,
        origin=actor.origin,
        action=Action.TRANSFER_SIGNED,
        object=str(transfer_id),
        detail=after.receiver_signature.certificate if after.receiver_signature else "",
    )
    audit.append(connection, entry, now_ms)
    return after
