"""``danglian-node package export``: a package as one EEP file, for a system that takes no other."""

import argparse
import tempfile
from pathlib import Path

import msgspec

from protocol.county_time import second
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json
from replication.packages.eep_writing import exported, write_eep, written_bytes
from replication.packages.opening import open_package
from replication.progress import progress
from replication.wall_clock import clock_ms

_HELP = "把移交包导出为一个 EEP 文件（DA/T 48）· write a package as one EEP file"
_DESCRIPTION = """把移交包（BagIt 包、规定的文件夹结构，或由它们打成的 ZIP、TAR）写成一个 EEP 封装包（DA/T 48-2009），
供只认这种格式的系统接收。原包不改动。每个文件归入它的条目；有文件归不到唯一的条目时不导出，并列出这些文件。
导出不代替检测：请先运行 package check。

Write a package (a bag, the official layout, or either in one ZIP or TAR) as one EEP file (DA/T 48-2009), for systems
that take nothing else. The package itself is not changed. Each file goes with its entry; if one belongs to no entry, or
to two, nothing is written and these files are named. Exporting is no check: run package check first.
"""
_BAR = Text(zh="写入 EEP", en="writing EEP")


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    path: str
    sha256: str
    entries: int
    files: int


def add_export(commands: Parsers) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "export", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="移交包 · the package")
    parser.add_argument("--eep", type=Path, metavar="FILE", required=True, help="写成此文件 · the file to write")
    parser.add_argument("--by", metavar="UNIT", required=True, help="封装包创建单位 · the unit that makes it")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export a package.

    Raises:
        BadFile: the package cannot be read, a file has no entry, or the new file is there already.
        StorageFull: the disk has no room; nothing is left behind.

    """
    with tempfile.TemporaryDirectory() as folder:
        items = exported(open_package(args.path, Path(folder)))
        with progress(_BAR, written_bytes(items)) as bar:
            made = second(clock_ms()).replace(" ", "T")
            digest = write_eep(args.eep, items, created_at=made, created_by=args.by, told=bar.add)
    found = Exported(path=str(args.eep), sha256=digest, entries=len(items), files=sum(len(one.files) for one in items))
    if args.json:
        say_json(found)
        return EXIT_OK
    say(
        Text(
            zh=f"已写成 {found.path}：{found.entries} 个条目，{found.files} 个文件；SHA-256 {digest}",
            en=f"{found.path} is written: {Count(found.entries):entry|entries},"
            f" {Count(found.files):file|files}; SHA-256 {digest}",
        )
    )
    return EXIT_OK
