"""Where the pages of a transfer are looked for."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from node.commands.transfer_work import scan_folders
from node.config import ScanSettings
from node.home import home_at
from node.transfers.office import Office


def test_scans_lie_where_the_settings_say(tmp_path: Path) -> None:
    """The folder that approved copies are made from, [[scans]], is the one that a transfer packs."""
    home, apart = home_at(tmp_path / "home"), tmp_path / "apart"
    apart.mkdir()
    config = SimpleNamespace(scans=(ScanSettings(), ScanSettings(path=str(apart))), folders=())
    office = cast("Office", SimpleNamespace(home=home, config=config))
    assert scan_folders(office, []) == [apart]
    (apart / "inside").mkdir()
    config.folders = (SimpleNamespace(place=lambda _: apart / "inside"), SimpleNamespace(place=lambda _: apart))
    assert scan_folders(office, []) == [apart], "no scan is found twice"
    (home.root / "scans").mkdir(parents=True)
    assert scan_folders(office, []) == [home.root / "scans", apart]
