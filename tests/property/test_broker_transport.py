"""What comes from the broker is cut into the same messages, wherever the socket cuts it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.broker_transport import BEHIND_BYTES_MAX, LARGE_BYTES, READ_BYTES, Incoming, LargeMessage

LARGE = (LARGE_BYTES, LARGE_BYTES + 1, READ_BYTES, 3 * READ_BYTES + 7)
SMALL = (0, 1, 2, 1_000, LARGE_BYTES - 1)


class _Socket(asyncio.Transport):
    """A socket that only remembers whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


def incoming(socket: _Socket | None = None) -> Incoming:
    return Incoming(asyncio.Protocol(), socket or _Socket())


def push(parts: Incoming, data: bytes) -> None:
    """Let bytes come in as an event loop does."""
    rest = data
    while rest:
        room = parts.get_buffer(-1)
        taken = min(len(room), len(rest))
        room[:taken] = rest[:taken]
        parts.buffer_updated(taken)
        rest = rest[taken:]


def line(size: int, reply: bytes = b"", verb: bytes = b"MSG") -> bytes:
    fields = [verb, b"dl.drawn.x", b"12", *([reply] if reply else [])]
    fields += [b"12"] if verb == b"HMSG" else []
    return b" ".join([*fields, str(size).encode()]) + b"\r\n"


def written(size: int, reply: bytes = b"", verb: bytes = b"MSG") -> bytes:
    """A message as the broker sends it; its bytes look like lines and messages."""
    payload = (b"MSG dl.evt.x 1 40000\r\n" * (size // 22 + 1))[:size]
    return line(size, reply, verb) + payload + b"\r\n"


messages = st.one_of(
    st.sampled_from([b"PING\r\n", b"+OK\r\n", b'INFO {"x":"' + b"y" * 5_000 + b'"}\r\n', b"-ERR 'no'\r\n"]),
    st.builds(written, st.sampled_from([*SMALL, *LARGE]), st.sampled_from([b"", b"_INBOX.a"])),
    st.builds(written, st.sampled_from([14, *LARGE]), st.just(b"r"), st.just(b"HMSG")),
)


async def fetched(parts: Incoming) -> list[bytes | LargeMessage]:
    parts.eof_received()
    found = []
    while one := await parts.next():
        found.append(one)
    return found


def told(one: bytes | LargeMessage) -> bytes:
    if isinstance(one, bytes):
        return one
    return line(len(one.payload), one.reply) + one.payload + b"\r\n"


@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 2 * READ_BYTES), max_size=12))
async def test_nothing_is_lost_or_reordered_wherever_the_socket_cuts(sent: list[bytes], cuts: list[int]) -> None:
    stream, parts = b"".join(sent), incoming()
    at = 0
    for cut in cuts:
        push(parts, stream[at : at + cut])
        at += cut
    push(parts, stream[at:])

    found = await fetched(parts)

    assert b"".join(map(told, found)) == stream
    assert parts.is_over


@given(st.integers(1, 60))
async def test_large_messages_are_taken_whole_and_the_rest_is_left_to_the_parser(cut: int) -> None:
    stream = b"PING\r\n" + written(LARGE_BYTES, b"r") + written(3) + written(LARGE_BYTES * 2)
    parts = incoming()
    push(parts, stream[:cut])
    push(parts, stream[cut:])

    found = await fetched(parts)

    assert [len(one.payload) for one in found if isinstance(one, LargeMessage)] == [LARGE_BYTES, LARGE_BYTES * 2]
    assert b"".join(one for one in found if isinstance(one, bytes)) == b"PING\r\n" + written(3)


@pytest.mark.parametrize("announced", [b"MSG x 1\r\n", b"MSG x 1 -5\r\n", b"MSG x 1 99999999999\r\n", b"MSG\r\n"])
async def test_what_no_message_can_be_is_left_to_the_parser(announced: bytes) -> None:
    parts = incoming()
    push(parts, announced)

    assert await fetched(parts) == [announced]


async def test_a_loop_that_is_behind_has_the_socket_wait() -> None:
    socket = _Socket()
    parts = incoming(socket)
    size = BEHIND_BYTES_MAX // 4
    for _ in range(5):
        push(parts, written(size))
    was_read = socket.is_read
    for _ in range(4):
        await parts.next()

    assert (was_read, socket.is_read) == (False, True)


async def test_what_came_before_the_connection_was_lost_is_given_first() -> None:
    parts = incoming()
    push(parts, b"PING\r\n")
    parts.connection_lost(ConnectionResetError())

    assert await parts.next() == b"PING\r\n"
    with pytest.raises(ConnectionResetError):
        await parts.next()
