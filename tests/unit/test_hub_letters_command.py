"""``danglian-hub letters``: what waits and what was set aside, without what the letters say."""

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection

from hub.__main__ import main
from hub.home import SCHEMA, home_at
from protocol.letters import Letter
from replication import letters
from replication.database import opened
from replication.migrations import REPLICATION

SITE = "330599001203"
TOPIC = UUID(int=5)


class Secretive(msgspec.Struct, frozen=True, kw_only=True):
    """A body that no list may show."""

    words: str = "张三"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "hub"
    assert main(["init", "--home", str(root), "--county", "330599000000", "--name", "某县"]) == 0

    def fill(connection: Connection) -> None:
        letters.write(connection, SITE, kind="lookup_asked", topic=TOPIC, body=Secretive(), now_ms=1_000)
        body = msgspec.Raw(msgspec.json.encode(Secretive()))
        unknown = Letter(letter_id=uuid4(), topic=TOPIC, kind="later_kind", body=body, written_at_ms=1)
        letters.take(connection, SITE, [unknown], {}, 2_000)

    async def prepare() -> None:
        async with opened(home_at(root).database, [REPLICATION, SCHEMA]) as database:
            await database.write(fill)

    asyncio.run(prepare())
    return root


def test_letters_are_counted_and_named_but_not_quoted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["letters", "--home", str(home), "--json"])
    shown = capsys.readouterr().out
    said = json.loads(shown)

    assert code == 1
    assert said["waiting"] == [{"peer": SITE, "letters": 1, "oldest_at_ms": 1_000}]
    assert [(one["site"], one["kind"], one["fault"]) for one in said["set_aside"]] == [
        (SITE, "later_kind", letters.UNKNOWN_KIND)
    ]
    assert "张三" not in shown


def test_the_list_is_readable_in_both_languages(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    main(["letters", "--home", str(home)])
    english = capsys.readouterr().out
    monkeypatch.setenv("DANGLIAN_LANG", "zh")
    main(["letters", "--home", str(home)])

    assert "1 letter waits, 1 were set aside." in english
    assert "待送 1 封，未能办理 1 封。" in capsys.readouterr().out
