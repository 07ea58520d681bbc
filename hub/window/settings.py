"""What the county decides about the window's terms: the table ``[window]`` of ``hub.toml``; all are working days."""

from typing import Annotated

import msgspec

_Days = Annotated[int, msgspec.Meta(ge=1, le=120)]


class WindowSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Terms of the window, in working days."""

    accept_days: _Days = 1
    """From the submission to acceptance or refusal."""
    search_days: _Days = 4
    """From acceptance to a result."""
    tell_days: _Days = 2
    """From the result until the applicant knows it, or access is put to review."""
    review_days: _Days = 3
    certify_days: _Days = 2
    draft_days: _Days = 5
    """After which a draft that nobody submits expires."""
    supplement_days: _Days = 10
    """After which a request whose papers are not brought expires."""
    collect_days: _Days = 30
    """After which what nobody collects is put away."""
    due_soon_days: Annotated[int, msgspec.Meta(ge=0, le=30)] = 1
    """So many working days before its end a term is due soon, and its handler is told."""
    escalate_after_days: _Days = 2
    """So many working days behind its end a term goes to the leader as well."""


EXAMPLES = {
    f"window.{name}": f"{name} = {field.default}"
    for field in msgspec.structs.fields(WindowSettings)
    for name in [field.encode_name]
}
"""Every setting with a line that would be right."""
