"""The manifest of a courier bundle: bounds, versions, unknown fields."""

import msgspec
import pytest

from protocol.beats import Beat, Receipt
from protocol.bundles import (
    FORMAT,
    BundleFault,
    CourierApplication,
    Delivery,
    FrameMember,
    Manifest,
    Party,
    Reply,
    decode_manifest,
    encode_manifest,
    hub_fingerprint,
    member_name,
)
from protocol.enrolment import FINGERPRINT_BYTES
from protocol.errors import BadBundle
from protocol.limits import BUNDLE_FRAMES_MAX, BUNDLE_MANIFEST_BYTES_MAX, FRAME_BYTES_MAX, SEQ_MAX

BEAT = Beat(site="330523108204", node="U1", epoch="e1", seq=9)


def member(previous: int, last: int, size_bytes: int = 100) -> FrameMember:
    return FrameMember(previous=previous, last=last, size_bytes=size_bytes, digest="0" * 64)


def manifest(*members: FrameMember, previous: int = 0, last: int | None = None, **changes: object) -> Manifest:
    end = members[-1].last if members else previous
    given: dict[str, object] = {
        "format": FORMAT,
        "sender": Party(site="330523108204", key="U1"),
        "receiver": Party(site="330523000000", key="U2"),
        "serial": 1,
        "made_at_ms": 1,
        "content": Delivery(
            epoch="e1",
            previous=previous,
            last=end if last is None else last,
            confirmed=0,
            record_count=0,
            digest="",
            beat=BEAT,
        ),
        "frames": members,
    }
    return Manifest(**(given | changes))  # type: ignore[arg-type]


def test_a_manifest_is_read_as_it_was_written() -> None:
    written = manifest(member(3, 5), member(5, 9), previous=3)
    assert decode_manifest(encode_manifest(written)) == written


@pytest.mark.parametrize(
    ("members", "previous", "last"),
    [
        ([member(3, 5)], 2, 5),
        ([member(3, 5), member(6, 9)], 3, 9),
        ([member(3, 5)], 3, 6),
        ([member(5, 5)], 5, 5),
        ([member(3, 5, FRAME_BYTES_MAX + 1)], 3, 5),
        ([member(3, 5, 0)], 3, 5),
        ([member(3, SEQ_MAX + 1)], 3, SEQ_MAX + 1),
        ([], 3, 4),
    ],
)
def test_frames_that_do_not_make_one_run_are_refused(members: list[FrameMember], previous: int, last: int) -> None:
    with pytest.raises(ValueError, match="frame"):
        manifest(*members, previous=previous, last=last)


def test_a_bundle_holds_so_many_frames_and_no_more() -> None:
    most = [member(number, number + 1) for number in range(BUNDLE_FRAMES_MAX)]
    assert len(encode_manifest(manifest(*most))) < BUNDLE_MANIFEST_BYTES_MAX
    with pytest.raises(ValueError, match="out of bounds"):
        manifest(*most, member(BUNDLE_FRAMES_MAX, BUNDLE_FRAMES_MAX + 1))


@pytest.mark.parametrize(
    "content",
    [
        Reply(receipt=Receipt(site="330523108204", epoch="e1", applied=1), admission=b"x" * 70_000),
        CourierApplication(code_key="U", code_signature=b"", hub_fingerprint=b"", name="某" * 81),
    ],
)
def test_small_contents_are_bounded(content: Reply | CourierApplication) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        manifest(content=content)


def test_only_deliveries_carry_frames() -> None:
    reply = Reply(receipt=Receipt(site="330523108204", epoch="e1", applied=1))
    with pytest.raises(ValueError, match="out of bounds"):
        manifest(member(0, 1), content=reply)


@pytest.mark.parametrize("serial", [0, -1, SEQ_MAX + 1])
def test_serial_numbers_are_bounded(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        manifest(serial=serial)


def test_a_later_format_is_told_from_damage() -> None:
    raw = encode_manifest(manifest()).replace(b"bundle 1", b"bundle 2")
    with pytest.raises(BadBundle) as caught:
        decode_manifest(raw)
    assert caught.value.fault == BundleFault.NEWER


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"format":"danglian bundle 1"}', b"\xff", b'{"format":"x"}'])
def test_what_is_no_manifest_is_refused_in_both_languages(raw: bytes) -> None:
    with pytest.raises(BadBundle) as caught:
        decode_manifest(raw)
    assert caught.value.fault == BundleFault.DAMAGED
    assert (bool(caught.value.reason.zh), bool(caught.value.hint.en)) == (True, True)


def test_a_manifest_over_the_bound_is_not_even_read() -> None:
    with pytest.raises(BadBundle, match="bytes"):
        decode_manifest(b" " * (BUNDLE_MANIFEST_BYTES_MAX + 1))


def test_an_unknown_field_disturbs_no_reader() -> None:
    """A partner one minor version newer adds fields; this one reads the rest."""
    raw = encode_manifest(manifest()).rstrip(b"\n")[:-1] + b',"of_tomorrow":{"a":[1]}}\n'
    assert decode_manifest(raw) == manifest()


def test_names_in_the_archive_say_what_they_hold() -> None:
    assert member_name(7, member(500, 1000)) == "frames/000007-500-1000.dlf"
    longest = member(SEQ_MAX - 1, SEQ_MAX)
    assert len(member_name(BUNDLE_FRAMES_MAX, longest)) < 100


def test_the_fingerprint_of_a_hub_fits_an_enrolment_code() -> None:
    assert len(hub_fingerprint("U" * 56)) == FINGERPRINT_BYTES
    assert hub_fingerprint("U" * 56) != hub_fingerprint("V" * 56)


def test_contents_are_told_apart_by_their_kind() -> None:
    assert msgspec.json.decode(encode_manifest(manifest()))["content"]["kind"] == "delivery"
