"""``danglian-hub holdings`` over a home with held files."""

import asyncio
import json
from pathlib import Path

import pytest

from hub import __main__ as hub_program
from hub import config
from hub.home import home_at
from hub.keeping.accessions import NewAccession, register
from hub.keeping.held_files import hold, place
from hub.storage import store
from replication.transfer_packages import move
from tests.carriages import NOW_MS, SITE, written

FILES = {"data/a.tif": b"a" * 1_000, "data/b.tif": b"b" * 2_000}


def made_home(root: Path) -> Path:
    """Make a home that holds a transfer of two files, and knows one copy."""
    root.mkdir()
    (root / "hub.toml").write_text(
        f'county = "330523000000"\nname = "某县"\n'
        f'[[holdings.copy]]\nname = "usb"\nkind = "offline"\npath = "{root.parent / "usb"}"\n',
        encoding="utf-8",
    )
    home = home_at(root)
    holdings = config.load(home.settings).holdings.place(home.root)

    async def fill() -> None:
        consigned = written(root / "transfers" / "t1", FILES)
        move(root / "transfers" / "t1", place(holdings, SITE, "t1"))
        new = NewAccession(bundle="t1", nature="移交", title="林权档案", files=2, registered_by="王")
        async with store.opened(home) as database:
            await database.write(lambda connection: hold(connection, SITE, "t1", consigned.files, NOW_MS))
            await database.write(lambda connection: register(connection, SITE, new, NOW_MS))

    asyncio.run(fill())
    return root


def said(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    code = hub_program.main(["holdings", *arguments, "--home", str(root), "--json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, found


def test_a_spoilt_file_is_found_and_put_back_from_a_disk_that_is_plugged_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made_home(tmp_path / "hub")
    file = place(root / "holdings", SITE, "t1") / "data" / "a.tif"
    codes = [
        said(capsys, root, "prepare")[0],
        said(capsys, root, "copy")[0],
        said(capsys, root, "verify")[0],
    ]
    (tmp_path / "usb").rename(tmp_path / "safe")
    file.chmod(0o600)
    file.write_bytes(b"x" * 1_000)
    code, found = said(capsys, root, "verify")
    listed_code, listed = said(capsys, root)
    (tmp_path / "safe").rename(tmp_path / "usb")
    repaired_code, repaired = said(capsys, root, "repair")

    assert codes == [0, 0, 0]
    assert (code, found["sound"], len(found["spoilt"])) == (1, 1, 1)  # type: ignore[arg-type] # a list
    assert (listed_code, len(listed["spoilt"])) == (1, 1)  # type: ignore[arg-type] # a list
    assert (repaired_code, repaired["repaired"], file.read_bytes()) == (0, 1, b"a" * 1_000)


def test_the_list_is_for_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = made_home(tmp_path / "hub")
    code = hub_program.main(["holdings", "--home", str(root)])
    shown = capsys.readouterr().out
    hub_program.main(["holdings", "register", "--home", str(root)])
    registered = capsys.readouterr().out

    assert (code, "馆藏文件 2 个" in shown, "usb" in shown) == (0, True, True)
    assert "林权档案" in registered


def test_an_unknown_copy_is_refused_with_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made_home(tmp_path / "hub")
    code = hub_program.main(["holdings", "copy", "--to", "nas", "--home", str(root)])

    assert (code != 0, "usb" in capsys.readouterr().err) == (True, True)


def test_what_was_received_is_moved_to_its_place_once(tmp_path: Path) -> None:
    """A crash leaves it at one of the two places; never is it there twice."""
    received, final = tmp_path / "received", place(tmp_path / "holdings", SITE, "t1")
    written(received, FILES)
    move(received, final)
    move(received, final)

    assert (received.exists(), sorted(path.name for path in (final / "data").iterdir())) == (False, ["a.tif", "b.tif"])
    with pytest.raises(OSError, match="received"):
        move(received, place(tmp_path / "holdings", SITE, "t2"))
