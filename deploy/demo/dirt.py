"""Everything that goes wrong in a catalogue, one named way after another, and what becomes of the row.

`DIRT` is ordered and complete: whoever goes round it plants every form. A form that does not fit a row (no such column,
nothing to damage) says so by returning None, and the next one is tried.
"""

import datetime
from collections.abc import Callable, Mapping
from random import Random

import msgspec

from deploy.demo import numbering
from deploy.demo.cells import Cell, Fate
from deploy.demo.persons import (
    HOMOPHONES,
    TRADITIONAL,
    identity_number,
    invented_name,
    old_identity_number,
    private_use_name,
    rare_name,
)
from protocol.limits import TITLE_CHARS_MAX

Entry = Mapping[str, Cell]
"""One catalogue entry by field, before it is laid out in columns."""

Change = Callable[[Entry, Random], Mapping[str, Cell] | None]
"""Returns the fields that change, or None where this dirt does not fit."""


class Dirt(msgspec.Struct, frozen=True, kw_only=True):
    """One form of dirt."""

    change: Change
    fate: Fate = Fate.TAKEN


def _text(entry: Entry, field: str) -> str:
    value = entry.get(field)
    return value if isinstance(value, str) else ""


def _on(field: str, damage: Callable[[str, Random], str]) -> Change:
    """Return the dirt that rewrites one text; it fits where the text is there and does change."""

    def change(entry: Entry, chance: Random) -> Mapping[str, Cell] | None:
        before = _text(entry, field)
        after = damage(before, chance) if before else before
        return None if after == before else {field: after}

    return change


def _put(field: str, make: Callable[[Random], Cell]) -> Change:
    """Return the dirt that fills one field; it fits where the sheet has the column."""
    return lambda entry, chance: {field: make(chance)} if field in entry else None


def _without_fonds(entry: Entry, chance: Random) -> Mapping[str, Cell] | None:
    # A code of the oldest dialect would be left with three numbers, which is what Excel makes of a date.
    code = _text(entry, "code")
    return {"code": numbering.DAMAGES["code_without_fonds"](code, chance)} if "·" in code else None


def _numbers_as_text(entry: Entry, _chance: Random) -> Mapping[str, Cell] | None:
    pages = entry.get("pages")
    return {"pages": f" {pages}"} if isinstance(pages, int) else None


def _zeros_lost(entry: Entry, _chance: Random) -> Mapping[str, Cell] | None:
    parts = {field: int(text) for field in ("fonds", "volume", "item") if (text := _text(entry, field)).isdigit()}
    return parts or None


def _page_range(entry: Entry, chance: Random) -> Mapping[str, Cell] | None:
    first = chance.randint(1, 60)
    return {"pages": f"{first}-{first + chance.randint(1, 20)}"} if "pages" in entry else None


def _joint(_issuer: str, chance: Random) -> str:
    separator = chance.choice((";", "；", "、", "\n", " ", "，"))
    return separator.join(("安吉县林业局", "安吉县财政局", "安吉县农业局")[: chance.randint(2, 3)])


def _special(title: str, chance: Random) -> str:
    return chance.choice(
        (
            "“{}”",
            '"{}"',
            "<{}>",
            "={}",
            "{{{}}}",
            "{}&附件",
            "{}100%",
            "*{}*",
            "（{}）",
            "{}'",
            "《{}》",
            "{}\\n",
            "-{}",
            "@{}",
        )
    ).format(title)


def _spread(title: str, chance: Random) -> str:
    at = chance.randint(1, len(title) - 1)
    return f" {title[:at]}{chance.choice((' ', chr(0x3000), chr(10), '  '))}{title[at:]}{chr(0x3000)}"


def _titled_rare(title: str, chance: Random) -> str:
    return f"{title}（经办{rare_name(chance)}）"


def _bracketed(opening: str, closing: str) -> Callable[[str, Random], str]:
    return lambda doc_no, _chance: doc_no.replace("〔", opening).replace("〕", closing)


def _numbered_badly(doc_no: str, chance: Random) -> str:
    head, bracket, _ = doc_no.partition("〕")
    return f"{head}〕第{chance.randint(1, 99):03}号" if bracket else doc_no


def _id_as_number(chance: Random) -> Cell:
    # 18 digits typed as a number: the spreadsheet keeps fifteen of them.
    return float(f"{identity_number(chance)[:15]}000")


def _pasted(title: str, _chance: Random) -> str:
    return (f"{title}。" * (TITLE_CHARS_MAX // len(title) + 1))[: TITLE_CHARS_MAX + 60]


_CODE = {
    name: Dirt(change=_without_fonds if name == "code_without_fonds" else _on("code", damage))
    for name, damage in numbering.DAMAGES.items()
}

DIRT: Mapping[str, Dirt] = {
    **_CODE,
    "code_damaged_text": Dirt(
        change=_put("code", lambda chance: numbering.excel_damaged(chance.randint(0, 300))), fate=Fate.REJECTED
    ),
    "title_supplied": Dirt(change=_on("title", lambda title, _chance: f"[{title}]")),
    "title_special_characters": Dirt(change=_on("title", _special)),
    "secret": Dirt(change=_put("secrecy", lambda _chance: "秘密"), fate=Fate.WITHHELD),
    "title_blanks": Dirt(change=_on("title", _spread)),
    "title_traditional": Dirt(change=_on("title", lambda title, _chance: title.translate(TRADITIONAL))),
    "title_homophones": Dirt(change=_on("title", lambda title, _chance: title.translate(HOMOPHONES))),
    "title_rare_character": Dirt(change=_on("title", _titled_rare)),
    "title_private_use": Dirt(change=_on("title", lambda title, chance: f"{title}（{private_use_name(chance)}）")),
    "code_missing": Dirt(change=_put("code", lambda _chance: None)),
    "party_own_office": Dirt(change=_put("party", lambda chance: chance.choice(("本局", "本村", "本公司", "本街道")))),
    "party_joint": Dirt(change=_on("party", _joint)),
    "party_missing": Dirt(change=_put("party", lambda _chance: None)),
    "doc_no_square": Dirt(change=_on("doc_no", _bracketed("[", "]"))),
    "doc_no_round": Dirt(change=_on("doc_no", _bracketed("（", "）"))),
    "code_damaged_date": Dirt(
        change=_put("code", lambda chance: datetime.date(2011, chance.randint(1, 12), 5)), fate=Fate.REJECTED
    ),
    "doc_no_lenticular": Dirt(change=_on("doc_no", _bracketed("【", "】"))),
    "doc_no_leading_zeros": Dirt(change=_on("doc_no", _numbered_badly)),
    "doc_no_none": Dirt(change=_put("doc_no", lambda _chance: "无")),
    "pages_range": Dirt(change=_page_range),
    "secret_with_period": Dirt(change=_put("secrecy", lambda _chance: "机密★10年"), fate=Fate.WITHHELD),
    "pages_word": Dirt(change=_put("pages", lambda _chance: "一")),
    "pages_with_unit": Dirt(change=_put("pages", lambda chance: f"{chance.randint(1, 90)}页")),
    "numbers_as_text": Dirt(change=_numbers_as_text),
    "zeros_lost": Dirt(change=_zeros_lost),
    "title_missing": Dirt(change=_put("title", lambda _chance: None), fate=Fate.REJECTED),
    "retention_old_words": Dirt(change=_put("retention", lambda chance: chance.choice(("长期", "短期", "C")))),
    "retention_number": Dirt(change=_put("retention", lambda chance: chance.choice((30, 10, 15, 25)))),
    "retention_rule": Dirt(change=_put("retention", lambda _chance: "处置后5年")),
    "internal": Dirt(change=_put("secrecy", lambda _chance: "内部")),
    "secrecy_unreadable": Dirt(change=_put("secrecy", lambda _chance: "涉密件"), fate=Fate.WITHHELD),
    "identity_number": Dirt(
        change=_put("note", lambda chance: f"{invented_name(chance)}，身份证号{identity_number(chance)}")
    ),
    "identity_number_old": Dirt(change=_put("note", lambda chance: f"身份证{old_identity_number(chance)}")),
    "identity_number_as_number": Dirt(change=_put("note", _id_as_number)),
    "identity_number_in_title": Dirt(
        change=_on("title", lambda title, chance: f"{title}（{identity_number(chance)}）")
    ),
    "title_too_long": Dirt(change=_on("title", _pasted), fate=Fate.REJECTED),
    "access_old_word": Dirt(change=_put("access", lambda chance: chance.choice(("划控", "待审", "暂缓开放")))),
    "access_nonsense": Dirt(change=_put("access", lambda _chance: "√")),
    "date_contradicts_year": Dirt(change=_put("date", lambda _chance: "民国卅六年")),
    "date_missing": Dirt(change=_put("date", lambda _chance: None)),
    "formula_error": Dirt(change=_put("note", lambda chance: chance.choice(("#REF!", "#N/A", "#VALUE!")))),
    "invisible_characters": Dirt(change=_on("title", lambda title, _chance: f"{title[:2]}\u200b{title[2:]}\u00a0")),
    "note_quoted_comma": Dirt(change=_put("note", lambda _chance: '原件破损,"见附页"')),
}
"""Dirt of single rows, in the order of planting. Ditto marks, merged cells, duplicates and subtotals need a neighbour:
`catalogues` plants those."""


def retention_words(period: str, chance: Random) -> Cell:
    """Return a retention period as one of the ways in which lists spell it."""
    years = period.removeprefix("D")
    spelled = (
        ("永久", "永久", "Y", "永久保管")
        if period == "Y"
        else (f"{years}年", f"{years}年", period, f"定期{years}年", int(years))
    )
    return chance.choice(spelled)
