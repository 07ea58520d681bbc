"""How the help of commands reads: argparse's own words beside Chinese ones, in lines as wide as a terminal.

argparse takes its words from gettext, by files of a language that the environment names. Ours is named by a variable of
its own and has no file, so its words are given here. What stands in a help is in both languages, as every help text of
ours; what is wrong with a command is told in the reader's.
"""

import argparse
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from protocol.wording import Text

HELP_WORDS: Final = {
    "usage: ": Text(zh="用法", en="usage: "),
    "positional arguments": Text(zh="参数", en="arguments"),
    "options": Text(zh="选项", en="options"),
    "subcommands": Text(zh="动作", en="actions"),
    "show this help message and exit": Text(zh="显示此帮助", en="show this help"),
}
"""What argparse writes into a help, by its own words."""

FAULT_WORDS: Final = {
    "argument %(argument_name)s: %(message)s": "%(argument_name)s %(message)s",
    "the following arguments are required: %s": "缺少 %s",
    "one of the arguments %s is required": "须写其中之一：%s",
    "unrecognized arguments: %s": "不认识 %s",
    "expected one argument": "后面须写一个值",
    "expected at most one argument": "后面最多写一个值",
    "expected at least one argument": "后面至少写一个值",
    "expected %s argument": "后面须写 %s 个值",
    "expected %s arguments": "后面须写 %s 个值",
    "not allowed with argument %s": "不能与 %s 同时使用",
    "ignored explicit argument %r": "后面不写值（%r）",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s 不明确，可能是 %(matches)s",
    "unexpected option string: %s": "这里不能写 %s",
    "invalid %(type)s value: %(value)r": "的值读不出：%(value)r",
    "can't open '%(filename)s': %(error)s": "打不开 %(filename)s：%(error)s",
}
"""What argparse says is wrong, in Chinese; that a word is none of those to choose from is told by ``Parser.error``."""

_WIDE: Final = "⺀-〿぀-ヿ㐀-鿿豈-﫿！-｠"
_PIECE: Final = re.compile(rf"\s+|(?:[{_WIDE}]|[^\s{_WIDE}]+)[，。；：、）”！？》]*")


def speak(language: Callable[[], str]) -> None:
    """Have argparse use these words from now on; ``language`` says in which one a reader is told what is wrong."""

    def said(words: str) -> str:
        if words in HELP_WORDS:
            return HELP_WORDS[words].both()
        return FAULT_WORDS.get(words, words) if language() == "zh" else words

    def said_of(one: str, more: str, count: int) -> str:
        return said(one if count == 1 else more)

    # It has no other door: every word goes through these two names of the module.
    vars(argparse).update(_=said, ngettext=said_of)


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def wrapped(text: str, cells: int) -> list[str]:
    """Return a text in lines of so many cells; a line breaks at a blank or between Chinese characters."""
    lines, line, taken = list[str](), "", 0
    for piece in _PIECE.findall(" ".join(text.split())):
        width = cells_of(piece)
        if line and taken + width > cells:
            lines.append(line.rstrip())
            line, taken = "", 0
        if line or not piece.isspace():
            line, taken = line + piece, taken + width
    return [*lines, line.rstrip()] if line else lines


class Paragraphs(argparse.HelpFormatter):
    """Sets every text of a help to the width at hand."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in wrapped(text, width - len(indent)))


class Lines(argparse.RawDescriptionHelpFormatter):
    """The same, but for descriptions, whose lines stay as they were written."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)
