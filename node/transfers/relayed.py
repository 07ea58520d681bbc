"""Letters about transfers at a site: from the county that receives, and those that the hub gives on from another site.

The hub's signature vouches for whose step it is and for the keys of that site. The step's own seal says that it was
written with one of them. Of an owner whose fonds this site keeps, the hub gives the signature back: what counts there
are the keys that it names.
"""

import msgspec
from sqlalchemy import Connection

from node.transfers.owner_signatures import note_keys
from protocol.errors import Refused
from protocol.letters import Letter, body_of
from protocol.relays import RELAY_PREFIX, RELAYED_KIND, RelayedStep, Vouched
from protocol.transfer_codec import decode_step, step_digest
from protocol.transfers import LETTER_KIND, Opened, SealedStep, Side, Step
from protocol.wording import Text
from replication.keys import verified
from replication.letters import Handlers
from replication.transfer_log import HOST, RECEIVING, TransferLog, role_of, transfer_of


def transfer_letters(site: str, hub_key: str, giver: TransferLog, receiver: TransferLog) -> Handlers:
    """Return what takes the letters about transfers, those that the site gives and those that it receives."""

    def own(connection: Connection, peer: str, letter: Letter) -> None:
        """Take a step of the county, or one of ours that the hub gives back."""
        sealed = body_of(letter, SealedStep)
        step = decode_step(sealed.step)
        log = receiver if role_of(connection, step.transfer) == RECEIVING else giver
        log.take(connection, peer, sealed, peer, (hub_key,))

    def relayed(connection: Connection, peer: str, letter: Letter) -> None:
        told = body_of(letter, RelayedStep)
        vouched = _vouched(told, hub_key)
        step = decode_step(told.sealed.step)
        if role_of(connection, step.transfer) == HOST:
            note_keys(connection, step.transfer, vouched.digest, vouched.keys)
            return
        side = step.side if vouched.site == site else step.side.other
        log = giver if side is Side.GIVER else receiver
        _check_parties(connection, step, vouched, side, site)
        log.take(connection, peer, told.sealed, vouched.site, vouched.keys)

    return {**giver.handlers(), LETTER_KIND: own, RELAYED_KIND: relayed}


def _vouched(told: RelayedStep, hub_key: str) -> Vouched:
    if not verified(hub_key, told.seal, RELAY_PREFIX + told.vouched):
        raise Refused(Text(zh="转来的步骤没有县馆的有效签名。", en="the hub did not vouch for the step"))
    vouched = msgspec.json.decode(told.vouched, type=Vouched)
    if vouched.digest != step_digest(told.sealed.step):
        raise Refused(Text(zh="县馆所签的不是这一步。", en="the hub vouched for another step"))
    return vouched


def _check_parties(connection: Connection, step: Step, vouched: Vouched, side: Side, site: str) -> None:
    """Go on only if the step is of a transfer between that site and us.

    Raises:
        Refused: it is not.

    """
    now = transfer_of(connection, step.transfer)
    if isinstance(step.what, Opened):
        giver, receiver = step.what.giver.site, step.what.receiver
    elif now is not None and now.giver is not None:
        giver, receiver = now.giver.site, now.receiver_site
    else:
        # Behind a loss: the first step follows, and what does not fit it counts for nothing.
        return
    ours, theirs = (giver, receiver) if side is Side.GIVER else (receiver, giver)
    if ours != site or vouched.site not in (ours, theirs):
        raise Refused(Text(zh="移交双方与来件站点不符。", en="the transfer is not between that site and this one"))
