"""Courier bundles of format 1 are frozen: their bytes are read and written the same for ever."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from protocol.beats import Beat, Receipt, Want
from protocol.bundles import (
    FORMAT,
    SIGNED_PREFIX,
    Compared,
    CourierApplication,
    Delivery,
    FrameMember,
    Manifest,
    Pages,
    PagesWanted,
    Party,
    Reply,
    applied_words,
    decode_manifest,
    encode_manifest,
    hub_fingerprint,
    members_of,
)
from protocol.frames import frame_digest
from replication.bundles import read_bundle, write_bundle
from replication.keys import verified
from tests.builders import identity
from tests.golden.messages import FRAME, SITE

FOLDER = Path(__file__).with_name("bundles")
SEALED = (Path(__file__).with_name("v1.0") / "frame.sealed").read_bytes()
NODE, HUB, CODE = identity(1), identity(77), identity(9)
COUNTY = "330523000000"
AT_MS = 1_700_000_000_000

DELIVERY = Manifest(
    format=FORMAT,
    sender=Party(site=SITE, key=NODE.public_key),
    receiver=Party(site=COUNTY, key=HUB.public_key),
    serial=AT_MS,
    made_at_ms=AT_MS,
    content=Delivery(
        epoch=FRAME.epoch,
        previous=FRAME.previous,
        last=FRAME.last,
        confirmed=FRAME.previous,
        record_count=2,
        digest="2-0000000000000001-0000000000000002",
        beat=Beat(site=SITE, node=NODE.public_key, epoch=FRAME.epoch, seq=FRAME.last, records=2, at_ms=AT_MS),
    ),
    frames=(
        FrameMember(previous=FRAME.previous, last=FRAME.last, size_bytes=len(SEALED), digest=frame_digest(SEALED)),
    ),
)
REPLY = Manifest(
    format=FORMAT,
    sender=Party(site=COUNTY, key=HUB.public_key),
    receiver=Party(site=SITE, key=NODE.public_key),
    serial=AT_MS + 1,
    made_at_ms=AT_MS,
    content=Reply(
        receipt=Receipt(site=SITE, epoch=FRAME.epoch, applied=FRAME.last, chain="c0ffee", want=Want.BASELINE, at_ms=1),
        heard=AT_MS,
        heard_epoch=FRAME.epoch,
        heard_confirmed=FRAME.previous,
        compared=Compared.DIFFERENT,
        admission=b"sealed to the node",
    ),
)
FINGERPRINT = hub_fingerprint(HUB.public_key)
APPLICATION = Manifest(
    format=FORMAT,
    sender=Party(site="", key=NODE.public_key),
    receiver=Party(site="", key=""),
    serial=AT_MS,
    made_at_ms=AT_MS,
    content=CourierApplication(
        code_key=CODE.public_key,
        code_signature=CODE.sign(applied_words(NODE.public_key, FINGERPRINT)),
        hub_fingerprint=FINGERPRINT,
        name="阅览室电脑",
        home_site=SITE,
        software="danglian 0.1.0",
    ),
)
PAGES = Manifest(
    format=FORMAT,
    sender=Party(site=SITE, key=NODE.public_key),
    receiver=Party(site=COUNTY, key=HUB.public_key),
    serial=AT_MS + 2,
    made_at_ms=AT_MS,
    content=Pages(
        consignment_id=UUID("5d0e3d37-1a57-4d5e-9a77-5b1c8f1f2c11"),
        list_digest="12" * 32,
        total_bytes=2_000_000,
        first=786_432,
        last=2_000_000,
        session="0f" * 16,
        sealed_key=b"sealed to the hub",
    ),
)
"""Since 1.6."""
REPLY_TO_PAGES = msgspec.structs.replace(
    REPLY,
    content=msgspec.structs.replace(
        REPLY.content,
        pages=(
            PagesWanted(
                consignment_id=UUID("5d0e3d37-1a57-4d5e-9a77-5b1c8f1f2c11"), spans=((0, 786_432), (900_000, 2_000_000))
            ),
        ),
    ),
)
MANIFESTS = {
    "delivery": DELIVERY,
    "reply": REPLY,
    "application": APPLICATION,
    "pages": PAGES,
    "reply-to-pages": REPLY_TO_PAGES,
}


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_manifest_is_written_as_format_1_wrote_it(name: str) -> None:
    assert encode_manifest(MANIFESTS[name]) == (FOLDER / f"manifest-{name}.json").read_bytes()


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_manifest_of_format_1_is_read_whole(name: str) -> None:
    assert decode_manifest((FOLDER / f"manifest-{name}.json").read_bytes()) == MANIFESTS[name]


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_an_unknown_field_disturbs_no_reader(name: str) -> None:
    raw = (FOLDER / f"manifest-{name}.json").read_bytes().rstrip(b"\n")
    assert decode_manifest(raw[:-1] + b',"of_tomorrow":{"a":[1]}}\n') == MANIFESTS[name]


def test_a_whole_bundle_is_written_as_format_1_wrote_it(tmp_path: Path) -> None:
    """Archive headers, signature, padding and all: the container has one form."""
    write_bundle(tmp_path / "a.dlb", DELIVERY, NODE, [SEALED])
    assert (tmp_path / "a.dlb").read_bytes() == (FOLDER / "delivery.dlb").read_bytes()


def test_a_whole_bundle_of_format_1_is_read() -> None:
    bundle = read_bundle(FOLDER / "delivery.dlb")
    bundle.check({NODE.public_key}, FRAME.epoch)
    assert (bundle.manifest, list(bundle.frames())) == (DELIVERY, [SEALED])


def test_the_signature_is_over_the_prefix_and_the_manifest() -> None:
    raw = (FOLDER / "delivery.dlb").read_bytes()
    manifest = (FOLDER / "manifest-delivery.json").read_bytes()
    after = 512 + len(manifest) + -len(manifest) % 512 + 512
    signature = bytes.fromhex(raw[after : after + 128].decode("ascii"))
    assert verified(NODE.public_key, signature, SIGNED_PREFIX + manifest)


def test_pieces_of_pages_have_the_places_and_lengths_that_the_manifest_tells() -> None:
    assert list(members_of(PAGES)) == [
        ("pages/000001-786432-1572864.dlc", 786_432 + 69),
        ("pages/000002-1572864-2000000.dlc", 427_136 + 69),
    ]
