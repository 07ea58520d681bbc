"""Two contents side by side, field by field. Pure."""

from collections.abc import Mapping

import msgspec

from hub.commands.fields import field_word
from protocol.records import Record
from protocol.wording import Text

VALUE_CHARS_MAX = 2_000
"""Characters of a value that are shown."""

_UNTELLING = frozenset(("version", "previous_digest", "changed_by", "changed_at_ms", "person_keys"))
"""Fields that differ by nature, or say nothing to a reader."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One field of both."""

    field: Text
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """True if the two do not say the same."""
        return self.left != self.right


def lines_of(left: Record | None, right: Record | None) -> list[Line]:
    """Return the fields that either has, those that differ first."""
    ours, theirs = _fields(left), _fields(right)
    names = [name for name in Record.__struct_fields__ if name in ours or name in theirs]
    lines = [Line(field=field_word(name), left=ours.get(name, ""), right=theirs.get(name, "")) for name in names]
    return sorted(lines, key=lambda line: not line.differs)


def _fields(record: Record | None) -> Mapping[str, str]:
    if record is None:
        return {}
    said = msgspec.to_builtins(record)
    return {name: _shown(value)[:VALUE_CHARS_MAX] for name, value in said.items() if name not in _UNTELLING}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "；".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{name}={_shown(one)}" for name, one in value.items())
    return str(value)
