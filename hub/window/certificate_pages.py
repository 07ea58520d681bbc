"""The three products on paper: certified copy 复制件, archival statement 档案证明, statement of no record 查无此档证明.

Official letters in China have one form: title in the middle, number at the right, what is certified, who certifies and
when at the lower right. The holder certifies; the window stands at the foot of the page as the one that printed it.
"""

import datetime
from collections.abc import Sequence
from typing import Final

import msgspec
from fpdf.enums import Align

from hub.window.fonts import Face, faces_for
from hub.window.imprints import CARRIED, Imprint
from hub.window.paper import GREY, HEIGHT, LINE_SPACING, MARGIN, MM_A_POINT, RED, RIGHT, Paper
from hub.window.scans import Scan
from protocol.certificates import (
    KINDS,
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    SearchedPlace,
    SignedCertificate,
    decode_contents,
    decode_statement,
    qr_text,
)
from protocol.copies import HANDLERS

_CODE: Final = 31.0
_FOOT: Final = HEIGHT - 46
_BODY: Final = 12.0
_INDENT: Final = "　　"
_TITLES: Final = {
    CertificateKind.CERTIFIED_COPY: ("档案复制件", "CERTIFIED COPY OF AN ARCHIVAL RECORD"),
    CertificateKind.STATEMENT: ("档 案 证 明", "ARCHIVAL STATEMENT"),
    CertificateKind.NO_RECORD: ("查 无 此 档 证 明", "STATEMENT OF NO RECORD"),
}
_SAME: Final = "此件与保管单位所存档案原件一致。"
_NO_NOTARY: Final = f"{_INDENT}以上内容依据档案记载摘录，只就所询事项出具；档案记载以外的情况，本证明不作说明。"
_NO_PROOF: Final = (
    f"{_INDENT}本证明只说明上列单位、上列范围内的查询结果；未编目、未答复或未列入的，不在其内，"
    "不能据此认定该档案从未形成。"
)


class _Sheet(msgspec.Struct, frozen=True, kw_only=True):
    statement: CertificateStatement
    contents: CertificateContents
    imprint: Imprint
    code: str


def drawn(signed: SignedCertificate, scans: Sequence[Scan], imprint: Imprint) -> tuple[bytes, int]:
    """Return the PDF of a certificate, and its number of pages.

    Args:
        signed: what the holder signed, with its contents.
        scans: the pages of a certified copy in their order; nothing for the other kinds.
        imprint: what the window adds.

    Raises:
        BadSetting: no font has one of the characters.

    """
    statement, contents = decode_statement(signed.statement), decode_contents(signed.contents)
    code = qr_text(signed.statement, signed.signature)
    address = imprint.verify_address
    sheet = _Sheet(
        statement=statement, contents=contents, imprint=imprint, code=f"{address}#{code}" if address else code
    )
    title, _ = _TITLES[statement.kind]
    paper = Paper(_faces(sheet), f"{title.replace(' ', '')} {statement.serial}", imprint.at)
    if statement.kind is CertificateKind.CERTIFIED_COPY:
        pages = _copied(paper, sheet, scans)
    elif statement.kind is CertificateKind.STATEMENT:
        pages = _stated(paper, sheet)
    else:
        pages = _not_found(paper, sheet)
    paper.carry(CARRIED, msgspec.json.encode(signed), imprint.at)
    return paper.finished(), pages


def _faces(sheet: _Sheet) -> tuple[Face, ...]:
    said = [*_all_texts(sheet.contents), sheet.statement.ref_code, sheet.statement.holder_name, sheet.imprint.window]
    ours = "".join(f"{one.zh}{one.en}" for one in (*KINDS.values(), *HANDLERS.values()))
    return faces_for([*said, ours, _SAME, _NO_NOTARY, _NO_PROOF], sheet.imprint.font_file, sheet.imprint.stand_in_fonts)


def _all_texts(contents: CertificateContents) -> list[str]:
    texts = [contents.title, contents.source, contents.question, contents.remark]
    for fact in contents.facts:
        texts += [fact.asked, fact.said]
    for place in contents.places:
        texts += [place.name, place.outcome, place.covered, place.as_of, place.lacks]
    return texts


def _copied(paper: Paper, sheet: _Sheet, scans: Sequence[Scan]) -> int:
    statement, total = sheet.statement, len(scans)
    whole = sheet.contents.page_count
    for place, (scan, page) in enumerate(zip(scans, sheet.contents.pages, strict=True), start=1):
        paper.page()
        title, _ = _TITLES[statement.kind]
        paper.text(title, y=9, size=14)
        paper.text(statement.holder_name, y=10.2, size=10, align=Align.C)
        paper.text(f"编号 {statement.serial}", y=10.2, size=10, align=Align.R)
        paper.rule(17)
        left, top, wide, high = paper.picture(scan, MARGIN, 19.5, RIGHT - MARGIN, _FOOT - 22)
        paper.frame(left, top, wide, high, GREY, 0.1)
        paper.rule(_FOOT)
        of_whole = f"（原件第 {page.number} 页，全件 {whole} 页）" if whole else f"（原件第 {page.number} 页）"
        paper.text(_SAME, y=_FOOT + 2.5, size=11.5)
        facts = (
            f"档号：{statement.ref_code or '—'}",
            f"保管单位：{statement.holder_name}（{statement.holder}）",
            f"经办：{HANDLERS[statement.handler].zh}　出证日期：{_day(statement.date)}",
            f"第 {place} 页　共 {total} 页{of_whole}",
        )
        y = _FOOT + 9.5
        for fact in facts:
            for line in paper.lines(fact, 112, 9):
                paper.text(line, y=y, size=9)
                y += 5.2
        _seal(paper, sheet, x=129, y=_FOOT + 8)
        _code(paper, sheet)
        paper.edge(f"{statement.serial}　{statement.ref_code}　第 {place} 页　共 {total} 页", x=9, y=HEIGHT - 60)
    return total


def _stated(paper: Paper, sheet: _Sheet) -> int:
    statement, contents = sheet.statement, sheet.contents
    which = f"档号：{statement.ref_code or '—'}；题名：{contents.title}"
    said = [f"{_INDENT}经查，我单位保管的档案（{which}）对下列所询事项记载如下："]
    for number, fact in enumerate(contents.facts, start=1):
        on_page = f"（见该件第 {fact.page} 页）" if fact.page else ""
        said.append(f"{_INDENT}{number}．{fact.asked}：{fact.said}{on_page}")
    if contents.source:
        said.append(f"{_INDENT}出处：{contents.source}")
    if contents.remark:
        said.append(f"{_INDENT}说明：{contents.remark}")
    lines = [(line, _BODY) for text in (*said, _NO_NOTARY) for line in paper.lines(text, RIGHT - MARGIN, _BODY)]
    return _flowing(paper, sheet, lines)


def _not_found(paper: Paper, sheet: _Sheet) -> int:
    contents = sheet.contents
    width = RIGHT - MARGIN
    opening = (
        f"{_INDENT}经查询下列单位截至所列时间的档案目录，未查到与“{contents.question}”相符的档案。"
        "查询范围与各单位结果："
    )
    lines = [(line, _BODY) for line in paper.lines(opening, width, _BODY)]
    for number, place in enumerate(contents.places, start=1):
        lines += [(line, 9.5) for line in paper.lines(_place_told(number, place), width, 9.5)]
    if contents.remark:
        lines += [(line, _BODY) for line in paper.lines(f"{_INDENT}说明：{contents.remark}", width, _BODY)]
    lines += [(line, _BODY) for line in paper.lines(_NO_PROOF, width, _BODY)]
    if contents.completeness:
        lines += [(line, 8.0) for line in paper.lines(f"完整性说明摘要：{contents.completeness}", width, 8)]
    return _flowing(paper, sheet, lines)


def _place_told(number: int, place: SearchedPlace) -> str:
    parts = [f"{number}．{place.name}（{place.site}）：{place.outcome}"]
    if place.covered:
        parts.append(f"范围 {place.covered}")
    if place.as_of:
        parts.append(f"目录截至 {place.as_of}")
    if place.lacks:
        parts.append(f"未含 {place.lacks}")
    return "；".join(parts)


def _flowing(paper: Paper, sheet: _Sheet, lines: Sequence[tuple[str, float]]) -> int:
    """Set lines of type over as many pages as they need; what is signed stands on the last."""
    pages = _paged(lines)
    for place, of_page in enumerate(pages, start=1):
        paper.page()
        y = _heading(paper, sheet, is_first=place == 1)
        for line, size in of_page:
            paper.text(line, y=y, size=size)
            y += size * MM_A_POINT * LINE_SPACING
        if place == len(pages):
            _signature(paper, sheet, max(y + 12, 150) if len(pages) == 1 else y + 10)
        _foot(paper, sheet, place, len(pages))
    return len(pages)


def _paged(lines: Sequence[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    pages: list[list[tuple[str, float]]] = [[]]
    y, last = 68.0, _FOOT - 6
    for line, size in lines:
        high = size * MM_A_POINT * LINE_SPACING
        if y + high > last:
            pages.append([])
            y = 30.0
        pages[-1].append((line, size))
        y += high
    if y + 42 > last:
        pages.append([])
    return pages


def _heading(paper: Paper, sheet: _Sheet, *, is_first: bool) -> float:
    """Draw the head of a page; return where its text begins."""
    title, english = _TITLES[sheet.statement.kind]
    if not is_first:
        paper.text(title.replace(" ", ""), y=12, size=11)
        paper.text(f"编号 {sheet.statement.serial}", y=12, size=10, align=Align.R)
        paper.rule(19)
        return 26.0
    paper.text(title, y=24, size=26, align=Align.C)
    paper.text(english, y=36.5, size=8, align=Align.C, colour=GREY)
    paper.text(f"编号：{sheet.statement.serial}", y=47, size=11, align=Align.R)
    if sheet.statement.replaces:
        paper.text(f"（替换编号 {sheet.statement.replaces}，原证明已撤销）", y=47, size=9)
    paper.rule(55)
    return 62.0


def _signature(paper: Paper, sheet: _Sheet, y: float) -> None:
    statement = sheet.statement
    x, width = 110.0, RIGHT - 110
    paper.text(statement.holder_name, x=x, y=y, width=width, size=13, align=Align.C)
    paper.text(_day(statement.date), x=x, y=y + 9, width=width, size=13, align=Align.C)
    _seal(paper, sheet, x=x + width / 2 - 14, y=y + 18)


def _seal(paper: Paper, sheet: _Sheet, x: float, y: float) -> None:
    """Say in red that the holder's key has signed: no picture of a seal, which it is not."""
    paper.frame(x, y, 28, 15, RED, 0.5)
    paper.frame(x + 0.9, y + 0.9, 26.2, 13.2, RED, 0.15)
    lines = (
        ("保管单位", "电子签名") if sheet.statement.kind is not CertificateKind.NO_RECORD else ("县档案馆", "电子签名")
    )
    for place, line in enumerate(lines):
        paper.text(line, x=x, y=y + 2.1 + place * 4, width=28, size=8.5, align=Align.C, colour=RED)
    paper.text(sheet.statement.date.isoformat(), x=x, y=y + 10.2, width=28, size=7, align=Align.C, colour=RED)


def _foot(paper: Paper, sheet: _Sheet, place: int, total: int) -> None:
    paper.rule(_FOOT)
    statement = sheet.statement
    certifier = "出证单位" if statement.kind is CertificateKind.NO_RECORD else "保管单位"
    facts = (
        f"{certifier}：{statement.holder_name}（{statement.holder}）",
        f"经办：{HANDLERS[statement.handler].zh}　出证日期：{_day(statement.date)}",
        f"打印窗口：{sheet.imprint.window}",
        f"第 {place} 页　共 {total} 页",
    )
    for line_number, fact in enumerate(facts):
        paper.text(fact, y=_FOOT + 3 + line_number * 5.6, size=9)
    _code(paper, sheet)


def _code(paper: Paper, sheet: _Sheet) -> None:
    paper.code(sheet.code, RIGHT - _CODE, _FOOT + 1.5, _CODE)
    how = "扫描二维码，用县档案馆公布的核验网页核验签名，无需登录；撕毁、涂改或缺页无效。"
    paper.text(how, y=HEIGHT - 12.5, size=7.5, colour=GREY)
    paper.text(f"{sheet.imprint.window} 打印", y=HEIGHT - 12.5, size=7.5, align=Align.R, colour=GREY)


def _day(date: datetime.date) -> str:
    return f"{date.year}年{date.month}月{date.day}日"
