"""``danglian-node init``: makes this PC the node of a site, with the one-time code that the county archive sent."""

import argparse
import asyncio
import importlib.metadata
import os
from pathlib import Path

from node import courier_enrolment
from node.enrolment import DoorAddress, Enrolled, Installation, enrol, parse_door
from node.home import add_home_option, home_of
from protocol.enrolment import ENROLMENT_PORT, parse_code
from protocol.wording import Text
from replication.command_line import Parsers, say, say_json
from replication.wall_clock import clock_ms


def add(parsers: Parsers) -> None:
    """Add the command to the command line."""
    parser = parsers.add_parser("init", help="用登记码登记本站 / enrol this PC with a one-time code")
    add_home_option(parser)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--hub", metavar="HOST[:PORT]", help=f"县级枢纽地址（端口默认 {ENROLMENT_PORT}）/ the hub")
    way.add_argument(
        "--courier",
        type=Path,
        metavar="DIR",
        help="没有网络：把登记申请写到 U 盘，见 bundle --help / no line: write the application to a stick, see bundle",
    )
    parser.add_argument("--code", metavar="CODE", help="登记码；不给则提示输入 / the code; asked for when missing")
    parser.add_argument("--folder", type=Path, metavar="PATH", help="要监看的目录 / folder to watch for catalogues")
    parser.add_argument("--name", default="", help="本机叫法，例如“阅览室电脑” / what the site calls this PC")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Enrol, and say what to do next.

    Raises:
        BadValue: the code was mistyped, or the address is none.
        Refused: the hub says no, or is another one.
        LinkDown: the hub cannot be reached.
        StorageFull, Retryable: the stick has no room, or cannot be written.
        BadSetting: the home's files are damaged, or the folder does not exist.

    """
    door: DoorAddress | None = None if args.hub is None else parse_door(args.hub)
    code = parse_code(args.code or input("登记码 / code: "))
    installation = Installation(
        name=args.name, folder=args.folder, software=f"danglian {importlib.metadata.version('danglian')}"
    )
    if door is None:
        now_ms = clock_ms()
        written = courier_enrolment.apply(home_of(args), code, installation, args.courier, os.urandom, now_ms)
        if args.json:
            say_json(written)
        else:
            say(_as_errand(written.file))
        return 0
    done = asyncio.run(enrol(home_of(args), door, code, installation, os.urandom))
    if args.json:
        say_json(_as_object(done))
    else:
        say(_as_text(done))
    return 0


def _as_object(done: Enrolled) -> dict[str, str | bool]:
    return {
        "site": done.admission.site,
        "name": done.admission.site_name,
        "county": done.admission.county_name,
        "public_key": done.public_key,
        "folder": str(done.folder),
        "is_new": done.is_new,
    }


def _as_text(done: Enrolled) -> Text:
    site = f"{done.admission.site} {done.admission.site_name}"
    if not done.is_new:
        return Text(
            zh=f"本机早已登记为站点 {site}，设置未改动。",
            en=f"This PC was enrolled already, as site {site}; its settings are unchanged.",
        )
    return Text(
        zh=f"登记成功：站点 {site}，所属 {done.admission.county_name}。\n"
        f"把目录表格（.xlsx .xls .csv .txt）放进 {done.folder} ，再运行 danglian-node run。",
        en=f"Enrolled: site {site} of {done.admission.county_name}.\n"
        f"Put catalogue files (.xlsx .xls .csv .txt) into {done.folder} and run danglian-node run.",
    )


def _as_errand(file: str) -> Text:
    return Text(
        zh=f"登记申请已写到 {file}。\n请把 U 盘带到县档案馆（danglian-hub bundle in，再 bundle out），"
        "带回后在本机运行\ndanglian-node bundle in。申请中不含登记码，也不含密钥。",
        en=f"The application is in {file}.\nTake the stick to the county archive (danglian-hub bundle in, then bundle"
        " out), bring it back and run\ndanglian-node bundle in here. Neither the code nor the key is on the stick.",
    )
