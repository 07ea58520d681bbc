"""Enrolment by courier: the code opens the county once, for whoever holds it, and nothing on the stick does."""

import datetime
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hub.membership import codes, keyring
from hub.membership.codes import CodeOrder
from hub.sites.board import Word
from node import config, courier_enrolment
from node.courier_enrolment import PENDING, admitted, apply, pending_in
from node.enrolment import Installation
from node.home import NodeHome, home_at
from protocol.bundles import BundleFault, CourierApplication, Party, Reply, applied_words, hub_fingerprint
from protocol.enrolment import EnrolmentCode
from protocol.errors import BadBundle, BadSetting, BadValue
from protocol.sites import parse_site
from replication.bundles import read_bundle
from replication.carriage import Outcome
from replication.county_key import read_county_key
from replication.courier_codes import code_identity, is_proven, opened_admission
from replication.keys import load_identity, sealed_for
from tests.builders import identity
from tests.couriers import HUB_KEY, CountyEnd, county_end, rewritten
from tests.node_site import CODE

SECRET = b"ten bytes!"
NOW_MS = 1_700_000_000_000


@pytest.fixture
async def county(tmp_path: Path) -> AsyncIterator[CountyEnd]:
    async with county_end(tmp_path / "county") as end:
        yield end


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> NodeHome:
    return home_at(tmp_path / "home")


async def issued(
    county: CountyEnd, *, secret: bytes = SECRET, days: int = 30, replaces: bool = False, by_courier: bool = True
) -> EnrolmentCode:
    now = datetime.datetime.fromtimestamp(county.now_ms / 1000, datetime.UTC)
    order = CodeOrder(site=parse_site(CODE), name="某村", valid_days=days, replaces=replaces, by_courier=by_courier)
    await county.database.write(lambda c: codes.issue(c, order, secret, now))
    return EnrolmentCode(secret=secret, fingerprint=hub_fingerprint(HUB_KEY.public_key))


def applied(home: NodeHome, code: EnrolmentCode, stick: Path, now_ms: int = NOW_MS) -> Path:
    return Path(apply(home, code, Installation(name="阅览室"), stick, os.urandom, now_ms).file)


async def answered(home: NodeHome, county: CountyEnd, stick: Path) -> Path:
    """Apply, be admitted, and return the reply."""
    await county.take(applied(home, await issued(county), stick))
    return await county.reply(stick)


def take_admission(home: NodeHome, path: Path) -> str:
    pending = pending_in(home)
    assert pending is not None
    manifest = read_bundle(path).manifest
    assert isinstance(manifest.content, Reply)
    return admitted(home, pending, manifest, manifest.content).admission.site


async def test_application_and_admission_make_a_node(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    taken = await county.take(applied(home, await issued(county), stick))
    assert (taken.outcome, taken.site) == (Outcome.ADMITTED, CODE)
    assert (await county.line()).word is Word.BY_COURIER
    assert take_admission(home, await county.reply(stick)) == CODE
    settings = config.load(home.settings)
    assert (settings.site, settings.name, settings.hub.key) == (CODE, "某村", HUB_KEY.public_key)
    assert read_county_key(home.county_key) == b"k" * 32
    assert not (home.root / PENDING).exists()
    (node,) = await county.database.read(keyring.nodes)
    assert (node.public_key, node.name) == (load_identity(home.seed).public_key, "阅览室")


async def test_nothing_on_the_stick_opens_the_county(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    """The stick may be lost on the way: neither the code nor the county's secret can be read from it."""
    code = await issued(county)
    await county.take(applied(home, code, stick))
    await county.reply(stick)
    carried = b"".join(path.read_bytes() for path in stick.iterdir())
    for secret in (SECRET, SECRET.hex().encode(), code.written.encode(), b"k" * 32, b"a2tra2tr"):
        assert secret not in carried


async def test_a_finder_of_the_stick_cannot_apply_with_what_is_on_it(
    county: CountyEnd, home: NodeHome, stick: Path
) -> None:
    """What the code signed is bound to the applicant's key: another key with the same words is turned down."""
    path = applied(home, await issued(county), stick)
    thief = identity(6)
    stolen = rewritten(path, thief, sender=Party(site="", key=thief.public_key))
    with pytest.raises(BadBundle, match="signature does not hold") as caught:
        await county.take(stolen)
    assert caught.value.fault == BundleFault.DENIED
    assert await county.database.read(keyring.nodes) == []


async def test_a_guessed_code_is_turned_down(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    await issued(county)
    guess = EnrolmentCode(secret=b"ten bytes?", fingerprint=hub_fingerprint(HUB_KEY.public_key))
    with pytest.raises(BadBundle, match="does not know this code"):
        await county.take(applied(home, guess, stick))
    assert await county.database.read(keyring.nodes) == []


async def test_a_code_for_the_line_is_no_code_for_the_courier(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    code = await issued(county, by_courier=False)
    with pytest.raises(BadBundle, match="does not know this code"):
        await county.take(applied(home, code, stick))


async def test_a_code_is_good_once_and_its_application_again_and_again(
    county: CountyEnd, home: NodeHome, stick: Path, tmp_path: Path
) -> None:
    code = await issued(county)
    path = applied(home, code, stick)
    await county.take(path)
    assert (await county.take(path)).outcome is Outcome.REPEATED
    assert (await county.take(applied(home, code, stick, NOW_MS + 5000))).outcome is Outcome.REPEATED
    with pytest.raises(BadBundle, match="another installation has used this code"):
        await county.take(applied(home_at(tmp_path / "other"), code, stick, NOW_MS + 9000))
    assert len(await county.database.read(keyring.nodes)) == 1


async def test_an_expired_code_is_turned_down(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    path = applied(home, await issued(county, days=1), stick)
    county.now_ms += 2 * 24 * 3600 * 1000
    with pytest.raises(BadBundle, match="has expired"):
        await county.take(path)


async def test_a_new_pc_takes_the_place_of_the_old_one(
    county: CountyEnd, home: NodeHome, stick: Path, tmp_path: Path
) -> None:
    await answered(home, county, stick)
    code = await issued(county, secret=b"new secret", replaces=True)
    new_home = home_at(tmp_path / "new")
    taken = await county.take(applied(new_home, code, stick, NOW_MS + 5000))
    assert taken.outcome is Outcome.ADMITTED
    (node,) = await county.database.read(keyring.nodes)
    assert node.public_key == load_identity(new_home.seed).public_key


async def test_an_application_to_another_county_is_refused(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    code = msgspec.structs.replace(await issued(county), fingerprint=hub_fingerprint(identity(78).public_key))
    with pytest.raises(BadBundle) as caught:
        await county.take(applied(home, code, stick))
    assert caught.value.fault == BundleFault.FOREIGN_HUB


async def test_a_false_hub_cannot_admit_a_node(county: CountyEnd, home: NodeHome, stick: Path) -> None:
    """The code names the hub's key: another one's signature is no admission, however well it is sealed."""
    reply = await answered(home, county, stick)
    false_hub = identity(78)
    forged = rewritten(reply, false_hub, sender=Party(site="330523000000", key=false_hub.public_key))
    with pytest.raises(BadBundle, match="does not answer"):
        take_admission(home, forged)
    assert not home.settings.exists()
    assert not home.county_key.exists()


async def test_an_admission_for_another_pc_is_refused(
    county: CountyEnd, home: NodeHome, stick: Path, tmp_path: Path
) -> None:
    reply = await answered(home, county, stick)
    other = home_at(tmp_path / "other")
    applied(other, EnrolmentCode(secret=b"other code", fingerprint=hub_fingerprint(HUB_KEY.public_key)), stick)
    with pytest.raises(BadBundle, match="does not answer"):
        take_admission(other, reply)
    assert not other.settings.exists()


async def test_the_admission_can_be_taken_again_after_a_power_cut(
    county: CountyEnd, home: NodeHome, stick: Path
) -> None:
    reply = await answered(home, county, stick)
    waiting = (home.root / PENDING).read_bytes()
    take_admission(home, reply)
    text = home.settings.read_text(encoding="utf-8") + "# 手工修改\n"
    home.settings.write_text(text, encoding="utf-8")
    (home.root / PENDING).write_bytes(waiting)
    assert take_admission(home, reply) == CODE
    assert home.settings.read_text(encoding="utf-8") == text


def test_a_sealed_admission_opens_for_its_node_only() -> None:
    envelope = sealed_for(identity(1).public_key, b"words")
    assert identity(1).opened(envelope) == b"words"
    for key, spoilt in ((identity(2), envelope), (identity(1), envelope[:-1]), (identity(1), b"")):
        with pytest.raises(BadValue):
            key.opened(spoilt)
    with pytest.raises(BadValue):
        opened_admission(sealed_for(identity(1).public_key, b"{}\n"), identity(1))


def test_the_proof_is_bound_to_node_hub_and_code() -> None:
    key = code_identity(SECRET)
    application = CourierApplication(
        code_key=key.public_key, code_signature=key.sign(applied_words("U1", b"h" * 15)), hub_fingerprint=b"h" * 15
    )
    assert is_proven(application, "U1")
    assert not is_proven(application, "U2")
    assert not is_proven(msgspec.structs.replace(application, hub_fingerprint=b"x" * 15), "U1")
    assert not is_proven(msgspec.structs.replace(application, code_key=identity(2).public_key), "U1")


def test_a_damaged_note_asks_for_a_new_application(home: NodeHome) -> None:
    home.root.mkdir(parents=True)
    (home.root / PENDING).write_bytes(b"{")
    with pytest.raises(BadSetting, match="cannot read"):
        pending_in(home)
    assert courier_enrolment.pending_in(home_at(home.root / "none")) is None


async def test_the_folder_that_was_chosen_is_watched(
    county: CountyEnd, home: NodeHome, stick: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "目录"
    with pytest.raises(BadSetting, match="no such folder"):
        apply(home, await issued(county), Installation(folder=folder), stick, os.urandom, NOW_MS)
    folder.mkdir()
    code = await issued(county)
    await county.take(Path(apply(home, code, Installation(folder=folder), stick, os.urandom, NOW_MS).file))
    take_admission(home, await county.reply(stick))
    (watched,) = config.load(home.settings).folders
    assert watched.path == str(folder)
