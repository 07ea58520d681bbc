"""Paper: an A4 PDF/A document in which certificates are set: how a page is drawn, and nothing of what it says.

All measures are millimetres from the upper left corner; sizes of type are points.
"""

import datetime
import io
import re
from collections.abc import Sequence
from typing import Final

import segno
from fpdf import FPDF
from fpdf.enums import Align

from hub.window.fonts import Face
from hub.window.scans import Scan

WIDTH: Final = 210.0
"""Millimetres of an A4 sheet."""

HEIGHT: Final = 297.0
"""As above."""

MARGIN: Final = 18.0
"""Millimetres that printers and staples may take."""

RIGHT: Final = WIDTH - MARGIN
"""Millimetres to the right edge of what is set."""

RED: Final = (190, 30, 30)
GREY: Final = (110, 110, 110)
BLACK: Final = (0, 0, 0)

LINE_SPACING: Final = 1.75
"""Height of a line in heights of its type: what official letters use."""

MM_A_POINT: Final = 25.4 / 72
"""Millimetres of a typographic point."""

QR_SCALE: Final = 4
"""Dots of the picture for each square of a QR code."""

CONFORMANCE: Final = "PDF/A-3B"
"""Archival PDF that may carry files: the signed certificate lies inside as ``certificate.json``."""

_MAIN: Final = "song"
_PIECES: Final = re.compile("[!-~]{1,40}|.")
"""What is never broken: a number, a date, a word in Latin letters; Chinese may break at every character."""
_NEVER_FIRST: Final = "，。、；：？！）》」』”’…—%·"
_ASSOCIATED: Final = "Data"


class Paper:
    """One document under way."""

    def __init__(self, faces: Sequence[Face], title: str, at: datetime.datetime) -> None:
        self._pdf = FPDF(orientation="portrait", unit="mm", format="A4", enforce_compliance=CONFORMANCE)
        self._codes: dict[str, bytes] = {}
        pdf = self._pdf
        pdf.set_auto_page_break(auto=False)
        pdf.set_margin(0)
        pdf.c_margin = 0
        pdf.set_title(title)
        pdf.set_lang("zh-CN")
        pdf.set_producer("Danglian")
        pdf.set_creation_date(at)
        names = [_MAIN, *(f"stand-in-{place}" for place in range(1, len(faces)))]
        for name, one in zip(names, faces, strict=True):
            pdf.add_font(name, fname=one.path, collection_font_number=max(one.number, 0))
        pdf.set_font(_MAIN, size=12)
        if len(names) > 1:
            pdf.set_fallback_fonts(names[1:], exact_match=False)

    def page(self) -> None:
        """Begin a page."""
        self._pdf.add_page()

    def text(
        self,
        said: str,
        *,
        x: float = MARGIN,
        y: float,
        width: float = RIGHT - MARGIN,
        size: float = 12,
        align: Align = Align.L,
        colour: tuple[int, int, int] = BLACK,
    ) -> None:
        """Set one line; ``y`` is its upper edge."""
        pdf = self._pdf
        pdf.set_font(_MAIN, size=size)
        pdf.set_text_color(*colour)
        pdf.set_xy(x, y)
        pdf.cell(w=width, h=size * MM_A_POINT * 1.25, text=said, align=align)

    def lines(self, said: str, width: float, size: float) -> list[str]:
        """Return a text in lines of a width; no line begins with a mark that closes something."""
        self._pdf.set_font(_MAIN, size=size)
        lines: list[str] = []
        for paragraph in said.split("\n"):
            lines += self._broken(paragraph, width)
        return lines

    def _broken(self, paragraph: str, width: float) -> list[str]:
        lines, line, filled = [], "", 0.0
        for one in _PIECES.findall(paragraph):
            wide = self._pdf.get_string_width(one)
            if line and filled + wide > width and one not in _NEVER_FIRST:
                lines.append(line)
                line, filled = "", 0.0
            line, filled = line + one, filled + wide
        return [*lines, line]

    def rule(self, y: float, *, x: float = MARGIN, to: float = RIGHT, thick: float = 0.3) -> None:
        """Draw a line across."""
        self._pdf.set_draw_color(*BLACK)
        self._pdf.set_line_width(thick)
        self._pdf.line(x, y, to, y)

    def frame(
        self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int], thick: float
    ) -> None:
        """Draw a frame."""
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(thick)
        self._pdf.rect(x, y, width, height)

    def edge(self, said: str, *, x: float, y: float) -> None:
        """Set a line along the left edge of the sheet, upwards from a point."""
        with self._pdf.rotation(90, x, y):
            self.text(said, x=x, y=y, size=6.5, colour=GREY)

    def picture(self, scan: Scan, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Put a scan into a box, as large as it fits and in the middle; return where it lies."""
        scale = min(width / scan.width, height / scan.height)
        wide, high = scan.width * scale, scan.height * scale
        left, top = x + (width - wide) / 2, y + (height - high) / 2
        self._pdf.image(io.BytesIO(scan.content), x=left, y=top, w=wide, h=high)
        return left, top, wide, high

    def code(self, text: str, x: float, y: float, width: float) -> None:
        """Print a QR code."""
        if text not in self._codes:
            made = io.BytesIO()
            segno.make_qr(text, error="l", boost_error=True).save(made, kind="png", scale=QR_SCALE, border=2)
            self._codes[text] = made.getvalue()
        self._pdf.image(io.BytesIO(self._codes[text]), x=x, y=y, w=width, h=width)

    def carry(self, name: str, content: bytes, at: datetime.datetime) -> None:
        """Put a file into the document, for programs."""
        self._pdf.embed_file(
            bytes=content,
            basename=name,
            mime_type="application/json",
            modification_date=at,
            creation_date=at,
            desc="signed certificate",
            associated_file_relationship=_ASSOCIATED,
            # Left as it is, so that a verifier in a browser finds it without unpacking anything.
            compress=False,
        )

    def finished(self) -> bytes:
        """Return the document."""
        return bytes(self._pdf.output())
