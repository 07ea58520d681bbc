"""Accounts, roles, passwords, lock-out, codes and sessions: the rules, without the web."""

import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, Inspector, create_engine, inspect, select

from hub.home import SCHEMA
from hub.staff import account_tables, accounts, administration, invitations, lockouts, one_time_codes, sessions, sign_in
from hub.staff.administration import Actor
from hub.staff.lockouts import FAILURES_FREE, FORGET_AFTER_S, WAIT_S_MAX, wait_s
from hub.staff.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Sealer, checked_password
from hub.staff.roles import GRANTED, SEPARATED, Permission, Role, checked_roles, permissions_of
from hub.staff.sessions import CODE_S, SESSION_S_MAX, SESSIONS_MAX, Stage
from hub.staff.sign_in import Caller, Refusal, TurnedAway
from protocol.errors import BadValue, Refused
from replication.database import Database
from replication.migrations import migrate
from tests.consoles import quick_sealer
from tests.stores import Store

NOW_MS = 1_790_000_000_000
ACTOR = Actor(who="guan.li", origin="10.20.0.7")


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as made:
        yield made


def administered(connection: Connection, login: str = "guan.li") -> None:
    """An administrator who can sign in."""
    made = accounts.add(connection, login, "管理员甲", (Role.ADMINISTRATOR,), NOW_MS)
    accounts.set_password(connection, made.id, "sealed", NOW_MS)


# Tables


def shape(inspector: Inspector) -> dict[str, Any]:
    names = sorted(table.name for table in account_tables.metadata.sorted_tables)
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"]), one["unique"]) for one in inspector.get_indexes(name)),
            sorted(tuple(one["constrained_columns"]) for one in inspector.get_foreign_keys(name)),
        )
        for name in names
    }


def test_the_migration_makes_the_tables_of_accounts() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection, [SCHEMA])
        migrated = shape(inspect(connection))
    engine.dispose()
    with engine.connect() as connection:
        account_tables.metadata.create_all(connection)
        expected = shape(inspect(connection))
    engine.dispose()

    assert migrated == expected


def test_the_migration_is_written_for_any_store() -> None:
    """Another store runs the same file: no types, keys or conflict clauses of one store alone."""
    sql = (SCHEMA[1] / "41-accounts.sql").read_text(encoding="utf-8")

    assert re.findall(r"(?i)\b(blob|autoincrement|integer|without rowid|or ignore|strict)\b", sql) == []


# Roles


def test_nobody_holds_two_of_the_separated_roles() -> None:
    for one in SEPARATED:
        for other in SEPARATED - {one}:
            with pytest.raises(BadValue):
                checked_roles([one, other])

    assert checked_roles([Role.ARCHIVIST, Role.CLERK, Role.REVIEWER]) == (Role.CLERK, Role.ARCHIVIST, Role.REVIEWER)


def test_no_role_is_no_account() -> None:
    with pytest.raises(BadValue):
        checked_roles([])


CATALOGUE = {
    *(Permission.SEARCH_CATALOGUE, Permission.READ_RESTRICTED, Permission.EXPORT_CATALOGUE),
    Permission.PROPOSE_CHANGES,
}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (
            Role.CLERK,
            {
                *(Permission.SEE_SITES, Permission.SEARCH_CATALOGUE),
                *(Permission.WORK_REQUESTS, Permission.PROPOSE_CHANGES),
            },
        ),
        (
            Role.ARCHIVIST,
            {
                *(Permission.SEE_SITES, Permission.ATTEND_ALARMS, Permission.DECIDE, Permission.TEND_SITES),
                *(Permission.WORK_REQUESTS, Permission.RECEIVE_TRANSFERS),
            }
            | CATALOGUE,
        ),
        (Role.REVIEWER, {Permission.SEE_SITES, Permission.APPROVE_ACCESS} | CATALOGUE),
        (
            Role.ADMINISTRATOR,
            {
                *(Permission.SEE_SITES, Permission.ATTEND_ALARMS, Permission.MANAGE_ACCOUNTS),
                *(Permission.TEND_SITES, Permission.ADMIT_SITES),
            },
        ),
        (Role.AUDITOR, {Permission.SEE_SITES, Permission.READ_AUDIT}),
    ],
)
def test_each_role_may_do_this_and_no_more(role: Role, may: set[Permission]) -> None:
    assert permissions_of([role]) == may


def test_who_reads_the_audit_log_changes_nothing() -> None:
    readers = [role for role in Role if Permission.READ_AUDIT in GRANTED[role]]

    assert [GRANTED[role] for role in readers] == [{Permission.SEE_SITES, Permission.READ_AUDIT}]


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "短" * (PASSWORD_CHARS_MIN - 1),
        "长" + "ab12" * (PASSWORD_CHARS_MAX // 4),
        "my-lin.min-2026!",
        "林敏的密码是这个啊啊",
        "138057212345",
        "aaaaaaaabbbb",
        "Password2026",
        "123admin123!!",
        "!!QwertyUiop2",
        "woaini5201314",
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadValue):
        checked_password(password, login="lin.min", name="林敏")


@pytest.mark.parametrize("password", ["山高 水长 树青 云白", "correct horse battery", "xK3#pw9!Lq2z"])
def test_good_passwords_are_taken_as_they_are(password: str) -> None:
    assert checked_password(password, login="lin.min", name="林敏") == password


async def test_a_sealed_password_opens_by_itself_alone() -> None:
    sealer = quick_sealer()
    sealed = await sealer.sealed("山高 水长 树青 云白")

    assert sealed.startswith("$argon2id$")
    assert await sealer.opens(sealed, "山高 水长 树青 云白")
    assert not await sealer.opens(sealed, "山高 水长 树青 云黑")


async def test_a_long_password_that_a_keyboard_composes_otherwise_opens_as_well() -> None:
    """A letter with its mark may come as two characters: then the same password is longer as it is typed."""
    sealer = quick_sealer()
    password = "é" * 100

    assert await sealer.opens(await sealer.sealed(password), unicodedata.normalize("NFD", password))


@pytest.mark.parametrize("meanwhile", [administration.lock, administration.reset])
async def test_nobody_comes_in_whose_account_was_taken_away_while_the_password_was_compared(
    database: Database, meanwhile: Callable[[Connection, Actor, str, int], object]
) -> None:
    """Comparing takes a tenth of a second, and more where many sign in at once."""
    sealer = quick_sealer()
    sealed = await sealer.sealed("山高 水长 树青 云白")

    def add(connection: Connection) -> None:
        administered(connection, "wu.hai")
        made = accounts.add(connection, "lin.min", "林某", (Role.CLERK,), NOW_MS)
        accounts.set_password(connection, made.id, sealed, NOW_MS)

    class Slow(Sealer):
        async def opens(self, sealed: str, password: str) -> bool:
            is_right = await super().opens(sealed, password)
            await database.write(lambda connection: meanwhile(connection, ACTOR, "lin.min", NOW_MS))
            return is_right

    await database.write(add)
    slow = Slow(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    caller = Caller(origin="10.20.0.7")
    answer = await sign_in.sign_in(database, slow, "lin.min", "山高 水长 树青 云白", caller, NOW_MS)
    begun = await database.read(lambda connection: connection.execute(select(account_tables.web_session)).all())

    assert (answer, begun) == (TurnedAway(why=Refusal.WRONG), [])


async def test_an_account_without_a_password_opens_by_none() -> None:
    sealer = quick_sealer()

    assert [await sealer.opens("", "nobody"), await sealer.opens("", ""), await sealer.opens("garbage", "x")] == [
        False,
        False,
        False,
    ]


# Lock-out


def test_the_wait_grows_and_has_a_ceiling() -> None:
    waits = [wait_s(failures) for failures in range(FAILURES_FREE + 8)]

    assert waits[:FAILURES_FREE] == [0.0] * FAILURES_FREE
    assert waits[FAILURES_FREE:] == [30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    assert wait_s(10**6) == WAIT_S_MAX


async def test_attempts_wait_after_failures_and_are_forgiven_by_success(database: Database) -> None:
    def step(connection: Connection) -> tuple[list[int], int, int, int]:
        first = [lockouts.begin_attempt(connection, "lin.min", NOW_MS) for _ in range(FAILURES_FREE + 1)]
        other = lockouts.begin_attempt(connection, "another", NOW_MS)
        later = lockouts.begin_attempt(connection, "lin.min", NOW_MS + 30_000)
        lockouts.forgive(connection, "lin.min")
        return first, other, later, lockouts.begin_attempt(connection, "lin.min", NOW_MS + 30_001)

    first, other, later, forgiven = await database.write(step)

    assert (first, other, later, forgiven) == ([0] * FAILURES_FREE + [30_000], 0, 0, 0)


async def test_asking_while_waiting_makes_the_wait_no_longer(database: Database) -> None:
    """Somebody else's hammering must not keep a colleague out for ever."""

    def step(connection: Connection) -> list[int]:
        for _ in range(FAILURES_FREE):
            lockouts.begin_attempt(connection, "lin.min", NOW_MS)
        return [lockouts.begin_attempt(connection, "lin.min", NOW_MS + at * 1000) for at in range(0, 40, 10)]

    assert await database.write(step) == [30_000, 20_000, 10_000, 0]


async def test_failures_are_forgotten_after_a_day(database: Database) -> None:
    def step(connection: Connection) -> int:
        for _ in range(FAILURES_FREE):
            lockouts.begin_attempt(connection, "lin.min", NOW_MS)
        later_ms = NOW_MS + int(FORGET_AFTER_S * 1000) + 1
        return sum(lockouts.begin_attempt(connection, "lin.min", later_ms) for _ in range(FAILURES_FREE))

    assert await database.write(step) == 0


# One-time codes


@pytest.mark.parametrize(
    ("at_s", "code"), [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
)
def test_codes_are_those_of_rfc_6238(at_s: int, code: str) -> None:
    """Appendix B, SHA-1, the last six of its eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    assert one_time_codes.step_of(secret, code, at_s * 1000) == at_s // 30


def test_a_code_counts_a_step_early_or_late_and_never_twice() -> None:
    secret, at_ms = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1_111_111_109_000
    step = at_ms // 30_000

    assert one_time_codes.step_of(secret, "081 804", at_ms + 30_000) == step
    assert one_time_codes.step_of(secret, "081804", at_ms + 60_000) is None
    assert one_time_codes.step_of(secret, "081804", at_ms, after_step=step) is None
    assert one_time_codes.step_of(secret, "", at_ms) is None


async def test_of_two_who_give_the_same_code_at_once_one_comes_in(database: Database) -> None:
    """Both found the code good before either was noted."""
    await database.write(administered)

    def twice(connection: Connection) -> list[bool]:
        one = accounts.by_login(connection, "guan.li")
        assert one is not None
        return [accounts.take_code(connection, one.id, 7), accounts.take_code(connection, one.id, 7)]

    assert await database.write(twice) == [True, False]


# Accounts


@pytest.mark.parametrize("login", ["", "a", "x" * 33, "lin min", "../etc", "<b>", "-lin", "林\u202e敏", "ｌ\x00"])
def test_logins_are_plain(login: str) -> None:
    with pytest.raises(BadValue):
        accounts.checked_login(login)


async def test_logins_are_one_whatever_their_case_and_width(database: Database) -> None:
    def step(connection: Connection) -> str:
        accounts.add(connection, "Lin.Min", "林敏", (Role.CLERK,), NOW_MS)
        found = accounts.by_login(connection, " ＬＩＮ.min ")
        with pytest.raises(BadValue):
            accounts.add(connection, "LIN.MIN", "另一人", (Role.CLERK,), NOW_MS)
        return "" if found is None else found.login

    assert await database.write(step) == "lin.min"


async def test_the_only_administrator_can_be_neither_locked_nor_given_other_roles(database: Database) -> None:
    def step(connection: Connection) -> tuple[int, int]:
        administered(connection)
        only = administration.found(connection, "guan.li")
        with pytest.raises(BadValue):
            accounts.lock(connection, only, NOW_MS)
        with pytest.raises(BadValue):
            accounts.set_roles(connection, only, (Role.CLERK,))
        administered(connection, "guan.er")
        accounts.lock(connection, only, NOW_MS)
        left = len(accounts.administrators(connection))
        return left, len(accounts.listed(connection))

    assert await database.write(step) == (1, 2)


async def test_nobody_changes_the_own_roles_or_lock(database: Database) -> None:
    def step(connection: Connection) -> int:
        administered(connection)
        administered(connection, "guan.er")
        refused = 0
        for act in (
            lambda: administration.lock(connection, ACTOR, "guan.li", NOW_MS),
            lambda: administration.set_roles(connection, ACTOR, "GUAN.LI", (Role.CLERK,), NOW_MS),
            lambda: administration.reset(connection, ACTOR, "guan.li", NOW_MS),
        ):
            try:
                act()
            except Refused:
                refused += 1
        return refused

    assert await database.write(step) == 3


async def test_a_change_of_roles_ends_the_sessions(database: Database) -> None:
    def step(connection: Connection) -> list[object]:
        made = administration.add(connection, ACTOR, "lin.min", "林敏", (Role.CLERK,), NOW_MS).account
        secret = sessions.begin(connection, made.id, Stage.FULL, "10.0.0.1", "", NOW_MS)
        before = sessions.found(connection, secret)
        administration.set_roles(connection, ACTOR, "lin.min", (Role.ARCHIVIST,), NOW_MS)
        return [before is not None, sessions.found(connection, secret)]

    assert await database.write(step) == [True, None]


# Sessions and links


async def test_a_session_ends_when_it_is_idle_and_when_it_is_old(database: Database) -> None:
    def step(connection: Connection) -> list[bool]:
        made = accounts.add(connection, "lin.min", "林敏", (Role.CLERK,), NOW_MS)
        secret = sessions.begin(connection, made.id, Stage.FULL, "", "", NOW_MS)
        session = sessions.found(connection, secret)
        assert session is not None
        half = sessions.found(connection, sessions.begin(connection, made.id, Stage.CODE, "", "", NOW_MS))
        assert half is not None
        idle = [sessions.is_over(session, NOW_MS + at_s * 1000, 1800) for at_s in (0, 1800, 1801)]
        sessions.note_use(connection, session, NOW_MS + int(SESSION_S_MAX * 1000))
        used = sessions.found(connection, secret)
        assert used is not None
        old = sessions.is_over(used, NOW_MS + int(SESSION_S_MAX * 1000) + 1, 1800)
        return [*idle, old, sessions.is_over(half, NOW_MS + int(CODE_S * 1000) + 1, 10**6)]

    assert await database.write(step) == [False, False, True, True, True]


async def test_the_secret_of_a_session_or_link_is_nowhere_in_the_store(database: Database) -> None:
    def step(connection: Connection) -> tuple[str, str]:
        made = accounts.add(connection, "lin.min", "林敏", (Role.CLERK,), NOW_MS)
        link = invitations.issue(connection, made.id, NOW_MS)
        return sessions.begin(connection, made.id, Stage.FULL, "", "", NOW_MS), link

    def every_value(connection: Connection) -> list[str]:
        tables = account_tables.metadata.sorted_tables
        return [str(value) for table in tables for row in connection.execute(select(table)) for value in row]

    secrets = await database.write(step)
    stored = "\n".join(await database.read(every_value))

    assert [secret in stored for secret in secrets] == [False, False]
    assert stored.count("\n") > 10


async def test_a_person_has_so_many_sessions_and_no_more(database: Database) -> None:
    def step(connection: Connection) -> tuple[int, bool]:
        made = accounts.add(connection, "lin.min", "林敏", (Role.CLERK,), NOW_MS)
        secrets = [
            sessions.begin(connection, made.id, Stage.FULL, "", "", NOW_MS + at) for at in range(SESSIONS_MAX + 3)
        ]
        return len(sessions.of_account(connection, made.id)), sessions.found(connection, secrets[0]) is None

    assert await database.write(step) == (SESSIONS_MAX, True)


async def test_a_link_is_good_once_for_a_day_and_only_the_newest(database: Database) -> None:
    day_ms = 24 * 3600 * 1000

    def step(connection: Connection) -> list[bool]:
        made = accounts.add(connection, "lin.min", "林敏", (Role.CLERK,), NOW_MS)
        older = invitations.issue(connection, made.id, NOW_MS)
        newer = invitations.issue(connection, made.id, NOW_MS)
        good = invitations.good(connection, newer, NOW_MS)
        assert good is not None
        seen = [
            invitations.good(connection, older, NOW_MS) is not None,
            invitations.good(connection, newer, NOW_MS + day_ms - 1) is not None,
            invitations.good(connection, newer, NOW_MS + day_ms) is not None,
            invitations.use(connection, good, NOW_MS),
            invitations.use(connection, good, NOW_MS),
        ]
        return [*seen, invitations.good(connection, newer, NOW_MS) is not None]

    assert await database.write(step) == [False, True, False, True, False, False]


async def test_the_first_link_is_void_once_there_is_an_administrator(database: Database) -> None:
    def step(connection: Connection) -> list[bool]:
        secret = invitations.issue(connection, None, NOW_MS)
        before = invitations.good(connection, secret, NOW_MS) is not None
        administered(connection)
        return [before, invitations.good(connection, secret, NOW_MS) is not None]

    assert await database.write(step) == [True, False]
