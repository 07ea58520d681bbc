"""The chain of an audit log: each line seals the one before, and a head that others keep seals them all. Pure.

A line's digest is taken over the line and the digest of the line before, so that nobody can change, remove or put in a
line without every later digest being wrong. What a chain cannot show by itself is the loss of its newest lines, or that
it was written anew from some line on: therefore hub and sites keep each other's heads (``protocol.audit_letters``), and
a log that has another digest at a place which the other end has kept is one that was tampered with.

The same rule holds for the hub's log and for each site's.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

FIRST: Final = "0" * 64
"""What stands in place of the digest before the first line."""


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it is stored."""

    seq: int
    at_ms: int
    who: str
    action: str
    object: str
    outcome: str
    origin: str
    detail: str
    digest: str


class AuditHead(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A line's number and digest: what somebody else keeps as a checkpoint of the log up to there."""

    seq: int = 0
    """0 for a log without a line."""
    digest: str = FIRST


def digest_of(line: AuditLine, previous: str) -> str:
    """Return a line's digest: SHA-256 over the digest before and the line's fields as JSON."""
    fields = [line.seq, line.at_ms, line.who, line.action, line.object, line.outcome, line.origin, line.detail]
    return hashlib.sha256(previous.encode("utf-8", "replace") + b"\n" + msgspec.json.encode(fields)).hexdigest()


def sealed(line: AuditLine, previous: AuditHead) -> AuditLine:
    """Return a line as the one behind ``previous``, with its digest."""
    numbered = msgspec.structs.replace(line, seq=previous.seq + 1)
    return msgspec.structs.replace(numbered, digest=digest_of(numbered, previous.digest))


def head_of(line: AuditLine | None) -> AuditHead:
    """Return the head that a last line makes; None stands for a log without a line."""
    return AuditHead() if line is None else AuditHead(seq=line.seq, digest=line.digest)


def first_broken(lines: Iterable[AuditLine], seq: int, digest: str) -> int | None:
    """Return the number of the first line that does not follow from the one before; None if all do."""
    for line in lines:
        if line.seq != seq + 1 or line.digest != digest_of(line, digest):
            return line.seq
        seq, digest = line.seq, line.digest
    return None


def contradicted(kept: Mapping[int, str], shown: Mapping[int, str], head: AuditHead) -> list[int]:
    """Return the places at which a log is not what it was when its heads were kept.

    Args:
        kept: digests by line number, as they were when somebody kept them.
        shown: digests by line number, as the log has them now; a place that it does not show is not judged, unless it
            lies behind the log's end.
        head: the log's last line now.

    """
    found = []
    for seq, digest in sorted(kept.items()):
        now = head.digest if seq == head.seq else shown.get(seq)
        if seq > head.seq or (now is not None and now != digest):
            found.append(seq)
    return found
