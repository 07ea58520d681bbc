"""Certificates at the window: what a holder signed is checked and kept, issued on numbered paper, revoked, replaced.

The window prints and the holder certifies (promise 11): nothing here can make a certificate of a record. What comes
with a keeper's decision is compared with what was asked and with the keyring before it counts; a certificate that was
forged, or is one for another order, ends the order with its reason and is never drawn.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.home import HubHome
from hub.membership import keyring
from hub.window import copies, serials, sheets
from hub.window.applicants import said
from hub.window.certificate_paths import pdf_path
from hub.window.copy_orders import OPEN, CopyOrder, CopyState
from hub.window.copy_tables import certificate
from hub.window.requests import TEXT_CHARS_MAX
from hub.window.serials import Certificate, Fate, SerialWish
from protocol.certificates import (
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    SignedCertificate,
    contents_digest,
    decode_contents,
    decode_statement,
    encode_contents,
    encode_statement,
    signed_message,
)
from protocol.copies import COPY_DECIDED, SEAL_GIVEN, CopyDecided, Handler, Product, SealGiven
from protocol.county_time import day_of
from protocol.errors import BadFile, BadValue
from protocol.letters import Letter, body_of
from protocol.sites import parse_site
from protocol.wording import Text
from replication import letters
from replication.keys import Identity, verified
from replication.letters import Handlers

SHEETS_PRINTED_MAX: Final = 500
"""Sheets of one printing: two hundred pages, and their statement, twice."""

_AGAIN: Final = Text(
    zh="请重新提出；若再次发生，请查该站密钥。", en="Order it again; if it happens again, check the site's keys."
)


class Printing(msgspec.Struct, frozen=True, kw_only=True):
    """One printing, as the clerk notes it."""

    first_sheet: str
    """Number of the first sheet in the tray."""
    printer: str = ""
    pages: tuple[int, ...] = ()
    """Which pages were printed; none means all that no good sheet bears yet, as far as the batch of the first sheet
    goes: where the paper runs out in between, the others are printed on the next."""


def handlers(clock_ms: Callable[[], int]) -> Handlers:
    """Return what the hub does with the letters of holders about copies."""

    def decided(connection: Connection, peer: str, letter: Letter) -> None:
        take_decision(connection, peer, body_of(letter, CopyDecided), clock_ms())

    def sealed(connection: Connection, peer: str, letter: Letter) -> None:
        take_seal(connection, peer, body_of(letter, SealGiven), clock_ms())

    return {COPY_DECIDED: decided, SEAL_GIVEN: sealed}


def take_decision(connection: Connection, peer: str, decision: CopyDecided, now_ms: int) -> None:
    """Take a keeper's decision.

    Raises:
        BadValue: it is about an order that was never asked, or of another site: nothing is changed.

    """
    order = _asked_of(connection, peer, decision.copy_id)
    if order.state is not CopyState.ASKED:
        # Withdrawn meanwhile, or told again: the first word counts.
        return
    if not decision.approved:
        copies.refuse(connection, order, decision, now_ms)
        letters.settle(connection, order.copy_id)
        return
    fault = fault_of(order, decision, keyring.keys_now(connection, order.keeper))
    if fault is not None:
        copies.fail(connection, order.copy_id, fault, _AGAIN, now_ms)
        return
    signed = SignedCertificate(statement=decision.statement, signature=decision.signature, contents=decision.contents)
    _keep(connection, order.asked.serial, signed)
    copies.approve(connection, order, decision, now_ms)


def take_seal(connection: Connection, peer: str, given: SealGiven, now_ms: int) -> None:
    """Take the holder's signature under the PDF; it is put in by ``hub.window.copyist``.

    Raises:
        BadValue: it is about an order that was never asked, or of another site.

    """
    order = _asked_of(connection, peer, given.copy_id)
    if order.state not in (CopyState.READY, CopyState.ISSUED):
        return
    copies.note_seal(connection, order.copy_id, given, now_ms)


def fault_of(order: CopyOrder, decision: CopyDecided, keys: Collection[str]) -> Text | None:
    """Return why an approval does not count, None if it does."""
    asked = order.asked
    try:
        statement, contents = decode_statement(decision.statement), decode_contents(decision.contents)
    except BadValue as error:
        return error.reason
    if decision.signer not in keys or statement.signer != decision.signer:
        return Text(zh="签名密钥不是该站登记的密钥", en="no enrolled key of the site signed it")
    if not verified(decision.signer, decision.signature, signed_message(decision.statement)):
        return Text(zh="保管单位签名无效，内容可能被改动", en="the holder's signature does not fit: it was altered")
    if contents_digest(decision.contents) != statement.contents:
        return Text(zh="内容摘要与签名不符", en="the contents are not those that were signed")
    if not _is_ours(statement, order):
        return Text(zh="答复的不是所提出的申请", en="it answers another order than this one")
    if asked.product is Product.CERTIFIED_COPY:
        return _fault_of_pages(order, decision, statement, contents)
    if tuple(one.asked for one in contents.facts) != asked.facts:
        return Text(zh="证明事项与所询不一致", en="it states other facts than were asked")
    return None


def _is_ours(statement: CertificateStatement, order: CopyOrder) -> bool:
    asked = order.asked
    told = (statement.serial, statement.holder, statement.holder_name, statement.request_id, statement.record_id)
    wanted = (asked.serial, asked.holder, asked.holder_name, asked.request_id, asked.record_id)
    handler = Handler.KEEPER if order.keeper == asked.holder else Handler.DEPUTY
    return (*told, statement.kind.value, statement.handler, statement.replaces, statement.ref_code) == (
        *wanted,
        asked.product.value,
        handler,
        asked.replaces,
        asked.ref_code,
    )


def _fault_of_pages(
    order: CopyOrder, decision: CopyDecided, statement: CertificateStatement, contents: CertificateContents
) -> Text | None:
    numbers = tuple(one.number for one in contents.pages)
    consigned = decision.consignment
    offered = () if consigned is None else tuple((one.path, one.size_bytes, one.sha256) for one in consigned.files)
    named = tuple((one.file, one.size_bytes, one.sha256) for one in contents.pages)
    if not named or statement.pages != len(named) or (order.asked.pages and numbers != order.asked.pages):
        return Text(zh="页面与所要求的不一致", en="these are other pages than were asked for")
    if offered != named or consigned is None or consigned.consignment_id != order.copy_id:
        return Text(zh="发送的页面与所签名的不一致", en="the pages offered are not those that were signed")
    return None


def made(connection: Connection, serial: str, pdf: bytes, pages: int) -> None:
    """Note that a certificate's PDF is made."""
    connection.execute(
        update(certificate)
        .where(certificate.c.serial == serial)
        .values(state=Fate.READY.value, pdf_sha256=hashlib.sha256(pdf).hexdigest(), pdf_pages=pages)
    )


def resealed(connection: Connection, serial: str, pdf: bytes) -> None:
    """Note that a certificate's PDF bears its seal now."""
    digest = hashlib.sha256(pdf).hexdigest()
    connection.execute(update(certificate).where(certificate.c.serial == serial).values(pdf_sha256=digest))


class NothingFound(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement of no record says."""

    request_id: UUID
    contents: CertificateContents
    """Question, places, and the digest of the completeness statement."""
    replaces: str = ""


def say_nothing_found(
    connection: Connection, nothing: NothingFound, county: str, identity: Identity, who: str, now_ms: int
) -> SignedCertificate:
    """Sign that nothing was found: the one certificate that the county itself gives, because no holder has anything.

    Raises:
        BadValue: it does not say what was looked for, or where (promise 10).

    """
    if not nothing.contents.places or not nothing.contents.question.strip():
        raise BadValue(
            Text(zh="缺少查询范围，不能出具查无此档证明。", en="it does not say where nothing was found"),
            Text(zh="请先完成查询。", en="Finish the lookup first."),
        )
    kind = CertificateKind.NO_RECORD
    wish = SerialWish(county=county, kind=kind, holder=county, request_id=nothing.request_id, replaces=nothing.replaces)
    serial = serials.take(connection, wish, who, now_ms)
    contents = encode_contents(nothing.contents)
    statement = encode_statement(
        CertificateStatement(
            serial=serial,
            kind=kind,
            holder=county,
            holder_name=keyring.expected_name(connection, parse_site(county)) or county,
            signer=identity.public_key,
            handler=Handler.WINDOW,
            date=day_of(now_ms),
            request_id=nothing.request_id,
            contents=contents_digest(contents),
            replaces=nothing.replaces,
        )
    )
    signed = SignedCertificate(
        statement=statement, signature=identity.sign(signed_message(statement)), contents=contents
    )
    _keep(connection, serial, signed)
    return signed


def issue(connection: Connection, serial: str, printing: Printing, who: str, now_ms: int) -> Certificate:
    """Enter that a certificate was printed, and hand it out; printed again after spoiled sheets, it stays the same.

    Raises:
        BadValue: it is not made, void or revoked, or a sheet was used before or never received.

    """
    one = serials.found(connection, serial)
    if one.fate not in (Fate.READY, Fate.ISSUED):
        stands = serials.FATES[one.fate]
        raise BadValue(
            Text(zh=f"{serial} {stands.zh}，不能打印。", en=f"{serial} is {stands.en}: it cannot be printed"),
            Text(zh="作废、撤销的请重新申请。", en="Order a new one in place of one that is void or revoked."),
        )
    pages = printing.pages or _that_fit(connection, one, printing.first_sheet)
    if not pages or len(pages) > SHEETS_PRINTED_MAX or any(not 1 <= page <= one.pdf_pages for page in pages):
        raise BadValue(
            Text(zh="没有需要打印的页。", en="there is no page to print"),
            Text(
                zh="重印请写明页号，并先登记作废的用纸。",
                en="To print again, enter the spoiled sheets or name the pages.",
            ),
        )
    sheets.note_printed(connection, serial, pages, printing.first_sheet, printing.printer, who, now_ms)
    if one.fate is Fate.READY:
        values = {"state": Fate.ISSUED.value, "ended_at_ms": now_ms}
        connection.execute(update(certificate).where(certificate.c.serial == serial).values(values))
        if one.copy_id is not None:
            copies.move(connection, one.copy_id, CopyState.ISSUED, who, now_ms)
        if one.replaces:
            _replace(connection, one.replaces, serial, now_ms)
    _note(connection, who, Action.CERTIFICATE_ISSUED, serial, f"{one.kind.value}: {len(pages)}", now_ms)
    return serials.found(connection, serial)


def _that_fit(connection: Connection, one: Certificate, first_sheet: str) -> tuple[int, ...]:
    """Return the pages that no good sheet bears, as many as there is paper for; all, if there is none."""
    missing = tuple(sheets.pages_missing(connection, one.serial, one.pdf_pages))
    return missing[: sheets.room_from(connection, first_sheet, len(missing)) or None]


def revoke(connection: Connection, serial: str, because: str, who: str, now_ms: int) -> Certificate:
    """Say that a certificate is good no more; what was never handed out is void.

    Raises:
        BadValue: it was never given out, is void or revoked already, or no reason or too long a one is given.

    """
    one = serials.found(connection, serial)
    because = said(because, TEXT_CHARS_MAX)
    if not because:
        raise BadValue(
            Text(zh="未写明撤销原因。", en="no reason is given"),
            Text(zh="例如：页码有误。", en="For example: a wrong page."),
        )
    if one.fate in (Fate.VOID, Fate.REVOKED):
        stands = serials.FATES[one.fate]
        raise BadValue(
            Text(zh=f"{serial} {stands.zh}。", en=f"{serial} is {stands.en}"),
            Text(zh="无需再撤销。", en="There is nothing to revoke."),
        )
    if one.fate is Fate.ISSUED:
        _revoke(connection, serial, because, "", now_ms)
    else:
        serials.void(connection, serial, because, now_ms)
        order = None if one.copy_id is None else copies.look_up(connection, one.copy_id)
        if order is not None and order.state in (CopyState.READY, CopyState.SIGNED):
            copies.move(connection, order.copy_id, CopyState.WITHDRAWN, who, now_ms, note=because)
        elif order is not None and order.state in OPEN:
            copies.withdraw(connection, order.copy_id, who, because, now_ms)
    # Why may name a person: it stands in the register.
    _note(connection, who, Action.CERTIFICATE_REVOKED, serial, one.kind.value, now_ms)
    return serials.found(connection, serial)


def pdf_of(home: HubHome, one: Certificate) -> bytes:
    """Return a certificate's PDF, byte for byte as it was made.

    Raises:
        BadFile: it is not made yet, missing, or no longer what it was.

    """
    if one.is_disposed_of:
        raise BadFile(
            Text(
                zh=f"{one.serial} 的留底已按保留期限清除。",
                en=f"the papers of {one.serial} went when their term was over",
            ),
            Text(
                zh="登记仍在：持有人手中的证明照常可以核验；需要时请重新申请。",
                en="The register stays: whoever holds it may have it verified. Ask anew if it is needed.",
            ),
        )
    try:
        pdf = pdf_path(home.certificates, one.serial).read_bytes()
    except OSError as error:
        raise BadFile(
            Text(zh=f"{one.serial} 的文件不在。", en=f"the file of {one.serial} is not there"),
            Text(
                zh="请从备份恢复 window 目录，或撤销后重开。",
                en="Restore the folder window from a backup, or replace it.",
            ),
        ) from error
    if hashlib.sha256(pdf).hexdigest() != one.pdf_sha256:
        raise BadFile(
            Text(
                zh=f"{one.serial} 的文件与登记的摘要不符。", en=f"the file of {one.serial} is not what was registered"
            ),
            Text(
                zh="不得打印；请从备份恢复，或撤销后重开。",
                en="Do not print it: restore it from a backup, or replace it.",
            ),
        )
    return pdf


def _replace(connection: Connection, serial: str, by: str, now_ms: int) -> None:
    """Revoke a certificate for the one in its place; of one that was revoked before, say which that is."""
    _revoke(connection, serial, f"由 {by} 替换", by, now_ms)
    connection.execute(
        update(certificate)
        .where(
            certificate.c.serial == serial,
            certificate.c.state == Fate.REVOKED.value,
            certificate.c.replaced_by == "",
        )
        .values(replaced_by=by)
    )


def _revoke(connection: Connection, serial: str, because: str, by: str, now_ms: int) -> None:
    connection.execute(
        update(certificate)
        .where(certificate.c.serial == serial, certificate.c.state == Fate.ISSUED.value)
        .values(state=Fate.REVOKED.value, because=because, replaced_by=by, ended_at_ms=now_ms)
    )


def _keep(connection: Connection, serial: str, signed: SignedCertificate) -> None:
    values = {"statement": signed.statement, "signature": signed.signature, "contents": signed.contents}
    connection.execute(update(certificate).where(certificate.c.serial == serial).values(values))


def _asked_of(connection: Connection, peer: str, copy_id: UUID) -> CopyOrder:
    order = copies.look_up(connection, copy_id)
    if order is None or order.keeper != peer:
        raise BadValue(
            Text(zh="答复了没有向该站提出的申请。", en="an answer to an order that was never put to this site"),
            Text(
                zh="枢纽可能恢复过备份；请该站与县档案馆核对。",
                en="The hub may have been put back: compare with the site.",
            ),
        )
    return order


def _note(connection: Connection, who: str, action: Action, serial: str, detail: str, now_ms: int) -> None:
    audit.append(connection, AuditEntry(who=who, action=action, object=f"certificate:{serial}", detail=detail), now_ms)
