"""Steps of transfers as bytes: what is sealed, digested, sent and kept."""

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from protocol.errors import BadValue, UnknownKind
from protocol.transfers import Step, What
from protocol.wording import Text

_encoder = msgspec.json.Encoder()
_steps = msgspec.json.Decoder(Step)


class _Tag(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""


class _Tagged(msgspec.Struct, frozen=True, kw_only=True):
    what: _Tag


KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in What.__args__)
"""Every kind of step that this version knows."""


def encode_step(step: Step) -> bytes:
    """Return the bytes of a step: what is sealed, digested, sent and kept."""
    return _encoder.encode(step)


def decode_step(raw: bytes) -> Step:
    """Read a step.

    Raises:
        UnknownKind: a kind of step that this version does not know.
        BadValue: the bytes are not a step, or its numbers cannot be.

    """
    try:
        step = _steps.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = _kind_of(raw)
        if kind and kind not in KINDS:
            raise UnknownKind(
                Text(zh=f"未知的移交步骤：{kind}", en=f"unknown kind of step: {kind}"),
                Text(zh="对方版本较新；升级本端后会自动重新处理。", en="The other end is newer: upgrade this end."),
            ) from error
        raise BadValue(Text(zh=f"移交步骤无法解读：{error}", en=f"unreadable step: {error}")) from error
    if step.number < 1 or step.heard < 0 or (step.number == 1) != (step.previous == ""):
        raise BadValue(Text(zh="移交步骤序号不合规。", en="a step with numbers that cannot be"))
    return step


def _kind_of(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Tagged).what.type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def items_digest(accepted: Iterable[UUID]) -> str:
    """Return the digest of a list of accepted items, in whatever order it comes."""
    joined = b"".join(sorted(record_id.bytes for record_id in accepted))
    return hashlib.sha256(joined).hexdigest()


def step_digest(raw: bytes) -> str:
    """Return the digest of a step's bytes."""
    return hashlib.sha256(raw).hexdigest()
