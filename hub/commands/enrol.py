"""``danglian-hub enrol``: issues one-time codes, one for a site or a table of them for a whole county."""

import argparse
import asyncio
import csv
import datetime
import io
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.actions import operator
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.membership import certificates, codes
from hub.sites import site_orders
from hub.storage import store
from protocol.bundles import hub_fingerprint
from protocol.county_time import ZONE
from protocol.enrolment import SECRET_BYTES, EnrolmentCode
from protocol.errors import BadFile, BadSetting, BadValue, Refused
from protocol.sites import parse_site
from protocol.wording import Count, Text
from replication.command_line import Parsers, say, say_json
from replication.files import PRIVATE_MODE, write_whole
from replication.keys import load_identity

SITES_MAX = 10_000
"""Rows of a table of sites: a province's counties have under a tenth of that each."""

_HEADERS = ("site", "name", "code", "valid_until", "fault")


class Issued(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the outcome: a code, or why there is none."""

    site: str
    name: str = ""
    code: str = ""
    valid_until: str = ""
    fault: str = ""


def add(parsers: Parsers) -> None:
    """Add the command to the command line."""
    parser = parsers.add_parser("enrol", help="为站点签发一次性登记码 / issue a one-time code for a site")
    add_home_option(parser)
    parser.add_argument("site", nargs="?", metavar="SITE", help="站点代码 / site code, 330523108204")
    parser.add_argument("--name", default="", help="站点名称 / what the county calls the site")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="批量：每行“代码,名称” / many: lines of code,name")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="批量结果文件（默认 FILE 旁的 *.codes.csv）/ where the codes go"
    )
    parser.add_argument("--valid-days", type=int, metavar="N", help="登记码有效天数 / days that the code is good")
    parser.add_argument(
        "--replace", action="store_true", help="换机：登记成功时停用旧节点 / the new node takes the old one's place"
    )
    parser.add_argument(
        "--courier",
        action="store_true",
        help="该站没有网络，用 U 盘登记和上报（见 bundle --help）/ the site has no line: by USB stick (see bundle)",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Issue codes and print them, or write them into a table.

    Raises:
        BadSetting: neither a site nor a table is named, or both.
        BadValue: no site code.
        BadFile: the table cannot be read.
        Refused: the site has a node, and ``--replace`` was not given.

    """
    if (args.site is None) == (args.csv is None):
        raise BadSetting(
            Text(zh="请给出一个站点代码，或用 --csv 给出一张表。", en="give one site code, or a table with --csv"),
            Text(zh="例如：danglian-hub enrol 330523108204", en="For example: danglian-hub enrol 330523108204"),
        )
    home = home_at(args.home)
    settings = config.load(home.settings)
    days = settings.enrolment.code_days if args.valid_days is None else args.valid_days
    if not 1 <= days <= config.CODE_DAYS_MAX:
        raise BadSetting(
            Text(
                zh=f"--valid-days 应为 1 至 {config.CODE_DAYS_MAX}。", en=f"--valid-days is 1 to {config.CODE_DAYS_MAX}"
            ),
            Text(zh="例如：--valid-days 7", en="For example: --valid-days 7"),
        )
    if args.csv is not None:
        return _run_table(args, home, days)
    order = _order(args, args.site, args.name, days)
    (issued,) = asyncio.run(issue_all(home, [order]))
    if isinstance(issued, Refused):
        raise issued
    if args.json:
        say_json(issued)
    else:
        _explain(issued, settings, by_courier=args.courier)
    return 0


def _order(args: argparse.Namespace, code: str, name: str, days: int) -> codes.CodeOrder:
    return codes.CodeOrder(
        site=parse_site(code), name=name, valid_days=days, replaces=args.replace, by_courier=args.courier
    )


async def issue_all(home: HubHome, orders: Sequence[codes.CodeOrder]) -> list[Issued | Refused]:
    """Issue codes in one transaction; a site that gets none leaves the others alone."""
    door = certificates.door_fingerprint(home)
    hub = hub_fingerprint(load_identity(home.hub_seed).public_key)
    now = datetime.datetime.now(datetime.UTC)

    def issue(connection: Connection) -> list[Issued | Refused]:
        return [_issued(connection, order, hub if order.by_courier else door, now) for order in orders]

    async with store.opened(home) as database:
        return await database.write(issue)


def _issued(
    connection: Connection, order: codes.CodeOrder, fingerprint: bytes, now: datetime.datetime
) -> Issued | Refused:
    secret = os.urandom(SECRET_BYTES)
    try:
        expires = site_orders.issue_code(connection, operator(), order, secret, now)
    except Refused as error:
        return error
    return Issued(
        site=order.site.code,
        name=order.name,
        code=EnrolmentCode(secret=secret, fingerprint=fingerprint).written,
        valid_until=expires.astimezone(ZONE).strftime("%Y-%m-%d %H:%M"),
    )


def _explain(issued: Issued, settings: HubConfig, *, by_courier: bool) -> None:
    host = settings.hosts[0] if settings.hosts else "127.0.0.1"
    door = f"[{host}]:{settings.enrolment.port}" if ":" in host else f"{host}:{settings.enrolment.port}"
    say(
        Text(
            zh=f"站点 {issued.site} {issued.name} 的登记码（只能用一次，{issued.valid_until} 前有效）：",
            en=f"Code for site {issued.site} {issued.name} (good once, until {issued.valid_until}):",
        )
    )
    say(Text(zh=f"\n    {issued.code}\n", en=f"\n    {issued.code}\n"))
    way = r"--courier E:\ " if by_courier else f"--hub {door} "
    say(
        Text(
            zh=f"在该站的电脑上运行：\n\n    danglian-node init {way}--code {issued.code}\n",
            en=f"On the PC of that site run:\n\n    danglian-node init {way}--code {issued.code}\n",
        )
    )
    if by_courier:
        say(_ROUND_TRIP)


_ROUND_TRIP = Text(
    zh="（E:\\ 是插好的 U 盘。）U 盘带回后，在县级运行 danglian-hub bundle in 和 bundle out，再送回该站。\n"
    "登记码请用电话或纸条告知，不要写在 U 盘上。",
    en="(E:\\ is the stick.) When it comes back, run danglian-hub bundle in and bundle out here, and return it.\n"
    "Give the code by telephone or on paper, never on the stick.",
)


def _run_table(args: argparse.Namespace, home: HubHome, days: int) -> int:
    rows = read_sites(args.csv)
    orders: list[codes.CodeOrder] = []
    outcome: dict[int, Issued] = {}
    for line, (code, name) in enumerate(rows):
        try:
            order = _order(args, code, name, days)
        except BadValue as error:
            outcome[line] = Issued(site=code, name=name, fault=error.reason.both())
        else:
            orders.append(order)
    placed = [line for line in range(len(rows)) if line not in outcome]
    for line, issued in zip(placed, asyncio.run(issue_all(home, orders)), strict=True):
        code, name = rows[line]
        outcome[line] = (
            Issued(site=code, name=name, fault=issued.reason.both()) if isinstance(issued, Refused) else issued
        )
    lines = [outcome[line] for line in range(len(rows))]
    target = args.out or args.csv.with_suffix(".codes.csv")
    write_whole(target, table_of(lines), mode=PRIVATE_MODE)
    faults = sum(bool(one.fault) for one in lines)
    if args.json:
        say_json({"file": str(target), "issued": len(lines) - faults, "faults": faults})
    else:
        say(
            Text(
                zh=f"已签发 {len(lines) - faults} 个登记码，{faults} 行未成；结果在 {target}，请妥善保管。",
                en=f"{Count(len(lines) - faults):code|codes} issued, {Count(faults):row|rows} failed; see {target},"
                " and keep it safe.",
            )
        )
    return 1 if faults else 0


def read_sites(path: Path) -> list[tuple[str, str]]:
    """Read a table of sites as offices write it: UTF-8 or GB18030, with or without a line of headings.

    Raises:
        BadFile: missing, empty, not text, or too long.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _bad_table(path, Text(zh=f"读不到：{error.strerror}", en=f"cannot be read: {error.strerror}")) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    rows = [
        (cells[0].strip(), cells[1].strip() if len(cells) > 1 else "")
        for cells in csv.reader(io.StringIO(text, newline=""))
        if any(cell.strip() for cell in cells)
    ]
    if rows and not any(character.isdigit() for character in rows[0][0]):
        rows = rows[1:]
    if not 0 < len(rows) <= SITES_MAX:
        fault = Text(
            zh=f"有 {len(rows)} 行，应为 1 至 {SITES_MAX} 行",
            en=f"has {Count(len(rows)):row|rows}, not 1 to {SITES_MAX}",
        )
        raise _bad_table(path, fault)
    return rows


def _bad_table(path: Path, fault: Text) -> BadFile:
    return BadFile(
        Text(zh=f"{path}：{fault.zh}", en=f"{path}: {fault.en}"),
        Text(zh="每行写：站点代码,名称", en="One line a site: code,name"),
    )


def table_of(lines: Sequence[Issued]) -> bytes:
    """Return the outcome as a table that spreadsheet programs open with its Chinese intact."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADERS)
    writer.writerows((one.site, one.name, one.code, one.valid_until, one.fault) for one in lines)
    return text.getvalue().encode("utf-8-sig")
