"""Courier bundles as files: plain archives, whole or not at all, and no wrong byte gets by."""

import errno
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.beats import Beat
from protocol.bundles import FORMAT, BundleFault, Delivery, FrameMember, Manifest, Party, encode_manifest, member_name
from protocol.codec import encode_event
from protocol.errors import BadBundle, Retryable, StorageFull
from protocol.frames import Frame, frame_digest
from replication import bundles
from replication.bundles import Bundle, read_bundle, write_bundle
from replication.outbox import Position, groups
from replication.seal import unseal
from tests.builders import VILLAGE, described, frame_writer, identity

NODE = identity(1)
HUB = identity(77)


def frames(count: int, events: int = 1) -> list[bytes]:
    """Sealed frames of one epoch, one after the other."""
    made: list[bytes] = []
    position = Position(epoch="e1", seq=0, chain="")
    for _ in range(count):
        seqs = range(position.seq + 1, position.seq + 1 + events)
        (group,) = groups([encode_event(described(seq=seq)) for seq in seqs])
        made.append(frame_writer().frame(position, seqs[-1], group))
        position = Position(epoch="e1", seq=seqs[-1], chain=frame_digest(made[-1]))
    return made


def manifest(sealed: list[bytes], **changes: object) -> Manifest:
    members = tuple(
        FrameMember(previous=number, last=number + 1, size_bytes=len(one), digest=frame_digest(one))
        for number, one in enumerate(sealed)
    )
    beat = Beat(site=VILLAGE.code, node=NODE.public_key, epoch="e1", seq=len(sealed))
    given = {
        "format": FORMAT,
        "sender": Party(site=VILLAGE.code, key=NODE.public_key),
        "receiver": Party(site="330523000000", key=HUB.public_key),
        "serial": 1_790_000_000_000,
        "made_at_ms": 1_790_000_000_000,
        "content": Delivery(
            epoch="e1", previous=0, last=len(sealed), confirmed=0, record_count=0, digest="0-0-0", beat=beat
        ),
        "frames": members,
    }
    return Manifest(**(given | changes))  # type: ignore[arg-type]


@pytest.fixture
def sealed() -> list[bytes]:
    return frames(3)


@pytest.fixture
def bundle(tmp_path: Path, sealed: list[bytes]) -> Bundle:
    write_bundle(tmp_path / "a.dlb", manifest(sealed), NODE, sealed)
    return read_bundle(tmp_path / "a.dlb")


def whole(path: Path) -> list[bytes]:
    """Read a bundle as a command does: everything is checked before anything is used."""
    found = read_bundle(path)
    found.check({NODE.public_key}, "e1")
    return list(found.frames())


def test_what_was_written_is_read(bundle: Bundle, sealed: list[bytes]) -> None:
    bundle.check({NODE.public_key}, "e1")
    assert (bundle.manifest, list(bundle.frames()), list(bundle.frames(2))) == (manifest(sealed), sealed, sealed[2:])
    assert bundle.path.stat().st_size == bundle.size_bytes


def test_any_tar_program_unpacks_a_bundle(bundle: Bundle, sealed: list[bytes], tmp_path: Path) -> None:
    """The format outlives this program: a person with tar and zstd can read everything in it."""
    with tarfile.open(bundle.path, "r:") as archive:
        names = archive.getnames()
        contents = [_content(archive, name) for name in names]
    assert names[:2] == ["manifest.json", "manifest.sig"]
    assert names[2:] == [member_name(number, one) for number, one in enumerate(bundle.manifest.frames, 1)]
    assert contents[2:] == sealed
    assert b'"format":"danglian bundle 1"' in contents[0]


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def test_no_byte_can_be_changed_unnoticed(tmp_path: Path) -> None:
    """A stick forgets single bits; each of them must be seen before anything is taken."""
    short = frames(1)
    write_bundle(tmp_path / "short.dlb", manifest(short), NODE, short)
    original = (tmp_path / "short.dlb").read_bytes()
    path = tmp_path / "changed.dlb"
    unnoticed = []
    for place in range(len(original)):
        changed = bytearray(original)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            whole(path)
        except BadBundle:
            continue
        unnoticed.append(place)
    assert unnoticed == []


def test_no_length_but_the_whole_one_is_taken(tmp_path: Path, bundle: Bundle) -> None:
    original = bundle.path.read_bytes()
    path = tmp_path / "cut.dlb"
    faults = set()
    for length in [*range(0, len(original), 97), len(original) - 1]:
        path.write_bytes(original[:length])
        with pytest.raises(BadBundle) as caught:
            whole(path)
        faults.add(caught.value.fault)
    assert faults == {BundleFault.INCOMPLETE}
    path.write_bytes(original + b"\0")
    with pytest.raises(BadBundle, match="goes on after its end"):
        whole(path)


def test_members_that_change_places_are_noticed(tmp_path: Path, sealed: list[bytes]) -> None:
    """A right signature over the right list does not help frames that stand in another order."""
    path = tmp_path / "swapped.dlb"
    said = manifest(sealed)
    file = io.BytesIO()
    pieces = list(bundles._written(said, encode_manifest(said), NODE, sealed))
    pieces[6:9], pieces[9:12] = pieces[9:12], pieces[6:9]
    file.writelines(pieces)
    path.write_bytes(file.getvalue())
    with pytest.raises(BadBundle):
        whole(path)


def test_a_manifest_that_somebody_else_signed_is_refused(tmp_path: Path, sealed: list[bytes]) -> None:
    write_bundle(tmp_path / "forged.dlb", manifest(sealed), identity(2), sealed)
    with pytest.raises(BadBundle) as caught:
        read_bundle(tmp_path / "forged.dlb")
    assert caught.value.fault == BundleFault.DAMAGED


def test_frames_of_a_foreign_key_are_refused_before_anything_is_taken(bundle: Bundle) -> None:
    with pytest.raises(BadBundle) as caught:
        bundle.check({identity(2).public_key}, "e1")
    assert caught.value.fault == BundleFault.UNKNOWN_KEY


def test_frames_of_another_epoch_than_the_delivery_names_are_refused(bundle: Bundle) -> None:
    with pytest.raises(BadBundle, match="not what the manifest says"):
        bundle.check({NODE.public_key}, "e2")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(600), "目录".encode() * 400, bytes(1024)])
def test_another_file_is_told_from_a_bundle(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.dlb"
    path.write_bytes(content)
    with pytest.raises(BadBundle) as caught:
        read_bundle(path)
    assert caught.value.fault in (BundleFault.NOT_A_BUNDLE, BundleFault.INCOMPLETE)


def test_a_bundle_of_a_later_format_asks_for_an_upgrade(tmp_path: Path, sealed: list[bytes]) -> None:
    write_bundle(tmp_path / "new.dlb", manifest(sealed, format="danglian bundle 2"), NODE, sealed)
    with pytest.raises(BadBundle, match="later format") as caught:
        read_bundle(tmp_path / "new.dlb")
    assert (caught.value.fault, "Upgrade" in caught.value.hint.en) == (BundleFault.NEWER, True)


def test_a_stick_that_is_pulled_out_while_writing_leaves_nothing_behind(tmp_path: Path, sealed: list[bytes]) -> None:
    def pulled() -> Iterator[bytes]:
        yield sealed[0]
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(Retryable, match="no half bundle is left"):
        write_bundle(tmp_path / "a.dlb", manifest(sealed), NODE, pulled())
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_of_the_same_name_stays_whole_until_the_new_one_is(tmp_path: Path, sealed: list[bytes]) -> None:
    target = tmp_path / "a.dlb"
    write_bundle(target, manifest(sealed), NODE, sealed)
    before = target.read_bytes()

    def pulled() -> Iterator[bytes]:
        yield sealed[0]
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(Retryable):
        write_bundle(target, manifest(sealed, serial=5), NODE, pulled())
    assert target.read_bytes() == before


def test_a_stick_without_room_is_refused_before_a_byte_is_written(
    tmp_path: Path, sealed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    with pytest.raises(StorageFull, match="MiB are needed"):
        write_bundle(tmp_path / "a.dlb", manifest(sealed), NODE, sealed)
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_is_not_there_is_told_in_words(tmp_path: Path, sealed: list[bytes]) -> None:
    with pytest.raises(Retryable, match="cannot write") as caught:
        write_bundle(tmp_path / "E" / "a.dlb", manifest(sealed), NODE, sealed)
    assert "U 盘" in caught.value.hint.zh
    with pytest.raises(Retryable, match="cannot read"):
        read_bundle(tmp_path / "E" / "a.dlb")


def test_writing_other_frames_than_the_manifest_names_fails(tmp_path: Path, sealed: list[bytes]) -> None:
    with pytest.raises(ValueError, match="not the one"):
        write_bundle(tmp_path / "a.dlb", manifest(sealed), NODE, [sealed[1], sealed[0], sealed[2]])
    assert list(tmp_path.iterdir()) == []


def test_progress_tells_every_byte(tmp_path: Path, sealed: list[bytes]) -> None:
    told: list[int] = []
    size = write_bundle(tmp_path / "a.dlb", manifest(sealed), NODE, sealed, told.append)
    assert sum(told) == size == (tmp_path / "a.dlb").stat().st_size


def test_a_sealed_frame_in_a_bundle_is_the_one_of_the_wire(sealed: list[bytes]) -> None:
    """One frame, one signature, whichever way it goes."""
    assert isinstance(unseal(sealed[0], {NODE.public_key}), Frame)
