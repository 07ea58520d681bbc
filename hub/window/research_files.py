"""A compiled table as a file: every line with its sources, and on a second sheet what was gone through or not.

CSV has one sheet; what was gone through stands below the table there.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

import xlsxwriter

from hub.safe_cells import harmless, printable
from hub.window.research import PART_STATES, LineSource, Research, remarks
from protocol.wording import Text

_NUMBER: Final = Text(zh="序号", en="no.")
_SOURCES: Final = Text(zh="出处", en="sources")
_IDS: Final = Text(zh="出处条目标识", en="record ids")
_REMARKS: Final = Text(zh="备注", en="remarks")
_SCOPE: Final = (
    Text(zh="部分", en="part"),
    Text(zh="站点", en="site"),
    Text(zh="范围", en="scope"),
    Text(zh="经办", en="by"),
    Text(zh="状态", en="state"),
    Text(zh="说明", en="note"),
)
_WIDTH: Final = 24
"""Characters of a column's width."""


def csv_bytes(research: Research, language: str) -> bytes:
    """Return the table as CSV (RFC 4180) in UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    for row in (*table_rows(research, language), [], *scope_rows(research, language)):
        rows.writerow([harmless(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(research: Research, language: str) -> bytes:
    """Return the table as a workbook of two sheets (ECMA-376); every cell is text."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    sheets = {
        Text(zh="名单", en="table"): table_rows(research, language),
        Text(zh="查找范围", en="scope"): scope_rows(research, language),
    }
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name.in_language(language))
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, printable(cell), *([] if number else [bold]))
        sheet.freeze_panes(1, 0)
        sheet.set_column(1, len(rows[0]), _WIDTH)
    book.close()
    return stream.getvalue()


def table_rows(research: Research, language: str) -> list[list[str]]:
    """Return the table with its header: number, cells, sources, their record ids, remarks."""
    said: dict[int, list[str]] = {}
    for one in remarks(research):
        if one.line is not None:
            said.setdefault(one.line, []).append(one.words.in_language(language))
    header = [_NUMBER.in_language(language), *research.plan.columns]
    header += [one.in_language(language) for one in (_SOURCES, _IDS, _REMARKS)]
    rows = [header]
    for number, line in enumerate(research.lines, 1):
        sources = "；".join(_source(one, language) for one in line.sources)
        ids = " ".join(str(one.record_id) for one in line.sources)
        rows.append([str(number), *line.cells, sources, ids, "；".join(said.get(number, ()))])
    return rows


def scope_rows(research: Research, language: str) -> list[list[str]]:
    """Return what was gone through and what was not, with its header."""
    return [
        [one.in_language(language) for one in _SCOPE],
        *(
            [part.title, part.site, part.scope, part.assignee, PART_STATES[part.state].in_language(language), part.note]
            for part in research.parts
        ),
    ]


def _source(source: LineSource, language: str) -> str:
    page = {"zh": f" 第 {source.page_no} 页", "en": f" p. {source.page_no}"} if source.page_no else {}
    proves = {"zh": f"（证“{source.proves}”）", "en": f" (for {source.proves})"} if source.proves else {}
    parts: Sequence[str] = (source.site, " ", source.ref_code, page.get(language, ""), proves.get(language, ""))
    return "".join(parts)
