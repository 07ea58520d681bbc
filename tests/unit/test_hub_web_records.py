"""Who did something, and what stands in records, as readers of either language see it."""

import datetime

import pytest

from hub.web.actors import spoken_actor
from hub.web.records import spoken_record
from hub.web.rendering import colon, recorded
from hub.window.clocks import PHASES
from hub.window.findings import INCOMPLETE, LATE
from protocol.wording import Text


@pytest.mark.parametrize(
    ("who", "zh", "en"),
    [
        ("hub:lookup", "系统", "the system"),
        ("hub", "系统", "the system"),
        ("cli:root", "命令行 root", "root (command line)"),
        ("token:7f", "接口令牌 7f", "token 7f"),
        ("lin.min", "lin.min", "lin.min"),
        ("hubert", "hubert", "hubert"),
        ("other:x", "other:x", "other:x"),
        ("", "", ""),
    ],
)
def test_actors_have_names_that_people_read(who: str, zh: str, en: str) -> None:
    assert (spoken_actor(who, "zh"), spoken_actor(who, "en")) == (zh, en)


@pytest.mark.parametrize("known", [LATE, INCOMPLETE])
def test_what_the_hub_wrote_is_said_in_the_readers_language(known: Text) -> None:
    assert (spoken_record(known.zh, "zh"), spoken_record(known.zh, "en")) == (
        (known.zh, False),
        (known.en, False),
    )


@pytest.mark.parametrize("phase", list(PHASES.values()))
def test_a_term_that_is_over_is_said_in_english_too(phase: Text) -> None:
    text = f"{phase.zh}期限 {datetime.date(2026, 3, 2)} 已过"

    assert spoken_record(text, "en") == (f"{phase.en}: the term of 2026-03-02 is over", False)


def test_what_a_person_wrote_stays_and_is_marked_for_english_readers() -> None:
    text = "<b>当事人撤回</b>"

    assert str(recorded(text, "zh")) == "&lt;b&gt;当事人撤回&lt;/b&gt;"
    assert str(recorded(text, "en")) == (
        '<span lang="zh-CN">&lt;b&gt;当事人撤回&lt;/b&gt;</span> <span class="hint">(as recorded)</span>'
    )
    assert str(recorded("withdrawn", "en")) == "withdrawn"


def test_a_colon_is_that_of_the_language() -> None:
    assert (colon("石岭村档案室", "zh"), colon("Shiling", "en")) == ("石岭村档案室：", "Shiling: ")
