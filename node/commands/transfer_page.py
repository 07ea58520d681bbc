"""Transfers on the keeper's page: what came, what the checks say in plain words, and the buttons of whose turn it is.

Village staff see what came back and what to mend, send it again and sign; township staff see what came with its scans,
return, hold, accept and sign. It does what the commands do, by the same functions.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection

from node.certifying.local_page import Answered, told_as_json, unreadable
from node.commands.transfer_receiving import sign_for_receiver
from node.commands.transfer_views import actions_of, lines, scans_of, shown, side_of
from node.commands.transfer_work import pack_and_check, send_out, today
from node.home import NodeHome
from node.transfers import submitting
from node.transfers.office import Office, office_opened
from protocol.errors import BadValue
from protocol.transfer_folds import Transfer
from protocol.transfers import Party, Ruling, Side
from protocol.wording import Count, Text
from replication import transfer_deciding
from replication.transfer_deciding import Conclusion
from replication.transfer_log import transfer_named
from replication.transfer_scans import picture_of


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says with a button."""

    items: tuple[str, ...] = ()
    """Codes of the items that are meant."""
    reason: str = ""
    unit: str = ""
    leader: str = ""
    handler: str = ""
    waived: dict[str, str] = {}
    is_final: bool = False
    signer: str = ""
    despite_faults: bool = False


class TransfersRoom:
    """The transfers of one home; works beside the daemon and without it."""

    def __init__(self, home: NodeHome) -> None:
        self._home = home

    async def answer(self, parts: list[str], body: bytes | None) -> Answered:
        """Answer as ``Room`` says: the list, a transfer, one of its scans, or what a button does."""
        async with office_opened(self._home) as office:
            if not parts:
                return told_as_json(await office.database.read(lines))
            now = await office.database.read(lambda c: transfer_named(c, parts[0]))
            if body is not None:
                now = await _done(office, now, parts[1:], body)
                parts = parts[:1]
            if len(parts) == 1:
                return told_as_json(await office.database.read(lambda c: shown(c, office, now)))
            return _scan(office, now, parts[1:])


def _scan(office: Office, now: Transfer, parts: list[str]) -> Answered:
    """Return one scan of an item: ``items/RECORD/NUMBER``."""
    if len(parts) != 3 or parts[0] != "items" or not parts[2].isdecimal():
        raise unreadable()
    files = scans_of(office, now, parts[1])
    number = int(parts[2])
    picture = picture_of(files[number - 1]) if 0 < number <= len(files) else None
    if picture is None:
        raise BadValue(
            Text(zh="这个文件不是图像，或过大，不能在网页上显示。", en="this file is no picture, or too large"),
            Text(zh="请到保存移交包的目录里打开。", en="Open it in the folder of the package."),
        )
    return Answered(picture.kind, picture.content)


async def _done(office: Office, now: Transfer, parts: list[str], body: bytes) -> Transfer:
    try:
        said = msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError as error:
        raise unreadable() from error
    side, _ = await office.database.read(lambda c: side_of(c, now))
    allowed = await office.database.read(lambda c: actions_of(c, now, side))
    action = parts[0] if parts else ""
    if len(parts) != 1 or action not in allowed:
        raise unreadable()
    return await _DOING[action](office, now, side, said)


async def _returned(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    return await _ruled(office, now, said, Ruling.RETURN)


async def _sent_back(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    if not said.reason.strip():
        raise BadValue(
            Text(zh="整包退回须写明理由。", en="sending the whole package back needs its reason"),
            Text(zh="写给移交单位看：要改什么。", en="Say what the giver is to mend."),
        )
    reason = Text(zh=said.reason, en=said.reason)
    return await office.database.write(
        lambda c: transfer_deciding.send_back(c, office.receiver, now.transfer_id, reason)
    )


async def _held(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    return await _ruled(office, now, said, Ruling.HOLD)


async def _ruled(office: Office, now: Transfer, said: _Said, ruling: Ruling) -> Transfer:
    if not said.items:
        raise BadValue(
            Text(zh="没有勾选条目。", en="no item is ticked"),
            Text(zh="先勾选要退回或暂缓的条目。", en="Tick the items that are to be returned or held."),
        )

    def step(connection: Connection) -> Transfer:
        rulings = transfer_deciding.rulings_on(connection, now.transfer_id, said.items, ruling, said.reason)
        return transfer_deciding.rule(connection, office.receiver, now.transfer_id, rulings)

    return await office.database.write(step)


async def _accepted(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    party = Party(
        site=now.receiver_site, name=said.unit or office.config.name, leader=said.leader, handler=said.handler
    )
    conclusion = Conclusion(
        receiver=party, opinion=said.reason, dated=today(), is_final=said.is_final, waived=said.waived
    )
    return await office.database.write(
        lambda c: transfer_deciding.decide(c, office.receiver, now.transfer_id, conclusion)
    )


async def _signed(office: Office, now: Transfer, side: Side, said: _Said) -> Transfer:
    if side is Side.RECEIVER:
        return await office.database.write(lambda c: sign_for_receiver(c, office, now, said.signer))
    return await office.database.write(lambda c: submitting.sign(c, office.log, now.transfer_id, said.signer))


async def _sent(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    now, _ = await pack_and_check(office, now, [], [])
    if now.prepared is not None and now.prepared.items and now.checks_open and not said.despite_faults:
        raise BadValue(
            Text(
                zh=f"{now.checks_open} 条未通过检测，没有提交。",
                en=f"{Count(now.checks_open):item|items} did not pass: not sent",
            ),
            Text(
                zh="按下面“必须改”的各条改好再提交；确需提交，请勾选“仍要提交”。",
                en="Mend what is listed, or tick “send all the same”.",
            ),
        )
    return await send_out(office, now)


_DOING: Final[Mapping[str, Callable[[Office, Transfer, Side, _Said], Awaitable[Transfer]]]] = {
    "return": _returned,
    "hold": _held,
    "send-back": _sent_back,
    "accept": _accepted,
    "sign": _signed,
    "send": _sent,
}
