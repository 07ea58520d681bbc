"""The keeper's page: served on this machine only, to whoever has its address, and to no other page."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from hub.window.copy_orders import CopyOrder, CopyState
from node.certifying import page_files
from node.certifying.desk import KeeperDesk
from node.certifying.local_page import TOKEN_HEADER, LocalPage, OrdersRoom, served
from node.certifying.page_files import FoundPages, Sought
from node.config import parse
from node.home import home_at
from protocol.copies import Product
from tests.certifying import Window, scan, window

NODE_TOML = 'site = "330523108204"\nname = "某村档案室"\n[hub]\nurls = ["tls://127.0.0.1:4222"]\n'


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Window]:
    async with window(tmp_path) as made:
        (tmp_path / "node" / "keys").mkdir()
        (tmp_path / "node" / "keys" / "node.nk").write_bytes(made.node_seed)
        yield made


@pytest.fixture
def page(desk: Window) -> Iterator[LocalPage]:
    with served({"orders": OrdersRoom(KeeperDesk(home_at(desk.root / "node"), parse(NODE_TOML), "page"))}) as made:
        yield made


class Keeper:
    """A browser with the page."""

    def __init__(self, address: str) -> None:
        self.root, _, token = address.partition("#")
        self.headers = {TOKEN_HEADER: token}

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(self.root + path, headers=self.headers if headers is None else headers)

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            given = self.headers if headers is None else headers
            return await client.post(self.root + path, json=body, headers=given)


async def ordered(desk: Window, product: Product = Product.CERTIFIED_COPY, **more: object) -> CopyOrder:
    order = await desk.ask(product, **more)
    await desk.post()
    return order


async def test_a_keeper_sees_the_pages_and_approves(desk: Window, page: LocalPage) -> None:
    order, keeper = await ordered(desk), Keeper(page.address)
    (line,) = (await keeper.get("orders")).json()
    shown = (await keeper.get(f"orders/{line['name']}")).json()
    picture = await keeper.get(f"orders/{line['name']}/pages/1")

    assert (shown["ref_code"], shown["pages"][0]) == (desk.record.ref_code, 1)
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == (desk.scans / desk.record.ref_code / "0001.jpg").read_bytes()
    assert (await keeper.post(f"orders/{line['name']}/approve", {})).json()["state"] == "approved"
    assert (await desk.made(order)).state is CopyState.SIGNED


async def test_pages_are_read_once_for_all_their_pictures(
    desk: Window, page: LocalPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred pages would be read two hundred times each; a page that was scanned again is looked at anew."""
    looked: list[Sought] = []
    find = page_files.find

    def counted(
        roots: Sequence[Path], wanted: Sought, numbers: Sequence[int] = (), spool: Path | None = None
    ) -> FoundPages:
        looked.append(wanted)
        return find(roots, wanted, numbers, spool)

    monkeypatch.setattr(page_files, "find", counted)
    order, keeper = await ordered(desk), Keeper(page.address)
    numbers = (await keeper.get(f"orders/{order.copy_id}")).json()["pages"]
    pictures = [(await keeper.get(f"orders/{order.copy_id}/pages/{number}")).content for number in numbers]
    times = len(looked)
    (desk.scans / desk.record.ref_code / "0001.jpg").write_bytes(scan("scanned again"))
    again = (await keeper.get(f"orders/{order.copy_id}/pages/1")).content

    assert (len(pictures) > 1, times) == (True, 1)
    assert (again, again != pictures[0], len(looked)) == (scan("scanned again"), True, 2)


async def test_a_keeper_refuses_and_is_told_what_lacks(desk: Window, page: LocalPage) -> None:
    order, keeper = await ordered(desk, Product.STATEMENT, facts=("承包人",)), Keeper(page.address)
    name = str(order.copy_id)
    lacking = await keeper.post(f"orders/{name}/approve", {"source": "正本"})
    assert (lacking.status_code, "每项都须答复" in lacking.json()["reason"]["zh"]) == (409, True)
    assert (await keeper.post(f"orders/{name}/approve", {"facts": "x"})).status_code == 409
    assert (await keeper.post(f"orders/{name}/refuse", {"reason": "restricted"})).json()["state"] == "refused"
    await desk.post()

    assert (await desk.found(order)).state is CopyState.REFUSED


@pytest.mark.parametrize("headers", [{}, {TOKEN_HEADER: "guess"}, {"Host": "evil.example"}])
async def test_nobody_else_is_answered(desk: Window, page: LocalPage, headers: dict[str, str]) -> None:
    """Without the token, and under another host's name although with it (DNS rebinding)."""
    order, keeper = await ordered(desk), Keeper(page.address)
    given = {**keeper.headers, **headers} if "Host" in headers else headers

    assert (await keeper.get("orders", given)).status_code == 403
    assert (await keeper.post(f"orders/{order.copy_id}/approve", {}, given)).status_code == 403
    assert (await desk.at_site(order)).state == "waiting"


async def test_a_decision_that_is_too_long_is_turned_away(desk: Window, page: LocalPage) -> None:
    keeper = Keeper(page.address)

    assert (await keeper.post("orders/x/approve", {"note": "x" * 70_000})).status_code == 413


async def test_the_page_itself_holds_no_secret(desk: Window, page: LocalPage) -> None:
    keeper = Keeper(page.address)
    answer = await keeper.get("", {})

    assert answer.status_code == 200
    assert keeper.headers[TOKEN_HEADER] not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_tiff_is_shown_as_a_picture_that_browsers_know(desk: Window, page: LocalPage) -> None:
    """Archives keep TIFF; the keeper must see what he signs."""
    folder = desk.scans / desk.record.ref_code
    for number, path in enumerate(sorted(folder.iterdir()), start=1):
        path.unlink()
        (folder / f"{number:04}.tif").write_bytes(scan(f"page {number}", kind="TIFF"))
    order, keeper = await ordered(desk), Keeper(page.address)

    shown = await keeper.get(f"orders/{order.copy_id}/pages/1")

    assert (shown.status_code, shown.headers["content-type"], shown.content[:4]) == (200, "image/png", b"\x89PNG")
