"""``danglian-hub user`` and ``audit``: run as a person runs them."""

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from hub.__main__ import main
from hub.config import parse
from hub.home import SCHEMA
from hub.staff.oidc_provider import provider_of
from hub.staff.oidc_settings import OidcSettings
from hub.storage.store import URL_VARIABLE
from protocol.errors import BadSetting
from replication.migrations import REPLICATION, migrate
from tests.stores import PostgresStore

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    words = ["init", "--home", str(folder), "--county", "330523000000", "--name", "某县档案馆", "--host", "127.0.0.1"]
    assert main([*words, "--web-port", "4999"]) == 0
    engine = create_engine(f"sqlite:///{folder / 'hub.db'}")
    with engine.begin() as connection:
        migrate(connection, [REPLICATION, SCHEMA])
    engine.dispose()
    return folder


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*arguments, "--home", str(home)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_user_add_prints_a_link_and_no_password(command: Command) -> None:
    code, out, _ = command("user", "add", "lin.min", "--name", "林敏", "--role", "archivist")
    listed = json.loads(command("user", "list", "--json")[1])["accounts"]

    assert (code, bool(re.search(r"http://127\.0\.0\.1:4999/set-up/[\w-]{32}\n", out))) == (0, True)
    assert [(one["login"], one["roles"], one["has_password"]) for one in listed] == [("lin.min", ["archivist"], False)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "lin.min", "--name", "另一人", "--role", "clerk"),
        ("add", "x", "--name", "林敏", "--role", "clerk"),
        ("add", "shen.ji", "--name", "审计", "--role", "auditor", "--role", "administrator"),
        ("role", "lin.min", "reviewer", "auditor"),
        ("lock", "nobody"),
        ("reset", "nobody"),
    ],
)
def test_what_is_not_allowed_is_refused_with_advice(command: Command, arguments: tuple[str, ...]) -> None:
    command("user", "add", "lin.min", "--name", "林敏", "--role", "archivist")
    code, _, err = command("user", *arguments)

    assert (code, "处理办法" in err) == (2, True)


def test_roles_locks_and_resets_are_done_and_noted(command: Command) -> None:
    command("user", "add", "lin.min", "--name", "林敏", "--role", "archivist")
    changed = json.loads(command("user", "role", "lin.min", "clerk", "reviewer", "--json")[1])
    locked = command("user", "lock", "lin.min")[0]
    seen = command("user", "list")[1]
    unlocked = command("user", "lock", "lin.min", "--off")[0]
    link = json.loads(command("user", "reset", "lin.min", "--json")[1])["link"]
    verdict = json.loads(command("audit", "verify", "--json")[1])

    assert (changed["roles"], locked, unlocked) == (["clerk", "reviewer"], 0, 0)
    assert ("已停用" in seen, link.startswith("http://127.0.0.1:4999/set-up/"), verdict["lines"]) == (True, True, 5)


def test_audit_verify_finds_what_was_changed_and_what_is_missing_at_the_end(command: Command, home: Path) -> None:
    for login in ("lin.min", "wang.wu"):
        command("user", "add", login, "--name", "某人", "--role", "clerk")
    whole, told, _ = command("audit", "verify")
    head = told.split()[-1]
    with closing(sqlite3.connect(home / "hub.db")) as raw:
        raw.execute("DELETE FROM audit_line WHERE seq = 2")
        raw.commit()
    shorter = [command("audit", "verify")[0], command("audit", "verify", "--expect", head)[0]]
    with closing(sqlite3.connect(home / "hub.db")) as raw:
        raw.execute("UPDATE audit_line SET who = 'x'")
        raw.commit()
    broken = command("audit", "verify")[0]

    assert (whole, shorter, broken, command("audit", "verify", "--expect", "x")[0]) == (0, [0, 1], 1, 2)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ('port = 4225\nhost = "0.0.0.0"', "web.tls"),
        ('port = 4225\ntls = "files"', "web.certificate"),
        ('port = 4225\naddress = "archive.example"', "web.address"),
        ('port = 4225\ntrusted-proxies = ["somewhere"]', "web.trusted-proxies"),
        ("port = 70000", "web.port"),
        ("idle-minutes = 1", "web.idle-minutes"),
        ('tls = "maybe"', "web.tls"),
    ],
)
def test_a_console_that_would_be_unsafe_is_refused_by_name(setting: str, named: str) -> None:
    """Above all one whose passwords would cross the network in the clear."""
    with pytest.raises(BadSetting) as refused:
        parse(f'county = "330523000000"\nname = "某县"\n[web]\n{setting}\n')

    assert named in refused.value.reason.en


@pytest.mark.parametrize("more", ['tls = "county"', 'tls = "proxy"', 'tls = "files"\ncertificate = "a"\nkey = "b"'])
def test_a_console_for_the_intranet_has_tls(more: str) -> None:
    web = parse(f'county = "330523000000"\nname = "某县"\n[web]\nport = 4225\nhost = "10.20.0.5"\n{more}\n').web

    assert (web.url, web.is_secret) == ("https://10.20.0.5:4225", True)


@pytest.mark.slow
def test_accounts_and_the_audit_log_are_those_of_the_catalogue_on_postgresql(
    command: Command, postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that has moved keeps nothing in its old file: a colleague added there could never sign in."""
    monkeypatch.setenv(URL_VARIABLE, postgres_store.url)
    command("user", "add", "lin.min", "--name", "林敏", "--role", "archivist")
    listed = json.loads(command("user", "list", "--json")[1])["accounts"]
    verdict = command("audit", "verify", "--json")
    monkeypatch.delenv(URL_VARIABLE)
    in_file = json.loads(command("user", "list", "--json")[1])["accounts"]

    assert ([one["login"] for one in listed], in_file) == (["lin.min"], [])
    assert (verdict[0], json.loads(verdict[1])["lines"]) == (0, 1)


# Sign-in by a provider


def test_a_subject_is_linked_listed_and_unlinked(command: Command, home: Path) -> None:
    command("user", "add", "lin.min", "--name", "林敏", "--role", "clerk")
    without = command("user", "link", "lin.min", "7f1c-42")
    settings = home / "hub.toml"
    table = '[web.oidc]\nissuer = "https://sso.example"\nclient-id = "x"\nclient-secret-file = "keys/oidc.secret"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + "\n" + table, encoding="utf-8")
    linked = command("user", "link", "lin.min", "7f1c-42")
    twice = command("user", "link", "lin.min", "7f1c-42")
    listed = json.loads(command("user", "links", "--json")[1])["links"]
    shown = command("user", "links")[1]
    unlinked = command("user", "unlink", "lin.min")
    gone = command("user", "unlink", "lin.min")

    assert (without[0], "[web.oidc]" in without[2]) == (2, True)
    assert [one[0] for one in (linked, twice, unlinked, gone)] == [0, 2, 0, 2]
    assert [(one["login"], one["link"]["subject"]) for one in listed] == [("lin.min", "7f1c-42")]
    assert "https://sso.example" in shown


def test_a_hub_does_not_start_with_a_secret_it_cannot_read(tmp_path: Path) -> None:
    settings = OidcSettings(issuer="https://sso.example", client_id="x", client_secret_file="keys/oidc.secret")
    with pytest.raises(BadSetting, match=r"client-secret-file"):
        provider_of(settings, tmp_path, time.monotonic)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "oidc.secret").write_text("\n", encoding="utf-8")
    with pytest.raises(BadSetting, match=r"empty"):
        provider_of(settings, tmp_path, time.monotonic)
    (tmp_path / "keys" / "oidc.secret").write_text("s3cret\n", encoding="utf-8")

    assert provider_of(settings, tmp_path, time.monotonic) is not None
    assert provider_of(None, tmp_path, time.monotonic) is None


@pytest.mark.parametrize("arguments", [("user", "list"), ("user", "links"), ("token", "list")])
def test_lists_wait_for_nobody_who_writes(command: Command, home: Path, arguments: tuple[str, ...]) -> None:
    """A look changes nothing, so a hub in the middle of a long write does not keep anybody waiting."""
    with closing(sqlite3.connect(home / "hub.db", isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        code, _, told = command(*arguments)

    assert (code, told) == (0, "")
