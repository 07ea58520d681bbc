"""How the help of every program reads: argparse's own words, both languages, the width at hand, commands by concern."""

import argparse
import ast
import inspect
from collections.abc import Callable

import pytest

import deploy.demo.__main__ as demo
import hub.__main__ as hub
import node.__main__ as node
from replication import usage
from replication.command_line import EXIT_USAGE, CommandLine
from tests.helps import HAN, of_one_language

FOR_PROGRAMMERS = (
    *(".__call__() not defined", "'required' is an invalid argument for positionals", "%r is not callable"),
    *("mutually exclusive arguments must be optional", "cannot merge actions - two groups are named %r"),
    *("invalid option string %(option)r: must start with a character %(prefix_chars)r", 'argument "-" with mode %r'),
    *("dest= is required for options like %r", "invalid conflict_resolution value: %r"),
    *("cannot have multiple subparser arguments", "conflicting subparser: %s", "conflicting subparser alias: %s"),
    *("conflicting option string: %s", "conflicting option strings: %s"),
)
"""What argparse says to who writes a parser wrongly."""

TOLD_OTHERWISE = (
    "invalid choice: %(value)r (choose from %(choices)s)",
    "unknown parser %(parser_name)r (choices: %(choices)s)",
    "%(prog)s: error: %(message)s\n",
)
"""What the parser of ours says in its own way."""

PROGRAMS = (
    pytest.param(hub.parser, id="hub"),
    pytest.param(node.parser, id="node"),
    pytest.param(demo.parser, id="demo"),
)


def test_every_word_that_argparse_says_to_a_user_is_known() -> None:
    """A Python that says something new is noticed here, before a reader of Chinese reads it in English."""
    calls = [one for one in ast.walk(ast.parse(inspect.getsource(argparse))) if isinstance(one, ast.Call)]
    words = {
        word.value
        for one in calls
        if isinstance(one.func, ast.Name) and one.func.id in {"_", "ngettext"}
        for word in one.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }

    assert len(words) > 30
    assert words - usage.HELP_WORDS.keys() - usage.FAULT_WORDS.keys() - {*FOR_PROGRAMMERS, *TOLD_OTHERWISE} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_text_of_a_help_is_in_both_languages(program: Callable[[], argparse.ArgumentParser]) -> None:
    assert of_one_language(program()) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_argparse_speaks_both_languages_too(program: Callable[[], argparse.ArgumentParser]) -> None:
    told = program().format_help()

    words = ("用法 · usage: danglian-", "选项 · options:", "显示此帮助 · show this help")
    assert [one for one in words if one not in told] == []


@pytest.mark.parametrize(
    ("typed", "zh", "en"),
    [
        (["search"], "缺少 QUERY", "the following arguments are required: QUERY"),
        (["search", "甲", "--limit", "x"], "--limit 的值读不出：'x'", "argument --limit: invalid int value: 'x'"),
        (["search", "甲", "--limit"], "--limit 后面须写一个值", "argument --limit: expected one argument"),
        (["search", "甲", "--xyz"], "不认识 --xyz", "unrecognized arguments: --xyz"),
        (["record", "甲", "--apart", "1", "--together", "2"], "不能与 --apart 同时使用", "not allowed with argument"),
    ],
)
def test_what_is_wrong_with_a_command_is_told_in_one_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: list[str], zh: str, en: str
) -> None:
    told = {}
    for language in ("zh", "en"):
        monkeypatch.setenv("DANGLIAN_LANG", language)
        with pytest.raises(SystemExit) as left:
            hub.parser().parse_args(typed)
        assert left.value.code == EXIT_USAGE
        told[language] = capsys.readouterr().err.partition("\n出错" if language == "zh" else "\nerror")[2]

    assert (zh in told["zh"], en in told["en"], HAN.search(told["en"].replace("甲", ""))) == (True, True, None)


@pytest.mark.parametrize("program", PROGRAMS[:2])
def test_commands_stand_under_what_they_are_about(program: Callable[[], CommandLine]) -> None:
    """Thirty commands in one list are found by nobody who does not know their names."""
    made = program()
    commands = next(one.choices for one in made._actions if isinstance(one, argparse._SubParsersAction))
    # What comes before is the usage and the description, what comes behind are the options and where to go on.
    sections = [part.splitlines() for part in made.format_help().split("\n\n")][2:-2]
    listed = [line.split()[0] for _, *lines in sections for line in lines if line[2:3].strip()]

    assert (sorted(listed), len(sections) > 3) == (sorted(commands), True)
    assert [heading for heading, *_ in sections if " · " not in heading] == []


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("program", PROGRAMS[:2])
def test_no_line_of_a_list_of_commands_is_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[], CommandLine], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = program().format_help().splitlines()

    assert [line for line in lines if usage.cells_of(line) > int(columns)] == []


@pytest.mark.parametrize(
    ("text", "cells", "lines"),
    [
        ("各站点的真实状态 / the honest state", 16, ["各站点的真实状态", "/ the honest", "state"]),
        ("逐站核对，两端一致。", 8, ["逐站核", "对，两端", "一致。"]),
        ("longer-than-the-line it is", 8, ["longer-than-the-line", "it is"]),
        ("", 8, []),
    ],
)
def test_lines_break_at_blanks_and_between_chinese_characters(text: str, cells: int, lines: list[str]) -> None:
    assert usage.wrapped(text, cells) == lines
