"""Reading XML that others wrote: piece by piece, in any encoding that they use, and without following anything in it.

A document may declare entities that grow into gigabytes or name files and addresses to be read; no catalogue and no
package needs them, so a document that declares any is refused. The parser itself knows no Chinese encoding but Unicode:
pieces are decoded here first.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from protocol.errors import BadFile
from protocol.wording import Text
from replication.packages.reading import PIECE_BYTES

DEPTH_MAX = 64
"""Elements within elements; a package in the form of DA/T 48 has about a dozen."""

TAG_BYTES_MAX = 1024 * 1024
"""Bytes of one tag with its attributes, or of one comment."""

FED_CHARS = 64 * 1024
"""Characters that the parser is given at once."""

TEXT_BYTES = 64 * 1024
"""Bytes of text that are told at once."""

HEAD_BYTES = 1024
"""Bytes in which the declaration of the encoding stands."""

XML_AGAIN: Final = Text(zh="请移交方重新导出该文件。", en="Ask the sender to export the file again.")

_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_SUPERSETS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030"}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Characters = Callable[[str], None]


def read_xml(pieces: Iterator[bytes], name: str, start: Start, end: End, characters: Characters) -> Iterator[None]:
    """Read a document and tell its elements, with names as they stand, and its text in pieces.

    Yields after every piece of the document, so that the caller can take over what it was told.

    Raises:
        BadFile: it is no well-formed XML, is in an unknown encoding or not in the one it names, declares entities, or
            is nested too deeply. What was told before is not to be relied upon.

    """
    parser = _parser(name, start, end, characters)
    try:
        fed = 0
        for text in decoded(pieces, name):
            for place in range(0, len(text), FED_CHARS):
                # What is not understood yet is kept, and gone through again with each piece.
                if fed - parser.CurrentByteIndex > TAG_BYTES_MAX:
                    raise _bad(name, Text(zh="有一个标记过长", en="one of its tags is too long"))
                fed += len(piece := text[place : place + FED_CHARS].encode("utf-8"))
                parser.Parse(piece)
            yield
        parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature: this is the end
        yield
    except expat.ExpatError as error:
        where = f"第 {error.lineno} 行 · line {error.lineno}"
        raise _bad(name, Text(zh=f"不是完好的 XML（{where}）", en=f"it is no well-formed XML ({where})")) from error
    except UnicodeError as error:
        raise _bad(
            name, Text(zh="内容与声明的编码不符", en=f"it is not in the encoding that it names: {error}")
        ) from error


def _parser(name: str, start: Start, end: End, characters: Characters) -> expat.XMLParserType:
    """Return a parser that refuses entities and depth."""
    depth = 0

    def opened(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise _bad(name, Text(zh="嵌套过深", en="its elements are nested too deeply"))
        start(tag, attributes)

    def closed(tag: str) -> None:
        nonlocal depth
        depth -= 1
        end(tag)

    def refused(*_details: object) -> NoReturn:
        raise _bad(
            name, Text(zh="含有实体声明，出于安全不予读取", en="it declares entities, which are refused for safety")
        )

    parser = expat.ParserCreate(encoding="utf-8")
    # Without this every line of a long text is told by itself.
    parser.buffer_text = True
    parser.buffer_size = TEXT_BYTES
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refused
    parser.ExternalEntityRefHandler = refused
    return parser


def decoded(pieces: Iterator[bytes], name: str) -> Iterator[str]:
    """Yield the text of a document in the encoding that it names; UTF-8 where it names none.

    Raises:
        BadFile: nobody knows the encoding.
        UnicodeError: the bytes are not in it.

    """
    first = next(pieces, b"")
    declared = _DECLARED.match(first[:HEAD_BYTES])
    encoding = next((marked for mark, marked in _MARKS if first.startswith(mark)), "")
    if not encoding:
        encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    try:
        # Python also knows codecs that are no encodings of text; those refuse a text.
        " ".encode(_SUPERSETS.get(encoding, encoding))
        decoder = codecs.getincrementaldecoder(_SUPERSETS.get(encoding, encoding))(errors="strict")
    except (LookupError, UnicodeError) as error:
        raise _bad(name, Text(zh=f"编码 {encoding} 无法识别", en=f"its encoding {encoding} is unknown")) from error
    yield decoder.decode(first)
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece.

    Raises:
        BadFile: it cannot be read.

    """
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise _bad(
            path.name, Text(zh=f"读不出：{error.strerror}", en=f"it cannot be read: {error.strerror}")
        ) from error


def local(tag: str) -> str:
    """Return the name of an element without its prefix."""
    return tag.rpartition(":")[2]


def _bad(name: str, fault: Text) -> BadFile:
    return BadFile(Text(zh=f"{name} 无法读取：{fault.zh}", en=f"{name} cannot be read: {fault.en}"), XML_AGAIN)
