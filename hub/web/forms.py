"""Reading forms: fields as plain text, bounded, without control characters; anything may be in them."""

from urllib.parse import parse_qs

from litestar.exceptions import HTTPException

from hub.web.asking import AnyRequest
from hub.web.faults import Stale

FORM_BYTES_MAX = 64 * 1024
"""Bytes of a form."""

FIELDS_MAX = 2_000
"""Fields of a form: two for each box of a large transfer; its bytes are bounded as well."""

FIELD_CHARS_MAX = 2_000
"""Characters of a field; what is longer is cut, and then refused by whoever reads it."""

TOKEN_FIELD = "token"  # noqa: S105 - the name of a field
"""Field that carries the visitor's token."""

_FORM = "application/x-www-form-urlencoded"


async def fields_of(request: AnyRequest) -> dict[str, list[str]]:
    """Return every field of a form with its values.

    Raises:
        Stale: it is no form, or has too many fields.

    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Stale
    try:
        text = (await request.body()).decode("ascii")
        return parse_qs(text, keep_blank_values=True, errors="replace", max_num_fields=FIELDS_MAX)
    except (UnicodeDecodeError, ValueError) as error:
        if isinstance(error, HTTPException):
            raise
        raise Stale from error


async def line_of(request: AnyRequest, name: str) -> str:
    """Return a field of one line: control characters are spaces, no space stands at its ends."""
    return clean((await fields_of(request)).get(name, [""])[0])


async def secret_of(request: AnyRequest, name: str) -> str:
    """Return a password exactly as it was typed."""
    return (await fields_of(request)).get(name, [""])[0][:FIELD_CHARS_MAX]


async def choices_of(request: AnyRequest, name: str) -> list[str]:
    """Return every chosen value of a field."""
    return [clean(value) for value in (await fields_of(request)).get(name, [])]


def clean(text: str) -> str:
    """Return a text of one line without what no store and no page takes."""
    kept = "".join(" " if one < " " or "\x7f" <= one <= "\x9f" else one for one in text[:FIELD_CHARS_MAX])
    return kept.encode("utf-8", "replace").decode("utf-8").strip()
