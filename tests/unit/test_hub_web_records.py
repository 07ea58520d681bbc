"""Who did something, and what stands in records, as readers of either language see it."""

import datetime
from uuid import UUID

import pytest

from hub.web.actors import spoken_actor
from hub.web.entry_facts import shown
from hub.web.records import spoken_record
from hub.web.rendering import browser, colon, recorded
from hub.window.clocks import PHASES
from hub.window.findings import INCOMPLETE, LATE
from protocol.records import Attachment
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


_CHROME = "(KHTML, like Gecko) Chrome/131.0.0.0"


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {_CHROME} Safari/537.36",
            "Chrome 131 · Windows",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {_CHROME} Safari/537.36 Edg/130.0.0.0",
            "Edge 130 · Windows",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 {_CHROME} Mobile Safari/537.36",
            "Chrome 131 · Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari 17 · iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128 · Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "—"),
    ],
)
def test_a_browser_is_called_by_its_own_name_not_by_one_it_wants_to_be_taken_for(agent: str, told: str) -> None:
    """Who looks at where they are signed in looks for a browser that is not theirs."""
    assert browser(agent) == told


def test_a_scan_tells_its_size_and_pages_in_the_readers_language() -> None:
    scan = Attachment(file_id=UUID(int=1), name="0001.pdf", size_bytes=40_000, pages=2)

    assert shown(scan, {}) == Text(zh="0001.pdf · 39.1 KB · 2 页", en="0001.pdf · 39.1 KB · pages: 2")
