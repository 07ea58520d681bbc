"""The golden messages of transfers between two sites, protocol 1.5."""

import datetime
from uuid import UUID

import msgspec

from protocol.relays import PassQuestion, RelayedStep, Vouched
from protocol.transfers import Nature, Opened, Party, SealedStep, Side, Step, Submitted

TRANSFER = UUID(int=7)
VILLAGE, TOWN = "330523108204", "330523108000"
VOUCHED = Vouched(transfer=TRANSFER, digest="ab" * 32, site=VILLAGE, keys=("UKEYA", "UKEYB"))

RELAY_MESSAGES: dict[str, msgspec.Struct] = {
    "relay-opened-hosted": Step(
        transfer=TRANSFER,
        side=Side.GIVER,
        number=1,
        at_ms=1_800_000_000_000,
        by="keeper",
        what=Opened(
            title="2011 年文书档案",
            nature=Nature.DELEGATED_CUSTODY,
            giver=Party(site=VILLAGE, name="某村"),
            receiver=TOWN,
            copy_kept_until=datetime.date(2031, 12, 31),
            host=TOWN,
        ),
    ),
    "relay-submitted-by-disk": Step(
        transfer=TRANSFER,
        side=Side.GIVER,
        number=3,
        previous="cd" * 32,
        what=Submitted(round=1, consignment=UUID(int=9), manifest="ef" * 32, list_digest="01" * 32, by_disk=True),
    ),
    "relay-vouched": VOUCHED,
    "relay-relayed": RelayedStep(
        sealed=SealedStep(step=b"{}", key="UKEYA", seal=b"s" * 64), vouched=msgspec.json.encode(VOUCHED), seal=b"h" * 64
    ),
    "relay-question": PassQuestion(
        question="0123456789abcdef",
        site=TOWN,
        key="UKEYT",
        transfer=TRANSFER,
        round=2,
        offset=262144,
        size_bytes=262144,
    ),
}
