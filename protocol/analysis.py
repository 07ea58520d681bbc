"""Search analysis: how text becomes index terms and how a query becomes a match, the same at every node and the hub.

Folding makes spellings equal that a reader takes for equal: composed forms (NFC, never NFKC, which would lose
compatibility ideographs of names that are stored), full-width letters and digits, look-alike punctuation, upper case,
traditional and variant characters, the zeros of written years (零, 〇, ○), accents, and signs that stand for several
characters (Ⅲ, ①, ㎡). Book-title marks and quotation marks vanish, because a reader who types a title
leaves them out. Only terms are folded, never what is stored.

Han text has no word boundaries, so a run of Han characters is indexed as its overlapping pairs plus its last character
alone: 安吉县 becomes ``安吉 吉县 县``. A query for n characters is the phrase of its n-1 pairs, found wherever the
characters stand together; one character is a prefix query. The last character alone keeps two runs apart, so that no
phrase matches across a blank or a punctuation mark. Two things are no borders, because they stand inside names: blanks
behind single characters (王　伟), and a dot between two characters (阿不都·热合曼). Everything else is indexed as
words, over-long ones by their beginning. Word segmentation is never used: it loses a third of the hits.

Raise ``ANALYSIS_VERSION`` with any change of the terms: an index of another version is rebuilt, never mixed.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from protocol.limits import QUERY_CHARS_MAX, WORD_CHARS_MAX
from protocol.printed_forms import PRINTED, RADICAL_CHARACTERS, RADICALS, USUAL
from protocol.variants import GIVEN, SIMPLIFIED

ANALYSIS_VERSION: Final = 3
"""Version of the rules on this page, kept beside every index."""

DOUBLED_CHARS_MAX: Final = 32_768
"""Characters whose pairing is kept ready: four times what Chinese names and documents use, a few megabytes."""

HAN: Final = (
    "々〆〇ぁ-ゖァ-ヺー\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0003fffd\U000f0000-\U000ffffd"
)
"""The body of a regular-expression class of what is indexed in pairs: Han, kana, and private-use characters, which
GB 18030 files use for rare names."""

TRANSPARENT: Final = "\"'“”‘’「」『』﹁﹂﹃﹄《》〈〉＂＇\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Marks that vanish: quotation and title marks, and what cannot be seen."""

_LOOK_ALIKES: Final = {
    **dict.fromkeys("・‧•⋅∙･", "·"),
    **dict.fromkeys("‐‑‒–—―−─━﹣", "-"),
    **dict.fromkeys("〔［【〖﹝｛", "("),
    **dict.fromkeys("〕］】〗﹞｝", ")"),
    **dict.fromkeys("\u3000\u00a0\u2002\u2003\u2009\t", " "),
    **dict.fromkeys("、﹑", ","),
    "〜": "~",
    # 丶 is a stroke that stands for an enumeration comma where a keyboard had none.
    "丶": ",",
    "\u1e9b": "s",
    **dict.fromkeys("○零", "〇"),
}
_SEVERAL: Final = (*range(0x2160, 0x2180), *range(0x3371, 0x33E0), 0x2103, 0x2109)
"""Signs that stand for several characters, as compatibility folding writes them: Roman numerals, units, degrees."""
_NUMBERED: Final = (*range(0x2460, 0x249C), *range(0x3220, 0x322A), *range(0x3280, 0x328A))
"""Numbers in circles and brackets, Arabic and Chinese: as ordinary brackets part them from what stands around."""
_ACCENTED: Final = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))


def _fold_table() -> dict[int, str | None]:
    table: dict[int, str | None] = dict(zip(map(ord, GIVEN), SIMPLIFIED, strict=True))
    for code in range(0xFF01, 0xFF5F):
        table[code] = chr(code - 0xFEE0)
    for code in range(0x2F00, 0x2FD6):
        # Text copied out of a PDF holds radicals that only look like characters.
        plain = unicodedata.normalize("NFKC", chr(code))
        table[code] = table.get(ord(plain), plain)
    table.update(zip(map(ord, PRINTED + RADICALS), USUAL + RADICAL_CHARACTERS, strict=True))
    table.update({code: unicodedata.normalize("NFKC", chr(code)).replace("\u2044", "/") for code in _SEVERAL})
    table.update({code: f"({unicodedata.normalize('NFKC', chr(code)).strip('().')})" for code in _NUMBERED})
    for code in _ACCENTED:
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and parts[0].isascii():
            table[code] = parts[0]
    table.update({ord(given): plain for given, plain in _LOOK_ALIKES.items()})
    table.update(dict.fromkeys(map(ord, TRANSPARENT)))
    table.update(dict.fromkeys(range(0xFE00, 0xFE10)))
    table.update(dict.fromkeys(range(0xE0100, 0xE01F0)))
    # Some forms lead over another one: 戱 to 戯, and that to 戏.
    return {code: table.get(ord(plain), plain) if plain and len(plain) == 1 else plain for code, plain in table.items()}


class _Paired(dict[int, str]):
    """The translate table that writes each character twice with a blank between: 安吉 becomes ``安 安吉 吉``.

    Cut behind its first blank, that is the run's pairs and its last character, made in one pass of ``str.translate``.
    It fills itself with the characters that occur.
    """

    def __missing__(self, code: int) -> str:
        plain = _FOLDS.get(code) or chr(code)
        paired = f"{plain} {plain}"
        if len(self) < DOUBLED_CHARS_MAX:
            self[code] = paired
        return paired


_FOLDS: Final = _fold_table()
_PAIRED: Final = _Paired()
# Two classes, because a class that reaches beyond U+FFFF loses the fast bitmap of the regular-expression engine.
_FOLDED: Final = re.compile("[" + re.escape("".join(chr(code) for code in _FOLDS if code < 0x10000)) + "]")
_SUPPLEMENTARY: Final = re.compile("[\U00010000-\U0010ffff]")
_MARKS: Final = re.compile("[\u0300-\u036f]")
_ACCENTS: Final = re.compile("(?<=[a-z])[\u0300-\u036f]+")
# What moves the borders of runs or the words between them; other punctuation separates runs as it stands, and variant
# characters are folded when they are paired.
_REGROUPED: Final = re.compile(
    f"[{re.escape(TRANSPARENT)}○丶\ufe00-\ufe0f\uff10-\uff5a\u2e80-\u2fd5\u3000\u00a0\u2002\u2003\u2009\t"
    "\u00c0-\u024f\u1e00-\u1eff\u2103\u2109\u2160-\u217f\u2460-\u249b\u3220-\u3229\u3280-\u3289\u3371-\u33df]"
)
_HAN_ONLY: Final = re.compile(f"[{HAN}]+")
_HAN_FIRST: Final = re.compile(f"[{HAN}]")
_RUNS: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
# A name that was padded may be followed by more: 王　伟结婚登记证明.
_SPACED_OUT: Final = re.compile(f"(?<![{HAN}])[{HAN}](?: +[{HAN}])+")
_QUERY_WORDS: Final = re.compile(r'(?<!\S)["“”＂]([^"“”＂]+)["“”＂](?!\S)|(\S+)')
_INNER_DOT: Final = re.compile(f"(?<=[{HAN}])(?: *[·・‧•⋅∙･]+ *|[.．])(?=[{HAN}])")
_CUT_WORD: Final = re.compile(rf"[^\W_{HAN}]+$")

# For many texts at once.
_TRANSPARENT: Final = re.compile(f"[{re.escape(TRANSPARENT)}]")
_SEPARATORS: Final = "（）〔〕［］【】·—–－、，。；：！？／％＋＝×…"
_PLAIN_HAN: Final = "々〇ぁ-ゖァ-ヺ\u4e00-\u9fff"
_NOT_PLAIN: Final = re.compile(f"[^\n!#-&(-~{_SEPARATORS}{_PLAIN_HAN}]")
_OTHER_FORM: Final = re.compile("[零丶" + re.sub("[^\0-\uffff]", "", GIVEN + PRINTED) + "]")
_PLAIN_HAN_RUN: Final = re.compile(f"([{_PLAIN_HAN}]+)")
_HAN_RUN: Final = re.compile(f"([{HAN}]+)")
_NO_WORD: Final = re.compile(r"[^\w\n\0]|_")
_FOREIGN: Final = re.compile(r"[^\W\0-\x7f]")
_ASCII_WORDS: Final = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or chr(code) in "\0\n" else ord(" ") for code in range(256)
)
_BLANK: Final = " ".encode("utf-32-le")


def fold(text: str) -> str:
    """Return ``text`` as it is compared: folded as the module says; folding twice changes nothing."""
    return _folded(text, _FOLDED)


def _folded(text: str, what: re.Pattern[str]) -> str:
    """Fold a text if anything of ``what`` stands in it."""
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if what.search(text) or _SUPPLEMENTARY.search(text):
        text = text.translate(_FOLDS)
    text = text.casefold()
    if _MARKS.search(text):
        # What parted a letter from its accent may have vanished by now.
        text = _ACCENTS.sub("", text)
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def index_terms(text: str) -> str:
    """Return the terms of ``text``, separated by blanks, for one column of the full-text index.

    Join several fields with a line break, never with a blank: a blank between two single characters is taken for the
    padding of a two-character name (王　伟) and closed.
    """
    if _HAN_ONLY.fullmatch(text) and "丶" not in text and unicodedata.is_normalized("NFC", text):
        return text.translate(_PAIRED)[2:]
    return " ".join([_terms(run) for run in _runs(text)])


def index_lines(texts: Sequence[str]) -> list[str]:
    """Return the ``index_terms`` of each text: of hundreds of texts at a third of the cost of one after the other.

    The texts become the lines of one, so that each step is one call for all of them: the runs of Han characters are
    taken out, written as pairs and put back between the words.
    """
    if not texts:
        return []
    lines = "\n".join(texts)
    if lines.count("\n") >= len(texts):
        texts = [text.replace("\n", ";") for text in texts]
        lines = "\n".join(texts)
    is_plain = _is_plain(lines)
    if not is_plain:
        lines = "\n".join(map(_line, texts))
    # The runs are at odd places; what stands before, between and behind them, at even ones.
    run = _PLAIN_HAN_RUN if is_plain else _HAN_RUN
    parts = run.split(f"\n{lines}\n")
    between = "\0".join(parts[::2])
    if "\0·" in between or "\0." in between:
        parts = run.split(f"\n{_INNER_DOT.sub('', lines)}\n")
        between = "\0".join(parts[::2])
    parts[1::2] = _pairs(parts[1::2])
    parts[::2] = _words(between, is_ascii=is_plain or _FOREIGN.search(between) is None).split("\0")
    terms = "".join(parts)[1:-1].split("\n")
    return terms if max(map(len, terms)) <= WORD_CHARS_MAX else list(map(_bounded, terms))


def _bounded(terms: str) -> str:
    """Return terms of which none is longer than an engine takes."""
    if len(terms) <= WORD_CHARS_MAX:
        return terms
    return " ".join([term[:WORD_CHARS_MAX] for term in terms.split(" ")])


def _is_plain(text: str) -> bool:
    """Tell whether only ASCII letters need folding, and no blank can pad a name."""
    return _NOT_PLAIN.search(text) is None and _OTHER_FORM.search(text) is None


def _pairs(runs: Sequence[str]) -> list[str]:
    """The terms of each run: every character is written beside the one behind it, ``|安 安吉 吉县 县| |…``."""
    line = f"|{'|'.join(runs)}|"
    characters = memoryview(line.encode("utf-32-le")).cast("I")
    written = bytearray(_BLANK) * (3 * len(line))
    with memoryview(written).cast("I") as cells:
        cells[::3] = characters
        cells[1:-3:3] = characters[1:]
    return [pairs[3:] for pairs in written.decode("utf-32-le").split("| ", len(runs))[: len(runs)]]


def _words(between: str, *, is_ascii: bool) -> str:
    """The words between runs of Han characters, with one blank on either side but none at the ends of lines."""
    if is_ascii:
        words = between.encode("ascii", "replace").translate(_ASCII_WORDS).decode("ascii")
    else:
        words = _NO_WORD.sub(" ", between)
    words = words.replace("\0", " \0 ")
    while "  " in words:
        words = words.replace("  ", " ")
    return words.replace(" \n", "\n").replace("\n ", "\n")


def _line(text: str) -> str:
    """Return ``text`` folded, padded names closed up: a line in which only blanks and other marks separate."""
    if _is_plain(text):
        return text.lower()
    bare = _TRANSPARENT.sub("", text)
    if _is_plain(bare):
        return bare.lower()
    return _divisible(text).translate(_FOLDS).replace("\0", ";")


class Phrase(NamedTuple):
    """Terms that stand one behind the other wherever a text stands."""

    terms: tuple[str, ...]
    is_prefix: bool
    """The last term need only begin so: it is the first character of whatever follows."""


def phrases(text: str) -> tuple[Phrase, ...]:
    """Return the phrases of which one stands wherever ``text`` stands; none if nothing in it can be searched.

    There are two where single characters have blanks between them: they may be a padded name, or the end of one word
    and the beginning of the next.
    """
    folded = _bare(text)
    readings = [_INNER_DOT.sub("", folded)]
    if " " in folded:
        readings.insert(0, _INNER_DOT.sub("", _SPACED_OUT.sub(_closed_up, folded)))
    return tuple(dict.fromkeys(_phrase(runs) for reading in readings if (runs := _RUNS.findall(reading))))


def is_one_character(text: str) -> bool:
    """Tell whether a text is one Han character and nothing else, as a part of a padded name is."""
    return len(text) <= 2 and len(bare := _bare(text)) == 1 and _HAN_FIRST.match(bare) is not None


def _runs(text: str) -> list[str]:
    """The runs of Han characters and the words of ``text``; ``_terms`` folds what is left to fold in a Han run."""
    return _RUNS.findall(_divisible(text))


def _divisible(text: str) -> str:
    """Return ``text`` folded as far as it moves the borders of runs or the words between them, names closed up."""
    text = _bare(text)
    if " " in text:
        text = _SPACED_OUT.sub(_closed_up, text)
    return _INNER_DOT.sub("", text)


def _bare(text: str) -> str:
    return _folded(text, _REGROUPED)


def _closed_up(match: re.Match[str]) -> str:
    return match[0].replace(" ", "")


def _terms(run: str) -> str:
    return run.translate(_PAIRED)[2:] if _HAN_FIRST.match(run) else run[:WORD_CHARS_MAX]


def query_words(query: str) -> Iterator[tuple[int, str]]:
    """Yield the words of a query in plain words, each with its place: what blanks or double quotation marks cut out.

    Only the first QUERY_CHARS_MAX characters count.
    """
    if len(query) > QUERY_CHARS_MAX:
        # A word that is cut in two is found nowhere.
        query = _CUT_WORD.sub("", query[:QUERY_CHARS_MAX])
    for match in _QUERY_WORDS.finditer(query):
        word = match[1] or match[2]
        if _runs(word):
            yield match.start(1 if match[1] else 2), word


def _phrase(runs: Sequence[str]) -> Phrase:
    *before, last = runs
    is_han = _HAN_FIRST.match(last) is not None
    is_prefix = is_han and len(last) == 1
    # The last run may go on in the text that is searched, so its final single character is not asked for.
    ending = last.translate(_PAIRED)[2:-2] if is_han and not is_prefix else _terms(last).split(" ")[0]
    return Phrase(tuple(" ".join([*map(_terms, before), ending]).split(" ")), is_prefix)
