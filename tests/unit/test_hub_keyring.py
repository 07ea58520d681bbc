import asyncio
import datetime
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from hub.membership import codes, keyring
from hub.membership.codes import CodeOrder, Verdict
from hub.membership.keyring import Keyring
from hub.membership.keyring_tables import enrolment_code, metadata
from protocol.enrolment import Application, DenialCause, secret_digest, signed_words
from protocol.errors import Refused
from protocol.sites import parse_site
from replication.database import Database
from replication.dialects import is_postgres
from replication.keys import Identity, new_seed
from tests.stores import Store

NOW = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)
SITE = parse_site("330523108204")
OTHER = parse_site("330523108205")
DOOR = b"fingerprint-15b"
SECRET = b"ten bytes!"


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as found:
        yield found


def identity(number: int) -> Identity:
    return Identity(new_seed(bytes([number]) * 32))


def application(
    number: int = 1, secret: bytes = SECRET, *, site: str = "", name: str = "", signed_by: int | None = None
) -> Application:
    applicant = identity(number)
    signer = applicant if signed_by is None else identity(signed_by)
    return Application(
        secret=secret,
        public_key=applicant.public_key,
        signature=signer.sign(signed_words(secret, applicant.public_key, DOOR)),
        site=site,
        name=name,
    )


async def issue(
    database: Database, secret: bytes = SECRET, *, replaces: bool = False, name: str = "某村", days: int = 7
) -> None:
    order = CodeOrder(site=SITE, name=name, valid_days=days, replaces=replaces)
    await database.write(lambda connection: codes.issue(connection, order, secret, NOW))


async def apply(
    database: Database, applied: Application, *, after: datetime.timedelta = datetime.timedelta()
) -> Verdict | DenialCause:
    return await database.write(lambda connection: codes.admit(connection, applied, DOOR, NOW + after))


async def active(database: Database) -> list[str]:
    return [one.public_key for one in await database.read(keyring.nodes)]


async def test_the_tables_are_what_the_migration_makes(database: Database) -> None:
    def compared(connection: Connection) -> None:
        found = inspect(connection)
        binary = "BYTEA" if is_postgres(connection) else "BLOB"
        for name, table in metadata.tables.items():
            # SQLite counts its text keys as nullable, so keys are compared by name and type alone.
            made = {
                one["name"]: (
                    re.sub("INTEGER", "BIGINT", str(one["type"])).removesuffix(' COLLATE "C"'),
                    one["nullable"],
                )
                for one in found.get_columns(name)
            }
            wanted = {one.name: (str(one.type).replace("BLOB", binary), one.nullable) for one in table.columns}
            keys = {one.name for one in table.primary_key}
            assert {key: made[key][0] for key in made} == {key: wanted[key][0] for key in wanted}
            assert {key: made[key] for key in made if key not in keys} == {
                key: wanted[key] for key in wanted if key not in keys
            }
            assert {one["name"] for one in found.get_indexes(name)} == {one.name for one in table.indexes}

    await database.read(compared)


async def test_a_good_code_admits_a_node(database: Database) -> None:
    await issue(database)

    verdict = await apply(database, application(name="阅览室电脑"))

    assert isinstance(verdict, Verdict)
    assert (verdict.site, verdict.site_name, verdict.replaces, verdict.is_repeat) == (SITE, "某村", (), False)
    (node,) = await database.read(keyring.nodes)
    assert (node.site, node.name, node.public_key) == (SITE.code, "阅览室电脑", identity(1).public_key)


async def test_the_same_application_again_brings_the_same_answer(database: Database) -> None:
    """A power cut between the hub's yes and the node's notes is healed by repeating, even after the code's end."""
    await issue(database)
    await apply(database, application())

    verdict = await apply(database, application(), after=datetime.timedelta(days=30))

    assert isinstance(verdict, Verdict)
    assert verdict.is_repeat
    assert await active(database) == [identity(1).public_key]


async def test_a_used_code_is_refused_to_another_key(database: Database) -> None:
    await issue(database)
    await apply(database, application(1))

    assert await apply(database, application(2)) is DenialCause.USED_CODE


async def test_a_wrong_code_is_refused(database: Database) -> None:
    await issue(database)

    assert await apply(database, application(secret=b"other code")) is DenialCause.WRONG_CODE


async def test_a_code_ends(database: Database) -> None:
    await issue(database, days=7)
    second = datetime.timedelta(seconds=1)

    assert await apply(database, application(), after=datetime.timedelta(days=7)) is DenialCause.EXPIRED_CODE
    assert isinstance(await apply(database, application(), after=datetime.timedelta(days=7) - second), Verdict)


async def test_a_new_code_takes_the_place_of_the_one_before(database: Database) -> None:
    await issue(database, b"first code")
    await issue(database, b"other code")

    assert await apply(database, application(secret=b"first code")) is DenialCause.WRONG_CODE
    assert isinstance(await apply(database, application(secret=b"other code")), Verdict)


async def test_the_database_never_holds_the_secret(database: Database, tmp_path: Path) -> None:
    await issue(database)

    stored = await database.read(lambda found: found.execute(enrolment_code.select()).one().secret_digest)

    assert stored == secret_digest(SECRET)
    assert all(SECRET not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("signed_by", [2, 3])
async def test_a_key_that_the_applicant_does_not_hold_is_refused(database: Database, signed_by: int) -> None:
    await issue(database)

    assert await apply(database, application(1, signed_by=signed_by)) is DenialCause.BAD_APPLICATION


async def test_an_application_made_for_another_hub_is_refused(database: Database) -> None:
    await issue(database)

    verdict = await database.write(lambda found: codes.admit(found, application(), b"another hub 15b", NOW))

    assert verdict is DenialCause.BAD_APPLICATION


async def test_a_home_of_another_site_keeps_the_code_good(database: Database) -> None:
    await issue(database)

    assert await apply(database, application(site=OTHER.code)) is DenialCause.OTHER_SITE
    assert isinstance(await apply(database, application(site=SITE.code)), Verdict)


async def test_a_site_with_a_node_gets_no_code_by_accident(database: Database) -> None:
    await issue(database)
    await apply(database, application())

    with pytest.raises(Refused) as raised:
        await issue(database, b"other code")

    assert "--replace" in raised.value.hint.zh


async def test_a_code_that_was_open_when_the_site_got_a_node_is_refused(database: Database) -> None:
    """Two codes for one site cannot come about by commands, but the check does not rely on that."""
    await issue(database)
    order = CodeOrder(site=OTHER, valid_days=7)
    await database.write(lambda found: codes.issue(found, order, b"other code", NOW))
    await database.write(
        lambda found: (
            found.execute(
                enrolment_code.update().where(enrolment_code.c.site == OTHER.code).values(site=SITE.code)
            ).rowcount
        )
    )
    await apply(database, application(1))

    assert await apply(database, application(2, b"other code")) is DenialCause.SITE_HAS_NODE


async def test_a_replacing_code_cuts_the_old_node_off_when_it_is_used_not_before(database: Database) -> None:
    await issue(database)
    await apply(database, application(1))
    await issue(database, b"other code", replaces=True)
    assert await active(database) == [identity(1).public_key]

    verdict = await apply(database, application(2, b"other code"))

    assert isinstance(verdict, Verdict)
    assert verdict.replaces == (identity(1).public_key,)
    assert await active(database) == [identity(2).public_key]
    old = await database.read(lambda found: keyring.node(found, identity(1).public_key))
    assert old is not None
    assert old.revoked_because == codes.REPLACED


async def test_a_revoked_key_never_comes_back(database: Database) -> None:
    await issue(database)
    await apply(database, application(1))
    await database.write(lambda found: keyring.revoke(found, [identity(1).public_key], 5, "stolen"))
    await issue(database, b"other code")

    assert await apply(database, application(1, b"other code")) is DenialCause.SPENT_KEY
    assert await apply(database, application(1)) is DenialCause.SPENT_KEY


async def test_revoking_again_keeps_the_first_date_and_reason(database: Database) -> None:
    await issue(database)
    await apply(database, application(1))
    key = identity(1).public_key

    first = await database.write(lambda found: keyring.revoke(found, [key], 5, "stolen"))
    again = await database.write(lambda found: keyring.revoke(found, [key], 6, "moved"))

    node = await database.read(lambda found: keyring.node(found, key))
    assert node is not None
    assert (first, again, node.revoked_at_ms, node.revoked_because) == (1, 0, 5, "stolen")


async def test_one_code_admits_one_of_many_who_try_at_once(database: Database) -> None:
    await issue(database)

    verdicts = await asyncio.gather(*(apply(database, application(number)) for number in range(1, 20)))

    assert sum(isinstance(verdict, Verdict) for verdict in verdicts) == 1
    assert len(await active(database)) == 1


async def test_names_from_outside_are_made_fit_for_a_terminal(database: Database) -> None:
    await issue(database)

    await apply(database, application(name="电脑\x1b[2J\x07\u202e\n甲"))

    (node,) = await database.read(keyring.nodes)
    assert node.name == "电脑[2J甲"


async def test_issuing_a_code_expects_the_site(database: Database) -> None:
    await issue(database, name="旧名")
    await issue(database, b"other code", name="新名")
    await issue(database, b"third code", name="")

    (site,) = await database.read(keyring.expected_sites)

    assert (site.site, site.name, site.expected_since) == (SITE.code, "新名", NOW.date())


async def test_open_codes_are_listed_without_their_secret(database: Database) -> None:
    await issue(database)
    now_ms = int(NOW.timestamp() * 1000)

    (code,) = await database.read(lambda found: codes.open_codes(found, now_ms))
    later = await database.read(lambda found: codes.open_codes(found, now_ms + 8 * 86_400_000))
    await apply(database, application())
    used = await database.read(lambda found: codes.open_codes(found, now_ms))

    assert (code.site, code.site_name, code.replaces, later, used) == (SITE.code, "某村", False, [], [])


async def test_the_keyring_in_memory_follows_at_refresh(database: Database) -> None:
    ring = Keyring(database)
    assert not await ring.refresh()
    await issue(database)
    await apply(database, application())
    assert ring.keys_of(SITE) == frozenset()

    assert await ring.refresh()
    assert not await ring.refresh()

    assert ring.keys_of(SITE) == {identity(1).public_key}
    assert ring.keys_of(OTHER) == frozenset()
    assert ring.users == [(identity(1).public_key, SITE)]


async def test_the_keyring_sees_what_another_process_wrote(database: Database, store: Store) -> None:
    ring = Keyring(database)
    async with store.opened() as beside:
        await issue(beside)
        await apply(beside, application())

    assert await ring.refresh()
    assert ring.keys_of(SITE) == {identity(1).public_key}


async def test_names_of_sites_come_in_the_order_of_their_codes_whatever_stands_in_them(database: Database) -> None:
    named = {OTHER.code: "横路村“新”档案室", SITE.code: '大溪村 "档案室"\n二楼'}

    def expect(connection: Connection) -> None:
        for code, name in named.items():
            keyring.expect(connection, parse_site(code), name, NOW.date())

    before = await database.read(keyring.site_names)
    await database.write(expect)
    after = await database.read(keyring.site_names)

    assert (before, list(after.items())) == ({}, sorted(named.items()))
