"""``danglian-hub certificate``: verifies, lists, prints and revokes certificates; accounts for numbered paper."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.actions import operator, seen, written
from hub.commands.listing import check_database, joined, moment, show_table
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.window import certificates, issuance, public_keys, serials, sheets, verify_page
from hub.window.certificates import Printing
from hub.window.verifying import Finding, Verdict, verify_pdf, verify_qr
from protocol.certificates import KINDS
from protocol.errors import BadFile, BadSetting
from protocol.key_lists import KeyList, read_list, signed_message
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.files import write_whole
from replication.keys import load_identity, verified
from replication.wall_clock import clock_ms

EXIT_CODES: Final = {
    Finding.VALID: EXIT_OK,
    Finding.ALTERED: 3,
    Finding.REVOKED: 4,
    Finding.UNKNOWN: 5,
    Finding.UNPROVEN: 6,
}
"""What ``verify`` ends with."""

PDF_BYTES_MAX: Final = 2 * 1024**3
"""Bytes of a file that is verified: two hundred large pages."""

_HELP = "核验、列出、打印、撤销证明，登记用纸 / verify, list, print and revoke certificates"
_DESCRIPTION = """复制件与档案证明由保管单位签名出具，窗口打印。

  danglian-hub certificate verify 文件.pdf           核验 PDF：要素、内容、签章
  danglian-hub certificate verify --qr "DL1...."     核验纸上二维码的内容
  danglian-hub certificate verify 文件 --keys 表     只凭公钥表核验，不需要本机枢纽
  danglian-hub certificate list                      登记簿：每个编号及其去向
  danglian-hub certificate issue 编号 --sheet A000101 --printer 窗口1 --out 打印.pdf
  danglian-hub certificate revoke 编号 --because 页码有误
  danglian-hub certificate keys --out keys.json      写出县公钥表（可公开）
  danglian-hub certificate page --out verify.html    写出核验网页：无需登录，离线可用
  danglian-hub certificate receive A000101 A000600   登记领用的号段
  danglian-hub certificate spoil A000103 --because 卡纸
  danglian-hub certificate balance                   用纸平衡：领用＝打印＋作废＋结存

verify 的退出码：0 有效，3 被改动，4 已撤销，5 不是本县证明，6 文件未签章（可核验二维码）；1 文件读不出。

Holders certify and the window prints.

  verify FILE.pdf, verify --qr "DL1...."     elements, content and seal of a PDF; the content of a QR code on paper
  verify FILE --keys LIST                    by the county's key list alone, without this hub
  list                                       the register: every serial and what became of it
  issue SERIAL --sheet A000101 --printer ... --out FILE
                                             take numbered sheets and write the PDF to print; once more for a page
                                             whose sheet was ruined
  revoke SERIAL --because TEXT
  keys --out FILE, page --out FILE           the county's key list, which may be public; a page that verifies offline
  receive FIRST LAST, spoil SHEET --because TEXT, balance
                                             numbered paper: what came in, what was ruined, and where every sheet is

verify ends with 0 valid, 3 altered, 4 revoked, 5 not this county's, 6 not sealed (its QR code can be verified), and
with 1 where the file cannot be read.
"""

_ACTIONS = ("verify", "list", "issue", "revoke", "keys", "page", "receive", "spoil", "balance")


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "certificate", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action", choices=_ACTIONS, metavar="ACTION", help=f"要做什么 / what to do: {', '.join(_ACTIONS)}"
    )
    parser.add_argument("what", nargs="*", metavar="FILE|SERIAL|SHEET", help="文件、编号或用纸号 / as the action needs")
    parser.add_argument("--qr", default="", metavar="TEXT", help="二维码的内容 / the text of a QR code")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="县公钥表 / a key list, in place of this hub's")
    parser.add_argument("--out", type=Path, metavar="FILE", help="写到哪里 / where to write")
    parser.add_argument("--because", default="", help="原因 / the reason")
    parser.add_argument("--sheet", default="", help="第一张用纸的编号 / number of the first sheet")
    parser.add_argument("--printer", default="", help="打印机 / which printer")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what is asked.

    Raises:
        BadSetting: something that the action needs is not given.
        BadFile: a file cannot be read.
        BadValue: no such serial or sheet, or it cannot be done with it.

    """
    if args.action == "verify":
        return _verify(args)
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    act: dict[str, Callable[[HubHome, HubConfig, argparse.Namespace], None]] = {
        "list": _list,
        "issue": _issue,
        "revoke": _revoke,
        "keys": _keys,
        "page": _page,
        "receive": _receive,
        "spoil": _spoil,
        "balance": _balance,
    }
    act[args.action](home, settings, args)
    return EXIT_OK


def _verify(args: argparse.Namespace) -> int:
    if bool(args.qr) == bool(args.what):
        raise BadSetting(
            Text(zh="请给出一个文件，或用 --qr 给出二维码内容。", en="give one file, or the text of a code with --qr"),
            Text(zh="danglian-hub certificate verify 文件.pdf", en="danglian-hub certificate verify FILE.pdf"),
        )
    content = b"" if args.qr else _read(Path(args.what[0]))
    if args.keys is not None:
        keys, authority, known = _listed_keys(_read(args.keys)), None, None
    else:
        home = home_at(args.home)
        settings = config.load(home.settings)
        check_database(home)
        keys, known = seen(home, lambda connection: _own(connection, home, settings))
        authority = home.authority.read_bytes()
    registered = None if known is None else known.get
    verdict = verify_qr(args.qr, keys, registered) if args.qr else verify_pdf(content, authority, keys, registered)
    if args.json:
        say_json(verdict)
    else:
        say(verdict.words)
        say(_rests_on(verdict))
    return EXIT_CODES[verdict.finding]


def _own(connection: Connection, home: HubHome, settings: HubConfig) -> tuple[KeyList, dict[str, str]]:
    known = {one.serial: one.statement for one in serials.listed(connection, limit=None) if one.statement}
    return _key_list(connection, home, settings), known


def _rests_on(verdict: Verdict) -> Text:
    day = moment(verdict.as_of_ms)
    return Text(zh=f"依据：{day} 的县公钥表", en=f"by the county's key list of {day}")


def _listed_keys(content: bytes) -> KeyList:
    sealed, listed, signature = read_list(content)
    county = [one.key for one in listed.keys if one.is_county]
    if sealed.signer not in county or not verified(sealed.signer, signature, signed_message(sealed.key_list)):
        raise BadFile(
            Text(zh="公钥表的签名不对，可能被改动。", en="the key list's signature does not fit: it was altered"),
            Text(zh="请从县档案馆重新取得。", en="Get it again from the county archive."),
        )
    return listed


def _key_list(connection: Connection, home: HubHome, settings: HubConfig) -> KeyList:
    hub_key = load_identity(home.hub_seed).public_key
    deputies = settings.certificates.deputies
    return public_keys.key_list(connection, settings.county, settings.name, hub_key, deputies, clock_ms())


def _list(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    found = seen(home, serials.listed)
    if args.json:
        say_json([_public(one) for one in found])
        return
    headers = [Text(zh=zh, en=en) for zh, en in _COLUMNS]
    rows = [
        [
            one.serial,
            worded(KINDS[one.kind]),
            one.holder,
            worded(serials.FATES[one.fate]),
            one.because or one.replaced_by,
            moment(one.ended_at_ms or one.taken_at_ms),
        ]
        for one in found
    ]
    show_table(headers, rows)


_COLUMNS = (
    ("编号", "serial"),
    ("种类", "kind"),
    ("保管单位", "holder"),
    ("去向", "fate"),
    ("原因", "because"),
    ("时间", "at"),
)


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    serial: str
    kind: str
    holder: str
    fate: str
    because: str
    replaced_by: str
    pages: int


def _public(one: serials.Certificate) -> _Line:
    return _Line(
        serial=one.serial,
        kind=one.kind.value,
        holder=one.holder,
        fate=one.fate.value,
        because=one.because,
        replaced_by=one.replaced_by,
        pages=one.pdf_pages,
    )


def _issue(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    serial, out = _named(args, "编号", "a serial"), _out(args)
    one = seen(home, lambda connection: serials.found(connection, serial))
    pdf = certificates.pdf_of(home, one)
    write_whole(out, pdf)
    printing = Printing(first_sheet=args.sheet, printer=args.printer)
    written(home, lambda connection: issuance.issue(connection, operator(), serial, printing, clock_ms()))
    say(Text(zh=f"已登记，请打印 {out}", en=f"Entered; print {out}"))


def _revoke(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    serial = _named(args, "编号", "a serial")
    because = str(args.because)
    step = written(home, lambda connection: issuance.revoke(connection, operator(), serial, because, clock_ms()))
    stands = serials.FATES[step.fate]
    say(
        Text(
            zh=f"{serial} {stands.zh}。请重新写出公钥表（certificate keys），核验网页随之更新。",
            en=f"{serial} is {stands.en}. Write the key list again (certificate keys), so that verifiers know.",
        )
    )


def _keys(home: HubHome, settings: HubConfig, args: argparse.Namespace) -> None:
    out = _out(args)
    listed = seen(home, lambda connection: _key_list(connection, home, settings))
    write_whole(out, public_keys.signed(listed, load_identity(home.hub_seed)))
    say(
        Text(
            zh=f"已写出 {out}：公钥 {len(listed.keys)} 个，已撤销证明 {len(listed.revoked)} 份。可公开。",
            en=f"Wrote {out}: {Count(len(listed.keys)):key|keys},"
            f" {Count(len(listed.revoked)):revoked certificate|revoked certificates}. It may be public.",
        )
    )


def _page(home: HubHome, settings: HubConfig, args: argparse.Namespace) -> None:
    out = _out(args)
    listed = seen(home, lambda connection: _key_list(connection, home, settings))
    identity = load_identity(home.hub_seed)
    write_whole(out, verify_page.page(public_keys.signed(listed, identity), listed, identity.public_key))
    say(
        Text(
            zh=f"已写出 {out}。放到网站上，并把公钥表以 keys.json 放在同一目录；单独一个文件也能离线使用。",
            en=f"Wrote {out}. Put it on a site with the key list beside it as keys.json; alone it works offline too.",
        )
    )


def _receive(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    if len(args.what) != 2:
        raise _needs("起号和止号", "a first and a last number")
    first, last = args.what
    batch = written(home, lambda connection: sheets.receive(connection, first, last, operator().who, clock_ms()))
    say(Text(zh=f"已登记 {batch.sheets} 张。", en=f"{Count(batch.sheets):sheet|sheets} entered."))


def _spoil(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    number, because = _named(args, "用纸编号", "a sheet's number"), str(args.because)
    one = written(home, lambda connection: issuance.spoil(connection, operator(), number, because, clock_ms()))
    if not one.serial:
        say(Text(zh=f"{number} 已登记作废。", en=f"{number} is entered as spoiled."))
        return
    say(
        Text(
            zh=f"{number} 已登记作废；{one.serial} 第 {one.page} 页须重印：certificate issue。",
            en=f"{number} is entered as spoiled; print page {one.page} of {one.serial} again: certificate issue.",
        )
    )


def _balance(home: HubHome, _: HubConfig, args: argparse.Namespace) -> None:
    found = seen(home, sheets.balance)
    if args.json:
        say_json(found)
        return
    say(
        Text(
            zh=f"领用 {found.received}＝打印 {found.printed}＋作废 {found.spoiled}＋结存 {found.left}；"
            f"下一张 {found.next_sheet or '—'}",
            en=f"received {found.received} = printed {found.printed} + spoiled {found.spoiled} + left {found.left};"
            f" next {found.next_sheet or '—'}",
        )
    )
    if found.lost:
        shown = joined(found.skipped)
        say(
            Text(
                zh=f"去向不明 {found.lost} 张：{shown}。请找回，或登记作废（spoil）。",
                en=f"{found.lost} unaccounted for: {shown}. Find them, or enter them as spoiled.",
            )
        )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > PDF_BYTES_MAX:
            raise OSError(None, "too large")
        return path.read_bytes()
    except OSError as error:
        raise BadFile(
            Text(zh=f"读不出文件 {path}：{error.strerror}", en=f"cannot read {path}: {error.strerror}"),
            Text(zh="请检查文件名。", en="Check the name."),
        ) from error


def _named(args: argparse.Namespace, zh: str, en: str) -> str:
    if len(args.what) != 1:
        raise _needs(zh, en)
    return str(args.what[0])


def _out(args: argparse.Namespace) -> Path:
    if args.out is None:
        raise _needs("--out 文件", "--out FILE")
    return Path(args.out)


def _needs(zh: str, en: str) -> BadSetting:
    return BadSetting(
        Text(zh=f"请给出{zh}。", en=f"give {en}"),
        Text(zh="danglian-hub certificate --help 有例子。", en="danglian-hub certificate --help has examples."),
    )
