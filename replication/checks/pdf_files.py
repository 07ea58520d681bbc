"""PDF opened for real, by pikepdf (qpdf), where it is installed (extra ``checks``)."""

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from protocol.wording import Count, Text
from replication.checks.opened import Opened, Openness, broken, no_tool
from replication.checks.pdf_signatures import is_signed, judged

if TYPE_CHECKING:
    import pikepdf

TOOL = "pikepdf"
HELD_SHOWN_MAX = 5
"""Names of embedded files that are told."""

HELD_SHOWN_CHARS = 80
"""Characters of such a name."""

WARNING_SHOWN_CHARS = 160
"""Characters of the first thing that was put right."""


def open_pdf(path: Path) -> Opened:
    """Open a PDF, follow its tree of pages, and decode every stream whose filter is not an image's own."""
    try:
        import pikepdf  # noqa: PLC0415 - an extra that a village PC need not have
    except ImportError:
        return no_tool(TOOL, "PDF")
    version = pikepdf.__version__
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            pages = len(pdf.pages)
            # What is put right while opening is told as a warning; so is what is wrong further inside.
            noticed = [*map(str, pdf.get_warnings()), *map(str, pdf.check_pdf_syntax())]
            is_encrypted = pdf.is_encrypted
            holds = tuple(_plain(name) for name in itertools.islice(pdf.attachments, HELD_SHOWN_MAX))
            has_signatures = is_signed(pdf)
    except pikepdf.PasswordError:
        return Opened(
            openness=Openness.LOCKED,
            evidence=Text(zh="要求密码", en="asks for a password"),
            tool=TOOL,
            tool_version=version,
            is_encrypted=True,
        )
    except (pikepdf.PdfError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        told = _shown(str(error), path)
        return broken(Text(zh=f"打不开：{told}", en=f"cannot be opened: {told}"), TOOL, version)
    opened = _judged(pages, [_shown(one, path) for one in noticed], is_encrypted=is_encrypted, holds=holds)
    return msgspec.structs.replace(opened, signing=judged(path)) if has_signatures else opened


def _judged(pages: int, noticed: list[str], *, is_encrypted: bool, holds: tuple[str, ...]) -> Opened:
    import pikepdf  # noqa: PLC0415 - as above

    version = pikepdf.__version__
    if not pages:
        return broken(Text(zh="没有一页", en="has no page"), TOOL, version)
    evidence, openness = Text(zh=f"打开，{pages} 页", en=f"opened, {Count(pages):page|pages}"), Openness.OPENED
    if noticed:
        told = noticed[0]
        evidence = Text(
            zh=f"修补 {len(noticed)} 处后打开：{told}", en=f"opened after {Count(len(noticed)):repair|repairs}: {told}"
        )
        openness = Openness.REPAIRED
    return Opened(
        openness=openness,
        pages=pages,
        evidence=evidence,
        tool=TOOL,
        tool_version=version,
        is_encrypted=is_encrypted,
        holds=holds,
    )


def pdfa_disproof(path: Path) -> tuple[str, Text | None]:
    """Return the PDF/A part that a PDF claims ("" for none), and what shows that it is not kept to, if anything.

    A claim in its metadata proves nothing, and that nothing speaks against it proves nothing either: only a validator
    can say yes. But a few things are plainly forbidden (ISO 19005-1), and seeing one of them is enough for a no.

    Raises:
        ImportError: pikepdf is not installed.
        pikepdf.PdfError: it cannot be opened.

    """
    import pikepdf  # noqa: PLC0415 - as above

    with pikepdf.open(path, suppress_warnings=True) as pdf:
        claim = _claim(pdf)
        return claim, _forbidden(pdf, claim)


def _claim(pdf: "pikepdf.Pdf") -> str:
    metadata = pdf.Root.get("/Metadata")
    content = metadata.read_bytes() if metadata is not None else b""
    # The packet may be in two or four bytes a character, and may call the namespace what it likes.
    plain = content.replace(b"\0", b"")
    prefix = re.search(rb"xmlns:([A-Za-z_][\w.-]*)\s*=\s*[\"']http://www\.aiim\.org/pdfa/ns/id/[\"']", plain)
    if prefix is None:
        return ""
    name = re.escape(prefix[1])
    part = re.search(name + rb":part(?:\s*=\s*[\"']|[^>]*>)\s*([1-4])", plain)
    level = re.search(name + rb":conformance(?:\s*=\s*[\"']|[^>]*>)\s*([A-Za-z])", plain)
    return f"{part[1].decode()}{level[1].decode().lower() if level else ''}" if part else ""


def _forbidden(pdf: "pikepdf.Pdf", claim: str) -> Text | None:
    if not claim:
        return Text(zh="元数据没有声明 PDF/A", en="its metadata do not claim PDF/A")
    if pdf.is_encrypted:
        return Text(zh="已加密", en="it is encrypted")
    if "/ID" not in pdf.trailer:
        return Text(zh="文件尾没有标识", en="its trailer has no ID")
    if "/AA" in pdf.Root or (claim.startswith("1") and "/OCProperties" in pdf.Root):
        return Text(zh="目录含附加动作或可选内容", en="its catalogue has additional actions or optional content")
    for number, found in enumerate(pdf.objects):
        if number > OBJECTS_MAX:
            return None
        if (fault := _forbidden_in(found, claim)) is not None:
            return fault
    return None


OBJECTS_MAX = 200_000
"""Objects of one PDF that are looked at for what PDF/A forbids."""

_ACTIONS = frozenset(("/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide", "/SetState"))


def _forbidden_in(found: "pikepdf.Object", claim: str) -> Text | None:
    import pikepdf  # noqa: PLC0415 - as above

    if not isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        return None
    filters = str(found.get("/Filter", "")) if isinstance(found, pikepdf.Stream) else ""
    if "/LZWDecode" in filters:
        return Text(zh="使用 LZW 压缩", en="it is compressed by LZW")
    if str(found.get("/S", "")) in _ACTIONS and str(found.get("/Type", "/Action")) == "/Action":
        return Text(zh=f"含动作 {found.S}", en=f"it has the action {found.S}")
    if claim.startswith("1"):
        if "/SMask" in found and str(found.get("/SMask")) != "/None" and _is_drawn(found):
            return Text(zh="含透明蒙版", en="it has a soft mask")
        if "/EF" in found and str(found.get("/Type", "")) in {"/Filespec", "/F"}:
            return Text(zh="内嵌文件", en="a file is embedded in it")
        if str(found.get("/S", "")) == "/Transparency" and "/CS" not in found and "/Type" in found:
            return Text(zh="含透明组", en="it has a transparency group")
    return None


def _is_drawn(found: "pikepdf.Object") -> bool:
    return str(found.get("/Subtype", "")) == "/Image" or str(found.get("/Type", "")) == "/ExtGState"


def _plain(name: str) -> str:
    """Return a name that can be printed."""
    return "".join(char if char.isprintable() else "?" for char in name[:HELD_SHOWN_CHARS])


def _shown(told: str, path: Path) -> str:
    """Return what the library said, without the machine's own path."""
    plain = told.replace(str(path), path.name).replace("\n", " ")
    return plain if len(plain) <= WARNING_SHOWN_CHARS else f"{plain[:WARNING_SHOWN_CHARS]}…"
