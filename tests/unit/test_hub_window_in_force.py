"""A running hub takes a new version of the rules over by itself, and is never without any."""

from pathlib import Path

from hub.home import home_at
from hub.vocabulary.word_tables import LOOK_AGAIN_S
from hub.window.in_force import InForce
from hub.window.rule_table import rule_table


def test_a_new_version_is_taken_over_after_a_moment(tmp_path: Path) -> None:
    table, now_s = rule_table(home_at(tmp_path)), [0.0]
    rules = InForce(table, lambda: now_s[0])
    table.provide()
    text = table.edited.read_text(encoding="utf-8-sig")
    shipped, first = rules.current()
    table.edited.write_text(text.replace("R13", "R13a"), encoding="utf-8-sig")
    table.take(table.checked(table.edited)[0])
    same = rules.current()
    now_s[0] += LOOK_AGAIN_S
    number, taken = rules.current()

    assert (shipped, same, number) == (0, (0, first), 1)
    assert {row.id for row in taken.rows} - {row.id for row in first.rows} == {"R13a"}
