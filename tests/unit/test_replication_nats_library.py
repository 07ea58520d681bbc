import importlib
import importlib.util
import json
import subprocess
import sys

import pytest

from replication.nats_library import unfindable

LOADED = "import sys, hub.__main__, node.__main__; print('nats' in sys.modules, 'aiohttp' in sys.modules)"


def test_the_programs_load_no_client_of_web_pages() -> None:
    """It is installed here, as at a hub, so the NATS library would take it along."""
    assert importlib.util.find_spec("aiohttp") is not None

    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True, text=True, timeout=60)

    assert found.stdout.split() == ["True", "False"]


def test_what_was_kept_away_can_be_loaded_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    with unfindable("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")

    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 1) == (2 / 3, 1, 1)


def test_what_is_loaded_already_stays() -> None:
    before = json

    with unfindable("json"):
        assert importlib.import_module("json") is before

    assert sys.modules["json"] is before
