"""What version 1.4 adds for moving files is frozen: the questions, the words, and the bytes of a sealed piece."""

from pathlib import Path

import msgspec
import pytest

from protocol.consignments import list_digest
from protocol.draws import (
    CHUNK_MAGIC,
    OPENING_MAGIC,
    WORD_MAGIC,
    ChunkHead,
    Sealed,
    bound_by_seal,
    decode_opening,
    decode_question,
    decode_word,
    encode_opening,
    encode_word,
    read_head,
)
from protocol.errors import BadFrame, BadValue
from replication.sealed_chunks import ChunkSeal
from tests.golden.draw_messages import CONSIGNMENT, DRAW_MESSAGES, FILES, SESSION
from tests.golden.messages import SITE

FOLDER = Path(__file__).with_name("v1.4")

PIECE = bytes.fromhex(
    "444c4331000f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0000000000001000000102030405060708090a0b0c0d0e0f1011121314151617"
)
"""The head of a piece with the nonce 00 to 17; its seal follows from the key."""


@pytest.mark.parametrize("name", sorted(DRAW_MESSAGES))
def test_what_is_said_about_draws_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = DRAW_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)


def test_the_head_of_a_piece_is_frozen() -> None:
    head = ChunkHead(kind=Sealed.CHUNK, session=SESSION, offset=4_096, nonce=bytes(range(24)))

    assert head.encoded == PIECE
    assert read_head(PIECE + bytes(16)) == head


def test_what_a_seal_binds_is_frozen() -> None:
    head = read_head(PIECE + bytes(16))

    assert bound_by_seal(head, SITE, CONSIGNMENT) == (
        b"danglian chunk 1\n" + SITE.encode() + b"\n" + CONSIGNMENT.bytes + PIECE
    )


def test_a_seal_of_before_can_be_opened_for_ever() -> None:
    seal = ChunkSeal(bytes(32), SITE, CONSIGNMENT, SESSION)
    frozen = bytes.fromhex((FOLDER / "draw-piece.hex").read_text().strip())

    assert seal.opened(read_head(frozen), frozen) == b"some bytes of a scan"


def test_a_piece_opens_at_its_own_place_alone() -> None:
    seal = ChunkSeal(bytes(32), SITE, CONSIGNMENT, SESSION)
    frame = seal.sealed(Sealed.CHUNK, 4_096, b"some bytes")
    moved = bytearray(frame)
    moved[28] ^= 1

    with pytest.raises(BadFrame):
        seal.opened(read_head(bytes(moved)), bytes(moved))
    with pytest.raises(BadFrame):
        ChunkSeal(bytes(32), "330523108205", CONSIGNMENT, SESSION).opened(read_head(frame), frame)


def test_the_digest_of_a_list_is_frozen() -> None:
    assert list_digest(FILES) == "af05d2ca094bc67841eca1f7f3e05a61a35414b71247d28533c18fe1f61037c8"


def test_what_is_none_is_refused_in_words() -> None:
    for broken in (b"", b"DLC1", CHUNK_MAGIC + bytes(30), b"XXXX" + bytes(80)):
        with pytest.raises(BadFrame):
            read_head(broken)
    for broken in (b"", WORD_MAGIC, WORD_MAGIC + b"{", b"{}"):
        with pytest.raises(BadFrame):
            decode_word(broken)
    for broken in (b"", OPENING_MAGIC, OPENING_MAGIC + bytes(64) + b"{}"):
        with pytest.raises(BadFrame):
            decode_opening(broken)
    places = (
        b'{"draw":"list","drawer":"d","session":"s","position":-1}',
        b'{"draw":"list","drawer":"d","session":"s","position":9223372036854775808}',
        b'{"draw":"chunk","drawer":"d","session":"s","offset":-1,"size_bytes":1}',
        b'{"draw":"chunk","drawer":"d","session":"s","offset":0,"size_bytes":-1}',
    )
    for broken in (b"", b"{}", b'{"draw":"later"}', b"x" * 20_000, *places):
        with pytest.raises(BadValue):
            decode_question(broken)


def test_words_and_openings_survive_their_frames() -> None:
    word, opening = DRAW_MESSAGES["draw-word-file"], DRAW_MESSAGES["draw-opening"]
    frame = encode_opening(b"s" * 64, msgspec.json.encode(opening))

    assert decode_word(encode_word(word)) == word  # type: ignore[arg-type] # the mapping holds all kinds
    assert decode_opening(frame)[:2] == (opening, b"s" * 64)
