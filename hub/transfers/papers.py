"""The papers of a handover as one PDF/A: 交接文据, 登记表, both signatures; the signed certificate lies inside."""

import datetime
from collections.abc import Sequence
from typing import Final

import msgspec
from fpdf.enums import Align

from hub.window.certificate_settings import CertificateSettings
from hub.window.fonts import faces_for
from hub.window.paper import HEIGHT, MARGIN, RIGHT, Paper
from protocol.errors import Refused
from protocol.handover_texts import FORM_TITLE, TITLE, Line, certificate_lines, form_lines, signature_lines
from protocol.handovers import Certificate, certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import Signed
from protocol.wording import Text

CARRIED: Final = "handover.json"
"""Name of the signed certificate inside the PDF."""

LABEL_MM: Final = 50.0
"""Millimetres of the column of labels."""

ROW_PT: Final = 10.0
"""Points of the type of a row."""

LINE_MM: Final = 6.0
"""Millimetres from one line of a row to the next."""


class SignedHandover(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the PDF for programs: the certificate and both signatures."""

    certificate: Certificate
    giver: Signed | None
    receiver: Signed | None


def drawn(now: Transfer, settings: CertificateSettings, at: datetime.datetime) -> bytes:
    """Return the papers of a transfer as a PDF.

    Raises:
        Refused: it has no certificate yet.
        BadSetting: no font has one of the characters.

    """
    certificate = certificate_of(now)
    if certificate is None:
        raise Refused(
            Text(zh="审核通过之前没有交接文据。", en="there is no certificate before the transfer was accepted"),
            Text(zh="先审定（transfer accept）。", en="Decide first (transfer accept)."),
        )
    giver, receiver = now.giver_signature, now.receiver_signature
    parts = (
        (TITLE, certificate_lines(certificate)),
        (FORM_TITLE, form_lines(certificate)),
        ("双方签名", signature_lines(certificate, giver, receiver)),
    )
    said = [text for title, lines in parts for text in (title, *(part for line in lines for part in line))]
    faces = faces_for([*said, "第页共"], settings.font_file, settings.stand_in_fonts)
    paper = Paper(faces, f"{TITLE} {now.transfer_id}", at)
    for title, lines in parts:
        _part(paper, title, f"编号 {now.transfer_id}", lines)
    signed = SignedHandover(certificate=certificate, giver=giver, receiver=receiver)
    paper.carry(CARRIED, msgspec.json.encode(signed), at)
    return paper.finished()


def _part(paper: Paper, title: str, number: str, lines: Sequence[Line]) -> None:
    """Draw one form, over as many pages as it takes."""
    y = _headed(paper, title, number)
    width = RIGHT - MARGIN - LABEL_MM - 4
    for label, content in lines:
        broken = paper.lines(content, width, ROW_PT)
        labels = paper.lines(label, LABEL_MM - 2, ROW_PT)
        high = LINE_MM * max(len(broken), len(labels)) + 2
        if y + high > HEIGHT - MARGIN:
            y = _headed(paper, title, number)
        for place, line in enumerate(labels):
            paper.text(line, x=MARGIN + 1, y=y + 1 + place * LINE_MM, width=LABEL_MM, size=ROW_PT)
        for place, line in enumerate(broken):
            paper.text(line, x=MARGIN + LABEL_MM + 2, y=y + 1 + place * LINE_MM, width=width, size=ROW_PT)
        y += high
        paper.rule(y, thick=0.1)


def _headed(paper: Paper, title: str, number: str) -> float:
    paper.page()
    paper.text(title, y=MARGIN, size=18, align=Align.C)
    paper.text(number, y=MARGIN + 10, size=8, align=Align.R)
    paper.rule(MARGIN + 15, thick=0.4)
    return MARGIN + 15
