"""Reports of the checks on the disk: JSON lines, written as the results come, read back without holding them.

A report is private: its evidence names records. It takes its name when it is whole; what was cut has another.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from protocol.check_reports import CheckReport, ReportEnd, ReportHead
from protocol.check_results import CheckResult, verdict
from protocol.check_rules import CheckRules
from protocol.errors import BadFile
from protocol.wording import Text
from replication.files import PRIVATE_MODE
from replication.packages.bag_writing import make_folder, sync_folder

LINE_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of one line of a report: its end names up to ``ITEMS_NAMED_MAX`` paths for every rule."""

_PARTIAL: Final = ".partial"
_BARE: Final = b'{"rule"'


class _Result(msgspec.Struct, frozen=True, kw_only=True, tag="result", tag_field="type"):
    """One line between head and end."""

    result: CheckResult


_Line = ReportHead | ReportEnd | _Result
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_bare_decoder = msgspec.json.Decoder(CheckResult)


def write_report(
    path: Path, head: ReportHead, results: Iterable[CheckResult], rules: CheckRules, clock_ms: Callable[[], int]
) -> CheckReport:
    """Write a report through to the disk while the checks run, and return it without its results.

    Whatever the run raises is passed on, and no report is left.
    """
    make_folder(path.parent)
    partial = path.with_name(path.name + _PARTIAL)
    digest, count = hashlib.sha256(), 0
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), PRIVATE_MODE)
        with os.fdopen(descriptor, "wb") as file:

            def written() -> Iterator[CheckResult]:
                nonlocal count
                for result in results:
                    line = _encoder.encode(_Result(result=result)) + b"\n"
                    digest.update(line)
                    file.write(line)
                    count += 1
                    yield result

            file.write(_encoder.encode(head) + b"\n")
            judged = verdict(written(), rules, head.phase)
            end = ReportEnd(results=count, results_digest=digest.hexdigest(), verdict=judged, ended_at_ms=clock_ms())
            file.write(_encoder.encode(end) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return CheckReport(head=head, end=end)


def read_report(path: Path) -> Iterator[ReportHead | CheckResult | ReportEnd]:
    """Yield head, results and end of a report; its end is yielded only if nothing is missing or changed before it.

    Raises:
        BadFile: it is no report, or is damaged or cut.

    """
    digest, count, ended = hashlib.sha256(), 0, False
    try:
        with path.open("rb") as file:
            while line := file.readline(LINE_BYTES_MAX):
                said = _decoded(line)
                if ended or isinstance(said, ReportHead) is (count > 0 or file.tell() != len(line)):
                    raise _bad(path, Text(zh="行的次序不对", en="its lines are out of order"))
                if isinstance(said, _Result):
                    digest.update(line)
                    count += 1
                    yield said.result
                elif isinstance(said, ReportEnd):
                    if (said.results, said.results_digest) != (count, digest.hexdigest()):
                        raise _bad(path, Text(zh="结果被改动或缺失", en="results were changed or are missing"))
                    ended = True
                    yield said
                else:
                    yield said
    except OSError as error:
        raise _bad(path, Text(zh=f"读不出：{error.strerror}", en=f"cannot be read: {error.strerror}")) from error
    except msgspec.DecodeError as error:
        raise _bad(path, Text(zh="有一行无法解读", en="a line cannot be read")) from error
    if not ended:
        raise _bad(path, Text(zh="报告不完整", en="it was cut"))


def _decoded(line: bytes) -> _Line:
    # Reports of transfers once had bare results; they lie beside their packages for as long as those are kept.
    return _Result(result=_bare_decoder.decode(line)) if line.startswith(_BARE) else _decoder.decode(line)


def results_of(path: Path) -> Iterator[CheckResult]:
    """Yield the results of a report.

    Raises:
        BadFile: as ``read_report``.

    """
    return (one for one in read_report(path) if isinstance(one, CheckResult))


def _bad(path: Path, fault: Text) -> BadFile:
    return BadFile(
        Text(zh=f"检测报告 {path.name}：{fault.zh}", en=f"report {path.name}: {fault.en}"),
        Text(zh="重新检测。", en="Check the package again."),
    )
