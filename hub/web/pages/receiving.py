"""What a person does about a transfer at the archive: rules on items, counts, decides, signs, sends back, cancels."""

import datetime
from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.transfers import archive_codes, deciding, signing
from hub.transfers.deciding import Conclusion
from hub.web.answers import Notice, Page, away_to, fault_notice
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean, fields_of, line_of
from hub.web.pages.deciding import number_of, written
from hub.web.pages.transfers import OPT, item_page, rule_names, transfer_page
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import NAME_CHARS_MAX, WORDS_CHARS_MAX, BoxCount, ItemRuling, Party, Ruling
from protocol.wording import Text
from replication.transfer_log import TransferLog

VOLUMES_MAX = 100_000
"""Volumes that are counted in one box at most: a slip of the finger, not a box."""

Work = Callable[[Connection, TransferLog, Actor, int], Transfer]


@post("/transfers/{name:str}/items/{record:str}", opt=OPT, status_code=200)
async def do_rule(request: AnyRequest, name: FromPath[str], record: FromPath[str]) -> Page | Redirect:
    """Accept, return or hold one item.

    Raises:
        Missing: the form names no ruling.

    """
    transfer_id, record_id = id_of(name), id_of(record)
    reason = (await line_of(request, "reason"))[:WORDS_CHARS_MAX]
    chosen = await line_of(request, "ruling")
    if chosen not in tuple(Ruling):
        raise Missing
    ruling = Ruling(chosen)
    words = in_language(visitor_of(request).language).transfers
    if ruling is not Ruling.ACCEPT and not reason:
        return await item_page(request, transfer_id, record_id, Notice(words=words.rule_lead, is_fault=True))
    said = ItemRuling(record_id=record_id, ruling=ruling, reason=Text(zh=reason, en=reason) if reason else None)
    try:
        await _worked(request, lambda c, log, actor, at: deciding.rule(c, log, actor, transfer_id, [said], at))
    except (BadValue, Refused) as error:
        return await item_page(request, transfer_id, record_id, fault_notice(error, visitor_of(request)))
    following = await line_of(request, "following")
    if following:
        return away_to(f"/transfers/{transfer_id}/items/{id_of(following)}")
    return away_to(f"/transfers/{transfer_id}", done="ruled")


@post("/transfers/{name:str}/return-faults", opt=OPT, status_code=200)
async def do_return_faults(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Return every item that fails a mandatory rule and has no ruling, with the findings as reasons."""
    transfer_id = id_of(name)

    def work(connection: Connection, log: TransferLog, actor: Actor, now_ms: int) -> Transfer:
        now = deciding.found(connection, transfer_id)
        rulings = deciding.rulings_on_faults(connection, now)
        return deciding.rule(connection, log, actor, transfer_id, rulings, now_ms) if rulings else now

    return await _done(request, transfer_id, "ruled", work)


@post("/transfers/{name:str}/decide", opt=OPT, status_code=200)
async def do_decide(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Close the look at a round."""
    transfer_id, given = id_of(name), await fields_of(request)
    waived = {rule: (await line_of(request, f"waive-{rule}"))[:WORDS_CHARS_MAX] for rule in rule_names()}
    dated = await line_of(request, "dated")
    unit, leader, handler = [
        (await line_of(request, field))[:NAME_CHARS_MAX] for field in ("unit", "leader", "handler")
    ]
    opinion = (await line_of(request, "opinion"))[:WORDS_CHARS_MAX]

    def work(connection: Connection, log: TransferLog, actor: Actor, now_ms: int) -> Transfer:
        site = deciding.found(connection, transfer_id).receiver_site
        conclusion = Conclusion(
            receiver=Party(site=site, name=unit, leader=leader, handler=handler),
            opinion=opinion,
            dated=_day(dated) if dated else None,
            is_final="final" in given,
            waived={rule: reason for rule, reason in waived.items() if reason},
        )
        if "codes" in given:
            codes = archive_codes.give(connection, deciding.found(connection, transfer_id), now_ms)
            if codes:
                deciding.rule(connection, log, actor, transfer_id, codes, now_ms)
        return deciding.decide(connection, log, actor, transfer_id, conclusion, now_ms)

    return await _done(request, transfer_id, "decided", work)


@post("/transfers/{name:str}/send-back", opt=OPT, status_code=200)
async def do_send_back(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Send the whole package of a round back."""
    transfer_id, reason = id_of(name), (await line_of(request, "reason"))[:WORDS_CHARS_MAX]
    if not reason:
        words = in_language(visitor_of(request).language).transfers
        return await transfer_page(request, transfer_id, Notice(words=words.rule_lead, is_fault=True))
    said = Text(zh=reason, en=reason)
    return await _done(
        request,
        transfer_id,
        "sent_back",
        lambda c, log, actor, at: deciding.send_back(c, log, actor, transfer_id, said, at),
    )


@post("/transfers/{name:str}/sign", opt=OPT, status_code=200)
async def do_sign(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Sign the certificate for the archive."""
    transfer_id, signer = id_of(name), (await line_of(request, "signer"))[:NAME_CHARS_MAX]
    return await _done(
        request,
        transfer_id,
        "signed",
        lambda c, log, actor, at: signing.sign(c, log, actor, transfer_id, signer, at),
    )


@post("/transfers/{name:str}/count", opt=OPT, status_code=200)
async def do_count(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Write down what was counted of the physical boxes; a box without a number was not counted."""
    transfer_id = id_of(name)
    given = {field: clean(values[0]) for field, values in (await fields_of(request)).items()}

    def work(connection: Connection, log: TransferLog, actor: Actor, now_ms: int) -> Transfer:
        boxes = counted_boxes(given, deciding.expected_boxes(connection, transfer_id))
        return deciding.count(connection, log, actor, transfer_id, boxes, now_ms)

    return await _done(request, transfer_id, "counted", work, given)


def counted_boxes(given: Mapping[str, str], expected: Mapping[str, int]) -> list[BoxCount]:
    """Return the boxes that a person counted.

    Raises:
        BadValue: a count that cannot be read, or none at all.

    """
    boxes = []
    for box, wanted in sorted(expected.items()):
        typed = given.get(f"seen-{box}", "")
        seen = number_of(typed)
        if typed and (seen is None or seen > VOLUMES_MAX):
            raise BadValue(
                Text(zh=f"盒 {box} 的实点卷数读不出：{typed}", en=f"the count of box {box} cannot be read: {typed}"),
                Text(
                    zh="请只写数字；没有点的盒留空。", en="Write digits only; leave a box empty that was not counted."
                ),
            )
        if seen is not None:
            shelf = given.get(f"shelf-{box}", "")[:NAME_CHARS_MAX]
            boxes.append(BoxCount(box=box, expected=wanted, seen=seen, shelf=shelf))
    if not boxes:
        raise BadValue(
            Text(zh="没有写清点结果。", en="no count was given"),
            Text(zh="至少写一盒的实点卷数。", en="Write how many volumes were seen, of one box at least."),
        )
    return boxes


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"文据日期不对：{text}", en=f"the day of the papers is none: {text}"),
            Text(zh="请写成 2026-03-02，或留空（今天）。", en="Write it as 2026-03-02, or leave it empty for today."),
        ) from error


@post("/transfers/{name:str}/cancel", opt=OPT, status_code=200)
async def do_cancel(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Give a transfer up before both have signed."""
    transfer_id, reason = id_of(name), (await line_of(request, "reason"))[:WORDS_CHARS_MAX]
    return await _done(
        request,
        transfer_id,
        "cancelled",
        lambda c, log, actor, at: deciding.cancel(c, log, actor, transfer_id, reason, at),
    )


async def _done(
    request: AnyRequest, transfer_id: UUID, done: str, work: Work, typed: Mapping[str, str] = MappingProxyType({})
) -> Page | Redirect:
    try:
        after = await _worked(request, work)
    except (BadValue, Refused) as error:
        return await transfer_page(request, transfer_id, fault_notice(error, visitor_of(request)), typed)
    if done == "signed" and after.receiver_signature is None:
        # The giver's signature was not to be believed; that is written down, and stands on the page.
        return away_to(f"/transfers/{transfer_id}")
    return away_to(f"/transfers/{transfer_id}", done=done)


async def _worked(request: AnyRequest, work: Work) -> Transfer:
    """Do something about a transfer in one transaction, as the visitor.

    Raises:
        Missing: this console does not work on transfers.
        BadValue: there is no such transfer or item.
        Refused: it is not the time for it.

    """
    receiving = backstage_of(request).reach.receiving
    if receiving is None:
        raise Missing
    log = receiving.log
    return await written(request, lambda connection, actor, now_ms: work(connection, log, actor, now_ms))
