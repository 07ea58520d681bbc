"""Which encoding a text file is in, decided the same way every time.

Catalogues come in five encodings only: UTF-8, GB18030 (with GBK and GB2312 inside it), BIG5, and UTF-16 in both byte
orders. So the question is not which of a hundred, where general detectors go wrong on short Chinese files, but which of
five, and that has a plain answer:

1. A byte order mark decides.
2. Zero bytes occur in UTF-16 only: there, line ends, digits and separators have them in one half of the pair.
3. What decodes as UTF-8 from the first byte to the last is UTF-8: four Chinese characters of another encoding almost
   never fall into its pattern, and a header alone has more. A file with fewer is reported as uncertain.
4. GB18030 and BIG5 accept each other's bytes; the right one reads like a catalogue: it is full of the characters that
   catalogues are full of, the wrong one of rare characters.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

SCORED_BYTES_MAX: Final = 64 * 1024
"""Bytes of the start of a file that are scored; validity is checked to the end."""

CHUNK_BYTES: Final = 1024 * 1024
"""Bytes decoded at a time while a file is checked."""

SCORE_MIN: Final = 0.35
"""Score under which no candidate is believed: lists of rare names score 0.5 and more, wrong decodings under 0.2."""

SCORE_CERTAIN: Final = 0.75
"""Score from which a choice is not reported as uncertain, if the next candidate is far behind."""

SCORE_LEAD_MIN: Final = 0.15
"""Lead over the next candidate under which a choice is reported as uncertain."""

SCORED_CHARS_MIN: Final = 12
"""Characters outside ASCII under which a score is an accident, and a choice reported as uncertain."""

UTF8_CERTAIN_CHARS: Final = 4
"""Characters outside ASCII from which text that is valid UTF-8 is not reported as uncertain."""

_BOM: Final = "\ufeff"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\x84\x31\x95\x33", "gb18030"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Windows' BIG5, which has what the ETen makers added and the standard table lacks.
_BIG5: Final = "cp950"
# Characters of catalogue headers and titles, simplified and traditional: a wrong decoding hits one by accident.
_TELLING: Final = frozenset(
    "序号档案题名责任者文日期页次备注保管限永久长短密级全宗目录卷件盒年度机构问关于的通知决定意见报告请示批复函会议"
    "纪要县乡镇村委员办公室人民政府党公社大队组土地林山承包合同登记结婚离姓性别身份证户主一二三四五六七八九十月第"
    "號檔責頁備註長級錄機構問關於決議報請覆會紀縣鄉鎮員辦黨產業務農書東學國際"
)
_PUNCTUATION: Final = frozenset("，。、；：？！“”‘’（）《》〔〕【】·—…　×〃")
_ODD: Final = re.compile("[\ue000-\uf8ff\ufffd\u0080-\u009f\u0100-\u02af\u0300-\u03ff\u0530-\u0e7f\u2500-\u257f]")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_GB2312_FREQUENT: Final = range(0xB0, 0xD8)
_BIG5_FREQUENT: Final = range(0xA4, 0xC7)


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """An encoding by Python's name, whether a byte order mark announced it, and whether it is a guess."""

    name: str
    has_mark: bool = False
    is_uncertain: bool = False

    @property
    def mark_bytes(self) -> int:
        """Bytes of the byte order mark at the start of the file."""
        return len(_BOM.encode(self.name)) if self.has_mark else 0

    @property
    def label(self) -> str:
        """The name that a report shows."""
        name = {_BIG5: "BIG5"}.get(self.name, self.name.upper())
        return f"{name} (BOM)" if self.has_mark else name


def detect_encoding(path: Path) -> Encoding:
    """Return the encoding of a text file, having decoded it to its end.

    Raises:
        UnreadableFile: no candidate decodes the file, or none gives text.
        OSError: the file cannot be read.

    """
    with path.open("rb") as source:
        head = source.read(SCORED_BYTES_MAX)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if not _decodes_to_the_end(path, name):
                raise UnreadableFile("encoding_unreadable", _first_fault(path, name))
            return Encoding(name=name, has_mark=True)
    if b"\0" not in head and _decodes_to_the_end(path, "utf-8"):
        foreign = len(_FOREIGN.findall(head.decode("utf-8", "ignore")))
        return Encoding(name="utf-8", is_uncertain=0 < foreign < UTF8_CERTAIN_CHARS)
    return _best_scored(path, head, _utf16_order(head) if b"\0" in head else ("gb18030", _BIG5))


def _best_scored(path: Path, head: bytes, names: tuple[str, ...]) -> Encoding:
    scores = {name: score for name in names if (score := _score(head, name)) is not None}
    ranked = sorted(scores, key=lambda name: -scores[name])
    for place, name in enumerate(ranked):
        if scores[name] >= SCORE_MIN and _decodes_to_the_end(path, name):
            lead = scores[name] - max((scores[other] for other in ranked[place + 1 :]), default=-1.0)
            is_short = len(_FOREIGN.findall(head.decode(name, "ignore"))) < SCORED_CHARS_MIN
            is_uncertain = is_short or lead < SCORE_LEAD_MIN or scores[name] < SCORE_CERTAIN
            return Encoding(name=name, is_uncertain=is_uncertain)
    raise UnreadableFile("encoding_unreadable", _first_fault(path, ranked[0] if ranked else "utf-8"))


def _utf16_order(head: bytes) -> tuple[str, ...]:
    """UTF-16 without a mark: the zero halves of ASCII characters stand at odd places in little-endian text."""
    odd, even = head[1::2].count(0), head[0::2].count(0)
    return ("utf-16-le", "utf-16-be") if odd >= even else ("utf-16-be", "utf-16-le")


def _score(head: bytes, name: str) -> float | None:
    """How much the start of a file reads like a catalogue, 1 is perfect; None if it does not decode."""
    try:
        # A character cut at the end of the sample is not a fault.
        text = codecs.getincrementaldecoder(name)().decode(head, final=len(head) < SCORED_BYTES_MAX)
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return -1.0
    foreign = _FOREIGN.findall(text)
    if not foreign:
        return 1.0
    telling = sum(character in _TELLING for character in foreign)
    frequent = sum(map(_is_frequent, foreign))
    odd = sum(_ODD.match(character) is not None for character in foreign)
    return min(1.0, (0.6 * frequent + 3.0 * telling - 2.0 * odd) / len(foreign))


def _is_frequent(character: str) -> bool:
    """Whether a character is punctuation of Chinese text, or in the frequent half of GB2312 or BIG5."""
    if character in _PUNCTUATION:
        return True
    for codec, leads in (("gb2312", _GB2312_FREQUENT), ("big5", _BIG5_FREQUENT)):
        try:
            if character.encode(codec)[0] in leads:
                return True
        except UnicodeEncodeError:
            continue
    return False


def _decodes_to_the_end(path: Path, name: str) -> bool:
    try:
        for _ in _decoded(path, name):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _decoded(path: Path, name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(name)()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)


def _first_fault(path: Path, name: str) -> Text:
    """Say on which line the likeliest encoding breaks, so that somebody can look there."""
    line = 1
    try:
        for text in _decoded(path, name):
            line += text.count("\n")
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        return Text(zh=f"按 {name} 读到第 {line} 行附近出错。", en=f"Read as {name}, it breaks near line {line}.")
    return Text(
        zh=f"按 UTF-8、GB18030、BIG5、UTF-16 读出的都不像文字（最接近 {name}）。",
        en=f"Read as UTF-8, GB18030, BIG5 or UTF-16 it is not text (closest: {name}).",
    )
