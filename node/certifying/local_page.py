"""The keeper's page, in a browser on the same machine: a server for its rooms, and the room of the window's orders.

It listens on 127.0.0.1 only, for as long as the keeper wants it. Its address carries a token behind ``#``, which a
browser never sends; the page sends it as a header, so no other page can ask in its name, and a request under another
host's name is turned away. Nothing but the standard library serves it.
"""

import asyncio
import hmac
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import unquote

import msgspec

from node.certifying import orders
from node.certifying.deciding import Fact
from node.certifying.desk import Answer, KeeperDesk, Shown
from node.certifying.page_files import PageFile
from protocol.case_words import purpose_in_words, requester_in_words
from protocol.copies import FACT_CHARS_MAX, PAGE_BYTES_MAX, PRODUCTS, REFUSALS, Refusal
from protocol.errors import BadValue, DanglianError
from protocol.wording import Text
from replication.checks import page_splitting

HOST: Final = "127.0.0.1"

TOKEN_BYTES: Final = 32
"""Random bytes of the token."""

BODY_BYTES_MAX: Final = 64 * 1024
"""Bytes of a decision: twenty facts of three hundred characters."""

IDLE_S: Final = 10.0
"""Seconds that a browser may take to say what it wants."""

TOKEN_HEADER: Final = "X-Keeper-Token"  # noqa: S105 - the name of a header

_FileLook = tuple[int, int, int]
"""Size, time of the last change, number of the file: what tells a file that was written again."""

_PICTURES: Final = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp"}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    facts: dict[int, Fact] = {}
    source: str = ""
    note: str = ""
    despite_remarks: bool = False
    reason: Refusal | None = None


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the page shows it."""

    name: str
    state: str
    state_words: Text
    product: str
    product_words: Text
    ref_code: str
    title: str
    serial: str
    purpose: str
    purpose_words: Text
    case_no: str
    requester: str
    requester_words: Text
    holder: str
    basis: str
    facts: tuple[str, ...]
    page_count: int | None
    pages: tuple[int, ...] = ()
    remarks: tuple[Text, ...] = ()
    trouble: Text | None = None


class Answered(NamedTuple):
    """What a room answers: of which kind it is, and its bytes."""

    kind: str
    content: bytes


class Room(Protocol):
    """What the page asks under one name: orders of the window (here), transfers (``node.transfers.page_room``)."""

    async def answer(self, parts: list[str], body: bytes | None) -> Answered:
        """Answer what stands behind the name; with a body something is to be done.

        Raises:
            DanglianError: it cannot be; the page says why, and what to do.

        """


def told_as_json(value: object) -> Answered:
    """Return a value as the page reads it."""
    return Answered("application/json", msgspec.json.encode(value))


class LocalPage:
    """The page while it is served."""

    def __init__(self, server: ThreadingHTTPServer, token: str) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, name="keeper's page", daemon=True)
        self._thread.start()
        self.address = f"http://{HOST}:{server.server_port}/#{token}"

    def wait(self) -> None:
        """Wait until somebody presses Ctrl-C."""
        self._thread.join()

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def served(rooms: Mapping[str, Room]) -> Iterator[LocalPage]:
    """Serve the page with its rooms for as long as the block lasts; it opens with the first of them."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    page = LocalPage(ThreadingHTTPServer((HOST, 0), partial(_Visit, rooms, token)), token)
    try:
        yield page
    finally:
        page.close()


class _Visit(BaseHTTPRequestHandler):
    """One request of the page."""

    timeout = IDLE_S
    server_version = "Danglian"
    sys_version = ""

    def __init__(self, rooms: Mapping[str, Room], token: str, *arguments: object) -> None:
        self._rooms = rooms
        self._token = token
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Write nothing: paths name orders and transfers."""

    def do_GET(self) -> None:
        """Answer the page itself, or what it asks for."""
        parts = self.path.split("?")[0].strip("/").split("/")
        if not self._is_here():
            self._say(HTTPStatus.FORBIDDEN, b"")
        elif parts == [""]:
            self._say(HTTPStatus.OK, _html(next(iter(self._rooms))), "text/html; charset=utf-8")
        elif not self._is_keeper() or parts[0] not in self._rooms:
            self._say(HTTPStatus.FORBIDDEN, b"")
        else:
            self._answer(parts, None)

    def do_POST(self) -> None:
        """Take a decision."""
        parts = self.path.strip("/").split("/")
        length = self.headers.get("Content-Length", "")
        if not self._is_here() or not self._is_keeper() or parts[0] not in self._rooms:
            self._say(HTTPStatus.FORBIDDEN, b"")
        elif not length.isascii() or not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")
        else:
            self._answer(parts, self.rfile.read(int(length)))

    def _is_here(self) -> bool:
        # A name of somebody else's that leads here must not open this page (DNS rebinding).
        return self.headers.get("Host", "") == f"{HOST}:{self.server.server_port}"  # type: ignore[attr-defined]

    def _is_keeper(self) -> bool:
        return hmac.compare_digest(self.headers.get(TOKEN_HEADER, "").encode(), self._token.encode())

    def _answer(self, parts: list[str], body: bytes | None) -> None:
        try:
            kind, content = asyncio.run(self._rooms[parts[0]].answer([unquote(one) for one in parts[1:]], body))
        except DanglianError as error:
            said = {"reason": error.reason, "hint": error.hint}
            self._say(HTTPStatus.CONFLICT, msgspec.json.encode(said), "application/json")
        else:
            self._say(HTTPStatus.OK, content, kind)

    def _say(self, status: int, content: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Looked(NamedTuple):
    """The order that was looked at last; its pages were read and summed then, as many as they may be."""

    name: str
    shown: Shown
    looks: Mapping[str, _FileLook]
    """What each page's file looked like, by the page's number."""


class OrdersRoom:
    """What the window asks of this site: each order with the pages found for it, and the two buttons."""

    def __init__(self, desk: KeeperDesk) -> None:
        self._desk = desk
        self._looked: _Looked | None = None

    async def answer(self, parts: list[str], body: bytes | None) -> Answered:
        """Answer as ``Room`` says: the list, an order, one of its pages, or a decision."""
        if body is not None:
            return told_as_json(_told(await self._decided(parts, body)))
        if not parts:
            found = await self._desk.listed(with_past=True)
            return told_as_json([_told(Shown(order=one)) for one in found[::-1]])
        if len(parts) == 1:
            return told_as_json(_told(await self._look(parts[0])))
        looked = self._looked
        if looked is None or looked.name != parts[0] or not _is_as_it_was(looked, parts[-1]):
            return _picture(await self._look(parts[0]), parts[-1])
        return _picture(looked.shown, parts[-1])

    async def _look(self, name: str) -> Shown:
        shown = await self._desk.shown(name)
        pages = () if shown.pages is None else shown.pages.pages
        looks = {str(one.number): look for one in pages if (look := _file_look(_place_of(shown, one))) is not None}
        self._looked = _Looked(name, shown, looks)
        return shown

    async def _decided(self, parts: list[str], body: bytes) -> Shown:
        self._looked = None
        try:
            said = msgspec.json.decode(body, type=_Decision)
        except msgspec.DecodeError as error:
            raise unreadable() from error
        if parts[1:] == ["refuse"] and said.reason is not None:
            return await self._desk.refused(parts[0], said.reason, said.note)
        if parts[1:] != ["approve"]:
            raise unreadable()
        answer = Answer(facts=said.facts, source=said.source, note=said.note, despite_remarks=said.despite_remarks)
        return await self._desk.approved(parts[0], answer)


def _told(shown: Shown) -> _Told:
    order, asked = shown.order, shown.order.asked
    return _Told(
        name=str(order.copy_id),
        state=order.state.value,
        state_words=orders.STATES[order.state],
        product=asked.product.value,
        product_words=PRODUCTS[asked.product],
        ref_code=asked.ref_code,
        title=asked.title,
        serial=asked.serial,
        purpose=asked.purpose,
        purpose_words=purpose_in_words(asked.purpose),
        case_no=asked.case_no,
        requester=asked.requester,
        requester_words=requester_in_words(asked.requester),
        holder=f"{asked.holder_name}（{asked.holder}）",
        basis=asked.basis,
        facts=asked.facts,
        page_count=asked.page_count,
        pages=() if shown.pages is None else tuple(one.number for one in shown.pages.pages),
        remarks=() if shown.pages is None else shown.pages.remarks,
        trouble=shown.trouble,
    )


def _picture(shown: Shown, number: str) -> Answered:
    pages = () if shown.pages is None else shown.pages.pages
    found = next((one for one in pages if str(one.number) == number), None)
    if shown.pages is None or found is None or found.size_bytes > PAGE_BYTES_MAX:
        raise unreadable()
    path = _place_of(shown, found)
    if path.suffix.lower() in (".tif", ".tiff"):
        # No browser shows it.
        return Answered("image/png", page_splitting.preview(path))
    return Answered(_PICTURES.get(path.suffix.lower(), "application/octet-stream"), path.read_bytes())


def _place_of(shown: Shown, page: PageFile) -> Path:
    return (Path() if shown.pages is None else shown.pages.root) / page.path


def _file_look(path: Path) -> _FileLook | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _is_as_it_was(looked: _Looked, number: str) -> bool:
    pages = () if looked.shown.pages is None else looked.shown.pages.pages
    found = next((one for one in pages if str(one.number) == number), None)
    look = looked.looks.get(number)
    return found is not None and look is not None and _file_look(_place_of(looked.shown, found)) == look


def _html(first: str) -> bytes:
    reasons = [{"value": one.value, "words": said} for one, said in REFUSALS.items()]
    text = Path(__file__).with_name("local_page.html").read_text(encoding="utf-8")
    return (
        text.replace("/*REASONS*/", msgspec.json.encode(reasons).decode())
        .replace("/*FACT*/", str(FACT_CHARS_MAX))
        .replace("/*ROOM*/", first)
        .encode()
    )


def unreadable() -> BadValue:
    """Return the error for what no page of ours asks."""
    return BadValue(
        Text(zh="网页的请求读不出。", en="what the page asked cannot be read"),
        Text(zh="请重新打开网页。", en="Open the page again."),
    )
