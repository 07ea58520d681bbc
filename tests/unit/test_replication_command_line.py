"""What a person is told who writes a command wrongly."""

import pytest

from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import EXIT_USAGE, Parser, tell


def parser() -> Parser:
    made = Parser(prog="danglian-hub")
    commands = made.add_subparsers(metavar="COMMAND")
    for name in ("search", "sites", "record"):
        commands.add_parser(name).add_argument("--access", choices=["open", "restricted"])
    return made


@pytest.mark.parametrize(
    ("typed", "near", "where"),
    [
        (["serch"], "相近的有：search", "danglian-hub --help"),
        (["search", "--access", "opn"], "相近的有：open", "danglian-hub search --help"),
        (["xyz"], "相近的有：search、sites、record", "danglian-hub --help"),
        (["search", "--acess", "open"], "命令写法不对", "danglian-hub --help"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_and_the_way_to_the_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: list[str], near: str, where: str
) -> None:
    monkeypatch.delenv("DANGLIAN_LANG", raising=False)
    with pytest.raises(SystemExit) as left:
        parser().parse_args(typed)
    told = capsys.readouterr().err

    assert (left.value.code, near in told, where in told) == (EXIT_USAGE, True, True)


def test_a_wrong_word_is_told_in_english_to_who_asks_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    with pytest.raises(SystemExit):
        parser().parse_args(["serch"])

    assert "there is no “serch” here; near to it: search" in capsys.readouterr().err


def test_what_went_wrong_is_told_with_the_marks_of_its_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Chinese sentence has full-width marks."""
    monkeypatch.delenv("DANGLIAN_LANG", raising=False)
    tell(BadSetting(Text(zh="没有写编号。", en="no number was given"), Text(zh="写明编号。", en="Name the number.")))
    chinese = capsys.readouterr().err
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    tell(BadSetting(Text(zh="没有写编号。", en="no number was given"), Text(zh="写明编号。", en="Name the number.")))

    assert chinese == "出错：没有写编号。\n处理办法：写明编号。\n"
    assert capsys.readouterr().err == "error: no number was given\nwhat to do: Name the number.\n"
