"""``danglian-hub audit``: proves that nobody has changed the audit log."""

import argparse
import asyncio

from hub import audit, config, store
from hub.audit import Verdict
from hub.commands.listing import check_database
from hub.home import HubHome, add_home_option, home_at
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json

_HELP = "校验审计日志 / verify the audit log"
_DESCRIPTION = """审计日志的每条记录都含前一条的摘要。verify 逐条校验并给出末条的序号和摘要：请抄下保存，
下次用 --expect 给出，即可发现末尾的记录被删除。退出码：0 完好，1 有改动。

Every line of the audit log carries the digest of the one before. verify checks them all and prints number and digest
of the last: write them down, and give them with --expect next time, so that the loss of the newest lines is found too.
Exit code: 0 whole, 1 tampered with.

  danglian-hub audit verify
  danglian-hub audit verify --expect 1204:5f0c...
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "audit", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument("action", choices=("verify",), help="校验全部记录 / check every line")
    parser.add_argument(
        "--expect", default="", metavar="SEQ:DIGEST", help="以前抄下的末条 / a head written down before"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify; 1 if the log was tampered with.

    Raises:
        BadSetting: there is no hub in the home, or ``--expect`` cannot be read.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    verdict = asyncio.run(_verified(home, _expected(args.expect)))
    if args.json:
        say_json(verdict)
    else:
        say(_told(verdict))
    return EXIT_OK if verdict.is_whole else EXIT_PROBLEM


def _expected(written: str) -> tuple[int, str] | None:
    if not written:
        return None
    seq, _, digest = written.partition(":")
    if not (seq.isascii() and seq.isdecimal() and digest):
        raise BadSetting(
            Text(zh=f"--expect 的值 {written!r} 读不出。", en=f"--expect {written!r} cannot be read"),
            Text(zh="写法：序号:摘要，与上次输出相同。", en="Write SEQ:DIGEST, as it was printed before."),
        )
    return int(seq), digest.lower()


async def _verified(home: HubHome, expected: tuple[int, str] | None) -> Verdict:
    async with store.opened(home, read_only=True) as database:
        return await audit.verify(database, expected=expected)


def _told(verdict: Verdict) -> Text:
    head = f"{verdict.head_seq}:{verdict.head_digest}"
    if verdict.broken_at is not None:
        return Text(
            zh=f"第 {verdict.broken_at} 条与前一条不符：记录被改动过。请保存数据库并报告。",
            en=f"Line {verdict.broken_at} does not follow from the one before: the log was tampered with."
            " Keep the database and report it.",
        )
    if verdict.head_missing:
        return Text(
            zh=f"找不到抄下的那一条：末尾的记录被删除过。现在的末条 {head}",
            en=f"The head that was written down is missing: the newest lines were removed. The head is now {head}",
        )
    return Text(zh=f"完好：共 {verdict.lines} 条。末条 {head}", en=f"Whole: {verdict.lines} lines. Head {head}")
