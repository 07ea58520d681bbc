import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.config import parse
from hub.home import home_at
from hub.membership import broker_config
from hub.membership.broker_config import broker_text, is_public_key, rights_of, server_name, users_text
from protocol.codec import (
    decode_answer,
    decode_beat,
    decode_event,
    decode_frame,
    decode_question,
    decode_receipt,
)
from protocol.errors import BadFrame, BadValue, Permanent
from protocol.sites import parse_site
from replication.keys import Identity, new_seed
from replication.seal import unseal

SETTINGS = parse('county = "330523000000"\nname = "某县"\n[broker]\nhost = "127.0.0.1"\nport = 4300')
HUB_KEY = Identity(new_seed(bytes(32))).public_key
NODE_KEY = Identity(new_seed(bytes(31) + b"1")).public_key
VILLAGE = parse_site("330523108204")
WINDOW = parse_site("330523000000-W01")


def test_a_nodes_rights_are_these_and_no_more() -> None:
    rights = rights_of(VILLAGE)

    assert rights.publish == (
        "dl.evt.330523.108.204._",
        "dl.beat.330523.108.204._",
        "dl.rsp.330523.108.204._.>",
        "dl.fetch.330523.108.204._",
        "dl.drawn.330523.108.204._.*",
    )
    assert rights.subscribe == (
        "dl.ask.all.*",
        "dl.ask.330523.108.204._.*",
        "dl.rcpt.330523.108.204._",
        "dl.held.330523.108.204._",
        "dl.draw.330523.108.204._",
        "_INBOX_330523-108-204-_.>",
    )


@pytest.mark.parametrize(
    "site", ["330523000000", "330523108000", "330523108204", "330523000000-W01", "330523108204-E0007"]
)
def test_no_site_shares_a_private_subject_with_another(site: str) -> None:
    """A county's or a town's own rights must not reach into its villages."""
    others = {"330523000000", "330523108000", "330523108204", "330523000000-W01", "330523108204-E0007"} - {site}
    mine = rights_of(parse_site(site))

    for other in map(parse_site, others):
        theirs = rights_of(other)
        assert set(mine.publish) & set(theirs.publish) == set()
        assert set(mine.subscribe) & set(theirs.subscribe) == {"dl.ask.all.*"}


def test_every_right_is_in_the_table_of_the_docstring() -> None:
    table = broker_config.__doc__ or ""
    rows = re.findall(r"^    \| ([^ |]+) +\|", table, re.MULTILINE)
    inbox = "_INBOX_330523-108-204-_"
    written = {row.replace("_INBOX_S", inbox).replace("S", VILLAGE.tokens) for row in rows}
    rights = rights_of(VILLAGE)

    assert {*rights.publish, *rights.subscribe} == written - {"publishes", "hears"}


def test_nobody_but_the_hub_has_whole_rights() -> None:
    text = users_text(HUB_KEY, [(NODE_KEY, VILLAGE)])

    assert text.count("nkey:") == 2
    assert f"{{ nkey: {HUB_KEY} }}" in text
    assert f"{{ nkey: {NODE_KEY}, permissions:" in text
    assert "$JS" not in text


def test_the_order_of_nodes_does_not_change_the_text() -> None:
    """Equal text means that no reload is needed."""
    users = [(NODE_KEY, VILLAGE), (Identity(new_seed(b"x" * 32)).public_key, WINDOW)]

    assert users_text(HUB_KEY, users) == users_text(HUB_KEY, reversed(users))


@pytest.mark.parametrize(
    "key", ["", "U", NODE_KEY[:-1], NODE_KEY + "A", NODE_KEY.lower(), f"{NODE_KEY} }} {{", "U" + "1" * 55]
)
def test_what_is_no_key_never_reaches_the_file(key: str) -> None:
    """A text with a brace in it could grant rights."""
    assert not is_public_key(key)
    with pytest.raises(BadValue):
        users_text(HUB_KEY, [(key, VILLAGE)])


@pytest.mark.parametrize(
    "read", [decode_answer, decode_beat, decode_receipt, decode_question, decode_event, decode_frame]
)
def test_no_reader_takes_a_misdirected_acknowledgement_for_a_message(read: Callable[[bytes], object]) -> None:
    """It is all that a node can make the broker say on a subject that is not its own."""
    with pytest.raises(Permanent):
        read(b'{"stream":"DL_EVENTS","seq":2}')
    with pytest.raises(BadFrame):
        unseal(b'{"stream":"DL_EVENTS","seq":2}', [NODE_KEY])


def test_the_broker_is_told_what_durability_and_safety_need() -> None:
    text = broker_text(home_at(Path("hub home")), SETTINGS, HUB_KEY)

    for line in (
        "sync_interval: always",
        "strict: true",
        "max_file_store: 20480MB",
        "max_payload: 1048576",
        'ping_interval: "20s"',
        "ping_max: 2",
        'write_deadline: "10s"',
        "max_connections: 2000",
        'listen: "127.0.0.1:4300"',
        "system_account: SYS",
    ):
        assert line in text


def test_a_server_is_named_after_its_hub() -> None:
    assert server_name(SETTINGS, HUB_KEY) == f"danglian-330523-{HUB_KEY[-8:]}"
    assert server_name(SETTINGS, NODE_KEY) != server_name(SETTINGS, HUB_KEY)
