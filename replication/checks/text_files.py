"""Text, XML and sound opened for real with what Python itself brings."""

import codecs
import wave
from pathlib import Path

from protocol.errors import BadFile
from protocol.wording import Count, Text
from replication.checks.opened import Opened, Openness, broken
from replication.packages.reading import PIECE_BYTES, pieces_of
from replication.packages.xml_reading import file_pieces, read_xml


def open_xml(path: Path) -> Opened:
    """Read a document to its end."""
    count = 0

    def start(_tag: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1

    def nothing(_text: str) -> None:
        return None

    try:
        for _ in read_xml(file_pieces(path), path.name, start, nothing, nothing):
            pass
    except BadFile as error:
        return broken(error.reason)
    return Opened(
        openness=Openness.OPENED, evidence=Text(zh=f"读完，{count} 个元素", en=f"read, {Count(count):element|elements}")
    )


def open_text(path: Path) -> Opened:
    """Read a text in UTF-8 or GB18030, or in UTF-16 with its mark, to its end."""
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030", "utf-16")}
    for piece in pieces_of(path):
        for name in list(decoders):
            try:
                decoders[name].decode(piece)
            except UnicodeError:
                # Of a text without the mark of UTF-16 Python says a plain UnicodeError, no UnicodeDecodeError.
                del decoders[name]
    for name, decoder in decoders.items():
        try:
            decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        return Opened(openness=Openness.OPENED, evidence=Text(zh=f"读完，{name.upper()}", en=f"read as {name.upper()}"))
    return broken(Text(zh="不是 UTF-8 或 GB18030 文本", en="is text neither in UTF-8 nor in GB18030"))


def open_sound(path: Path) -> Opened:
    """Read the frames of a WAV file to its end."""
    try:
        with wave.open(str(path), "rb") as sound:
            frames, width = sound.getnframes(), max(1, sound.getsampwidth() * sound.getnchannels())
            read = 0
            while piece := sound.readframes(PIECE_BYTES // width or 1):
                read += len(piece) // width
            seconds = frames / max(1, sound.getframerate())
    except (wave.Error, EOFError, OSError, ValueError) as error:
        return broken(Text(zh=f"打不开：{error}", en=f"cannot be opened: {error}"))
    if read != frames:
        return broken(Text(zh=f"只有 {read}/{frames} 帧", en=f"has {read} of {Count(frames):frame|frames}"))
    return Opened(openness=Openness.OPENED, evidence=Text(zh=f"打开，{seconds:.0f} 秒", en=f"opened, {seconds:.0f} s"))
