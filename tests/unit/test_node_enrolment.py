from pathlib import Path

import pytest

from node import config
from node.enrolment import DoorAddress, parse_door, settings_text
from node.home import home_at
from protocol.enrolment import Admission
from protocol.errors import BadValue

ADMISSION = Admission(
    site="330523108204",
    site_name='某村“档案室” "甲"',
    county="330523000000",
    county_name="某县\n[hub]档案馆",
    hub_key="U",
    county_key=bytes(32),
    broker_urls=("tls://archive.example:4222", "tls://10.0.0.1:4222"),
    broker_ca="pem",
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("archive.example", "archive.example", 4223),
        ("archive.example:", "archive.example", 4223),
        ("archive.example:5000", "archive.example", 5000),
        (" 10.0.0.1:4223 ", "10.0.0.1", 4223),
        ("[fd00::1]:5000", "fd00::1", 5000),
        ("[fd00::1]", "fd00::1", 4223),
        ("fd00::1", "fd00::1", 4223),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, host: str, port: int) -> None:
    assert parse_door(text) == DoorAddress(host=host, port=port)


@pytest.mark.parametrize("text", ["", ":4223", "host:0", "host:99999", "host:端口", "host:４２２３", "[fd00::1]:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_door(text)


@pytest.mark.parametrize("address", ["10.0.0.1:5000", "[fd00::1]:5000"])
def test_an_address_is_shown_as_it_is_typed(address: str) -> None:
    assert str(parse_door(address)) == address


def test_new_settings_are_what_the_node_reads() -> None:
    """Names come from the hub; none of them may end a line or a quotation."""
    found = config.parse(settings_text(ADMISSION, None))

    assert (found.site, found.name) == (ADMISSION.site, ADMISSION.site_name)
    assert found.hub.urls == ADMISSION.broker_urls
    assert found.folders[0].place(home_at(Path("home"))) == Path("home").absolute() / "catalogues"


def test_a_site_without_a_name_is_called_by_its_code() -> None:
    unnamed = Admission(**{**{name: getattr(ADMISSION, name) for name in ADMISSION.__struct_fields__}, "site_name": ""})

    assert config.parse(settings_text(unnamed, None)).name == ADMISSION.site
