"""Signing the handover certificate, and looking at the other party's signature: the same at both ends."""

from collections.abc import Collection

from protocol.errors import Refused
from protocol.handovers import SIGNED_PREFIX, canonical, certificate_digest, certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import NAME_CHARS_MAX, Signed
from protocol.wording import Text
from replication.keys import Identity, verified


def signed_by(now: Transfer, identity: Identity, signer: str) -> Signed:
    """Return this end's signature under the certificate of a transfer.

    Raises:
        Refused: there is no certificate yet.

    """
    certificate = certificate_of(now)
    if certificate is None:
        raise Refused(
            Text(zh="还没有交接文据可签。", en="there is no handover certificate to be signed yet"),
            Text(zh="待接收单位审核通过后再签。", en="It is there once the receiver has accepted."),
        )
    return Signed(
        certificate=certificate_digest(certificate),
        key=identity.public_key,
        signature=identity.sign(SIGNED_PREFIX + canonical(certificate)),
        signer=signer[:NAME_CHARS_MAX],
    )


def signature_fault(now: Transfer, signature: Signed, keys: Collection[str]) -> Text | None:
    """Say why a signature is not to be believed; None if it is.

    Args:
        now: the transfer.
        signature: what a party signed.
        keys: the keys that may sign for that party now; one that was revoked is not among them.

    """
    certificate = certificate_of(now)
    if certificate is None or signature.certificate != certificate_digest(certificate):
        return Text(zh="所签的不是这份交接文据", en="another certificate than this one was signed")
    if signature.key not in keys:
        return Text(zh="签字所用的密钥未登记或已停用", en="the key of the signature is not enrolled, or was revoked")
    if not verified(signature.key, signature.signature, SIGNED_PREFIX + canonical(certificate)):
        return Text(zh="签名与交接文据不符", en="the signature does not fit the certificate")
    return None
