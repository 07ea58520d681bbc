"""Answering the county about this site's catalogue files: what was taken, what was rejected, and why.

Names of files and counts travel, never what stood in a row: that may be personal, and stays here (promise 8).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from node import files
from node.files import CatalogueFile, FileState
from protocol.calls import AskFiles, Body, FileLine, FileLines, FindingCount, Outcome
from protocol.limits import FILE_FINDINGS_MAX, FILE_LINES_MAX, FILE_NAME_CHARS_MAX
from protocol.wording import Text
from replication.answering import Handler
from replication.database import Database

LINES_BYTES_MAX = 48 * 1024
"""Bytes of the lines of one answer, so that sums and envelope fit beside them into a reply."""

WORDS_CHARS_MAX = 300
"""Characters of the words about a file that travel."""

_REJECTED = "SELECT file_id, code, count(*) FROM (SELECT DISTINCT file_id, sheet, line, code FROM reject) GROUP BY 1, 2"
_WARNED = "SELECT file_id, warnings, count(*) FROM record WHERE warnings <> '' GROUP BY 1, 2"


def files_handler(database: Database) -> Handler:
    """Return what answers ``AskFiles``."""

    async def answer(question: AskFiles) -> tuple[Outcome, Body | None]:
        told = await database.read(lambda connection: answered(connection, question))
        return (Outcome.ANSWERED if told.total else Outcome.NOTHING), told

    return answer


def answered(connection: Connection, question: AskFiles) -> FileLines:
    """Return the files from a place on, and the sums over all of them."""
    known = sorted(files.files_in(connection), key=lambda one: (one.path, one.file_id))
    findings = _findings_by_file(connection)
    every: Counter[str] = sum(findings.values(), Counter())
    skip = max(0, question.skip)
    return FileLines(
        lines=_fitting([_line(one, findings[one.file_id]) for one in known[skip : skip + FILE_LINES_MAX]]),
        total=len(known),
        refused=sum(one.state is FileState.REFUSED for one in known),
        accepted=sum(one.accepted for one in known),
        warned=sum(one.warned for one in known),
        rejected=sum(one.rejected for one in known),
        findings=_counted(every),
    )


def _findings_by_file(connection: Connection) -> defaultdict[int, Counter[str]]:
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for file_id, code, rows in connection.exec_driver_sql(_REJECTED):
        found[file_id][code] += rows
    for file_id, codes, rows in connection.exec_driver_sql(_WARNED):
        for code in set(codes.split(",")):
            found[file_id][code] += rows
    return found


def _line(one: CatalogueFile, findings: Mapping[str, int]) -> FileLine:
    is_refused = one.state is FileState.REFUSED
    return FileLine(
        name=one.path[-FILE_NAME_CHARS_MAX:],
        state=one.state.value,
        accepted=one.accepted,
        warned=one.warned,
        rejected=one.rejected,
        read_at_ms=one.read_at_ms,
        is_missing=one.missing_since_ms is not None,
        reason=_short(one.reason) if is_refused else None,
        hint=_short(one.hint) if is_refused else None,
        findings=_counted(findings)[:FILE_FINDINGS_MAX],
    )


def _counted(findings: Mapping[str, int]) -> tuple[FindingCount, ...]:
    ordered = sorted(findings.items(), key=lambda one: (-one[1], one[0]))
    return tuple(FindingCount(code=code, rows=rows) for code, rows in ordered)


def _short(text: Text) -> Text:
    return Text(zh=text.zh[:WORDS_CHARS_MAX], en=text.en[:WORDS_CHARS_MAX])


def _fitting(lines: Sequence[FileLine]) -> tuple[FileLine, ...]:
    """Return as many lines, from the first on, as one answer has room for."""
    room, kept = LINES_BYTES_MAX, 0
    for line in lines:
        room -= len(msgspec.json.encode(line)) + 1
        if room < 0:
            break
        kept += 1
    return tuple(lines[:kept])
