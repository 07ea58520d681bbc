"""Signatures within a PDF, judged by pyHanko where it is installed (extra ``hub``).

What is judged is whether the bytes that were signed are still those, and whether the signature is of the key that it
names. Who that key belongs to is not: the authorities that certify offices are not known here. Signatures with Chinese
algorithms (SM2) and whatever else the library cannot compute are not judged, and said so.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from protocol.wording import Text
from replication.checks.opened import Signing

if TYPE_CHECKING:
    import pikepdf
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

FIELDS_MAX: Final = 1_000
"""Fields of a form in which signatures are looked for."""

JUDGED_MAX: Final = 20
"""Signatures of one document that are judged; the others are not."""


def is_signed(pdf: "pikepdf.Pdf") -> bool:
    """Tell whether a field of a PDF's form holds a signature."""
    import pikepdf  # noqa: PLC0415 - an extra that a village PC need not have

    form = pdf.Root.get("/AcroForm")
    waiting = list(form.get("/Fields", ())) if isinstance(form, pikepdf.Dictionary) else []
    for _ in range(FIELDS_MAX):
        if not waiting:
            return False
        field = waiting.pop()
        if not isinstance(field, pikepdf.Dictionary):
            continue
        if str(field.get("/FT", "")) == "/Sig" and "/V" in field:
            return True
        waiting += list(field.get("/Kids", ()))
    return False


def judged(path: Path) -> Signing:
    """Return how the signatures of a PDF are found that has some."""
    try:
        from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415 - as above
    except ImportError:
        return Signing(not_judged=1, why=Text(zh="本机没有 pyHanko", en="this machine lacks pyHanko"))
    # The library writes tracebacks about what is wrong with a file; we say it in words.
    logging.getLogger("pyhanko").propagate = False
    valid = broken = not_judged = 0
    why: Text | None = None
    try:
        with path.open("rb") as file:
            found = PdfFileReader(file, strict=False).embedded_regular_signatures
            for one in found[:JUDGED_MAX]:
                fault = _fault_of(one)
                valid, broken = valid + (fault is None), broken + (fault is True)
                if isinstance(fault, Text):
                    not_judged, why = not_judged + 1, fault
            not_judged += max(0, len(found) - JUDGED_MAX)
    except Exception as error:  # noqa: BLE001 - the library fails in many ways on what somebody made by hand
        not_judged, why = not_judged + 1, _named(error)
    return Signing(valid=valid, broken=broken, not_judged=not_judged, why=why)


def _fault_of(one: "EmbeddedPdfSignature") -> "Text | bool | None":
    """Return None for a signature that holds, True for one that does not, else why it was not judged."""
    from pyhanko.sign.validation import async_validate_pdf_signature  # noqa: PLC0415 - as above
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    nobody = ValidationContext(trust_roots=[], allow_fetching=False, revocation_mode="soft-fail")
    try:
        status = asyncio.run(async_validate_pdf_signature(one, nobody))
    except Exception as error:  # noqa: BLE001 - as above
        return _named(error)
    return None if status.intact and status.valid else True


def _named(error: Exception) -> Text:
    told = type(error).__name__
    return Text(zh=f"无法核验（{told}）", en=f"it cannot be verified ({told})")
