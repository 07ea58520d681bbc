"""The window's papers come back with the store: a restored hub verifies and prints what was certified."""

import os
import shutil
from pathlib import Path

import pytest

from hub.backup.backing_up import back_up, verify
from hub.backup.backup_targets import prepare, remove
from hub.backup.bags import PAYLOAD
from hub.backup.restoring import put_back
from hub.home import HubHome, home_at
from hub.keeping.course import Course
from hub.window import certificates, serials, sheets
from hub.window.certificates import Printing
from hub.window.public_keys import key_list
from hub.window.verifying import Finding, verify_pdf
from protocol.errors import StorageFull
from replication.database import opened
from tests.backups import COUNTY, DAY_MS, NOW_MS, county_home, settings_of, target_of
from tests.certifying import window
from tests.hubs import MIGRATIONS


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    made = county_home(tmp_path)
    prepare(target_of(made), COUNTY, NOW_MS)
    return made


def backed_up(home: HubHome, day: int = 0) -> Path:
    outcome = back_up(home, settings_of(home), target_of(home), lambda: NOW_MS + day * DAY_MS, Course())
    return Path(target_of(home).path) / outcome.backup


async def test_a_restored_hub_verifies_and_prints_an_old_certificate(home: HubHome, tmp_path: Path) -> None:
    """Store and papers of one window, moved into a home that is backed up, lost, and put back."""
    async with window(tmp_path / "county") as desk:
        order = await desk.ask()
        await desk.post()
        await desk.approve(order)
        serial = (await desk.made(order)).asked.serial
        before = await desk.pdf(serial)
        county = desk.county_key.public_key
    for path in (home.database, home.database.with_name("hub.db-wal"), home.database.with_name("hub.db-shm")):
        path.unlink(missing_ok=True)
    shutil.copy(desk.home.database, home.database)
    shutil.copytree(desk.home.window, home.window)
    shutil.copy(desk.home.authority, home.authority)
    shutil.copy(desk.home.authority_key, home.authority_key)

    new = home_at(tmp_path / "new")
    put_back(backed_up(home), new, NOW_MS + DAY_MS, Course())
    async with opened(new.database, MIGRATIONS) as database:
        kept = certificates.pdf_of(new, await database.read(lambda connection: serials.found(connection, serial)))
        keys = await database.read(lambda connection: key_list(connection, COUNTY, "某县", county, {}, NOW_MS + DAY_MS))
        await database.write(lambda connection: sheets.receive(connection, "A000001", "A000010", "lin.min", NOW_MS))
        printing = Printing(first_sheet="A000001", printer="window")
        issued = await database.write(
            lambda connection: certificates.issue(connection, serial, printing, "lin.min", NOW_MS + DAY_MS)
        )

    assert kept == before
    assert verify_pdf(kept, new.authority.read_bytes(), keys).finding is Finding.VALID
    assert issued.fate is serials.Fate.ISSUED


def test_papers_that_a_backup_could_not_do_without_are_in_it_and_half_written_ones_are_not(home: HubHome) -> None:
    folder = home.window / "certificates"
    folder.mkdir(parents=True)
    (folder / "330523-2026-000001-9.pdf").write_bytes(b"%PDF of a test")
    (folder / ".330523-2026-000002-6.pdf.new").write_bytes(b"half of it")

    there = backed_up(home) / PAYLOAD / "window" / "certificates"

    assert {path.name: path.read_bytes() for path in there.iterdir()} == {"330523-2026-000001-9.pdf": b"%PDF of a test"}


def test_what_waited_for_its_seal_and_is_gone_meanwhile_stops_no_backup(
    home: HubHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list was made, then the seal came and the prepared file was removed."""
    gone = home.window / "certificates" / "330523-2026-000001-9.prepared"
    monkeypatch.setattr("hub.backup.window_papers.window_files", lambda _: [gone])

    backup = backed_up(home)

    assert list(backup.rglob("*.prepared")) == []
    assert (backup / PAYLOAD / "hub.db").exists() is True


def paper(home: HubHome, number: int, content: bytes) -> str:
    path = home.window / "certificates" / f"330523-2026-{number:06}-9.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"{PAYLOAD}/{path.relative_to(home.root)}"


def test_only_papers_that_changed_are_written_again_and_each_backup_is_whole(home: HubHome, tmp_path: Path) -> None:
    same, changed = paper(home, 1, b"%PDF one"), paper(home, 2, b"%PDF two")
    first = backed_up(home)
    # As long as before, and not older: only its digest tells.
    paper(home, 2, b"%PDF 2.0")
    new = paper(home, 3, b"%PDF three")
    second = backed_up(home, 1)
    remove(first.parent, first.name)
    back = home_at(tmp_path / "new")
    put_back(second, back, NOW_MS + 2 * DAY_MS, Course())

    assert [(second / name).stat().st_nlink for name in (same, changed, new)] == [1, 1, 1]
    assert [(back.root / name.removeprefix("data/")).read_bytes() for name in (same, changed, new)] == [
        b"%PDF one",
        b"%PDF 2.0",
        b"%PDF three",
    ]


def test_a_paper_that_did_not_change_lies_on_the_disk_once(home: HubHome) -> None:
    name = paper(home, 1, b"%PDF one")
    first, second, third = (backed_up(home, day) for day in range(3))

    assert len({(one / name).stat().st_ino for one in (first, second, third)}) == 1


def test_a_shared_paper_that_the_disk_has_spoilt_is_written_anew(home: HubHome) -> None:
    """The backup of that night is sound; the earlier one is named by its next reading."""
    name = paper(home, 1, b"%PDF one")
    first = backed_up(home)
    (first / name).write_bytes(b"%PDF 0ne")
    second = backed_up(home, 1)
    outcomes = verify(home, settings_of(home), target_of(home), lambda: NOW_MS, Course(), every=True)

    assert (second / name).read_bytes() == b"%PDF one"
    assert [one.is_sound for one in outcomes] == [False, True]


def test_a_disk_without_second_names_gets_copies(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT, as sticks have it."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    name = paper(home, 1, b"%PDF one")
    first, second = backed_up(home), backed_up(home, 1)

    assert (first / name).stat().st_ino != (second / name).stat().st_ino
    assert (second / name).read_bytes() == b"%PDF one"


def test_a_target_without_room_for_the_papers_is_not_begun(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.window / "certificates"
    folder.mkdir(parents=True)
    (folder / "330523-2026-000001-9.pdf").write_bytes(bytes(9_000_000))
    log = home.database.with_name(f"{home.database.name}-wal")
    store = sum(path.stat().st_size for path in (home.database, log) if path.exists())
    room = store + 64 * 1024 * 1024 + 1_000_000
    usage = shutil.disk_usage(home.root)
    monkeypatch.setattr("hub.backup.backing_up.shutil.disk_usage", lambda _: usage._replace(free=room))

    with pytest.raises(StorageFull):
        backed_up(home)
