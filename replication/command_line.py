"""Running one command of ``danglian-node`` or ``danglian-hub``: the answer, the exit code, and errors in plain words.

Exit codes: 0 done; 1 a problem was found or something failed; 2 wrong use or a wrong setting.
"""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol, TypeAlias

import msgspec

from protocol.errors import BadQuery, BadSetting, BadValue, DanglianError
from protocol.wording import Text
from replication import usage
from replication.logs import configure_logs

EXIT_OK = 0
EXIT_PROBLEM = 1
EXIT_USAGE = 2

CHOICES_TOLD_MAX = 8
"""Words that are offered where none is like the one typed."""

LANGUAGE_VARIABLE = "DANGLIAN_LANG"
LOG_VARIABLE = "DANGLIAN_LOG"


Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
"""What a command's ``add`` is given: the parser of the whole command line, to which it adds its own."""


class Command(Protocol):
    """A module with one command."""

    def add(self, parsers: Parsers, /) -> None:
        """Add the command to a command line."""


class CommandGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Commands of one concern, as the help of a program lists them."""

    words: Text
    commands: tuple[Command, ...]


class Parser(argparse.ArgumentParser):
    """A parser that says in the reader's language that a command was written wrongly, and where to look."""

    def __init__(self, **named: object) -> None:
        usage.speak(language)
        is_raw = named.get("formatter_class") is argparse.RawDescriptionHelpFormatter
        super().__init__(**{**named, "formatter_class": usage.Lines if is_raw else usage.Paragraphs})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, with the nearest word that exists, and leave with ``EXIT_USAGE``."""
        told = _CHOICE.search(message)
        if told is None:
            self.print_usage(sys.stderr)
            wrong = Text(zh=f"命令写法不对：{message}", en=f"the command is not written right: {message}")
        else:
            typed, words = told[1], _QUOTED.findall(told[2])
            near = difflib.get_close_matches(typed, words) or words[:CHOICES_TOLD_MAX]
            wrong = Text(
                zh=f"没有“{typed}”这个写法；相近的有：{'、'.join(near)}",
                en=f"there is no “{typed}” here; near to it: {', '.join(near)}",
            )
        tell(BadSetting(wrong, Text(zh=f"全部写法：{self.prog} --help", en=f"All there is: {self.prog} --help")))
        self.exit(EXIT_USAGE)


class CommandLine(Parser):
    """A program with its commands; its help lists them by what they are about."""

    def __init__(self, groups: Sequence[CommandGroup], *, prog: str, description: str, epilog: str) -> None:
        super().__init__(prog=prog, description=description, epilog=epilog)
        commands: Parsers = self.add_subparsers(metavar="COMMAND", parser_class=Parser)
        self._listed: list[tuple[CommandGroup, list[argparse.Action]]] = []
        for group in groups:
            before = len(_lines_of(commands))
            for command in group.commands:
                command.add(commands)
            self._listed.append((group, _lines_of(commands)[before:]))
        _describe(commands)

    def format_help(self) -> str:
        """Return the help: commands under headings of their own, which argparse has for options only."""
        made = self._get_formatter()
        made.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        made.add_text(self.description)
        options = [one for one in self._actions if one.option_strings]
        sections = [(group.words.both(), lines) for group, lines in self._listed]
        for heading, lines in (*sections, (usage.HELP_WORDS["options"].both(), options)):
            made.start_section(heading)
            made.add_arguments(lines)
            made.end_section()
        made.add_text(self.epilog)
        return made.format_help()


def _describe(commands: Parsers) -> None:
    """Have every command and action that says nothing more say in its own help what the list says of it."""
    for line in _lines_of(commands):
        one = commands.choices[line.dest]
        one.description = one.description or line.help
        for action in one._actions:  # noqa: SLF001 - as above
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
                _describe(action)


def _lines_of(commands: Parsers) -> list[argparse.Action]:
    """Return what a help says of each command; argparse keeps it nowhere else."""
    return list(commands._get_subactions())  # noqa: SLF001 - as above


_CHOICE = re.compile(r"invalid choice: '?(.*?)'? \(choose from (.*)\)")
_QUOTED = re.compile(r"[\w.-]+")


def language() -> str:
    """Return the language that the person at the terminal reads: ``zh`` unless ``DANGLIAN_LANG`` says ``en``."""
    return "en" if os.environ.get(LANGUAGE_VARIABLE, "zh").lower().startswith("en") else "zh"


def worded(text: Text) -> str:
    """Return a text in the language that the person at the terminal reads."""
    return text.in_language(language())


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Parse a command line, run the command, and return the exit code; errors are told, never shown as tracebacks."""
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = getattr(options, "run", None)
    if run is None:
        parser.print_help()
        return EXIT_USAGE
    configure_logs(level=os.environ.get(LOG_VARIABLE, getattr(options, "log_level", "warning")))
    try:
        return run(options)
    except DanglianError as error:
        tell(error)
        return EXIT_USAGE if isinstance(error, BadQuery | BadSetting | BadValue) else EXIT_PROBLEM
    except KeyboardInterrupt:
        return EXIT_PROBLEM
    except BrokenPipeError:
        # Whoever read our answer, for example `head`, has seen enough.
        sys.stderr.close()
        return EXIT_OK


def say(text: Text) -> None:
    """Print a sentence in the reader's language."""
    sys.stdout.write(worded(text) + "\n")


def say_json(value: object) -> None:
    """Print a value as one line of JSON, for machines."""
    sys.stdout.write(msgspec.json.encode(value).decode("utf-8") + "\n")


def tell(error: DanglianError) -> None:
    """Write an error's reason and hint to standard error in the reader's language."""
    spoken = language()
    mark, advice = ("error: ", "what to do: ") if spoken == "en" else ("出错：", "处理办法：")
    sys.stderr.write(f"{mark}{error.reason.in_language(spoken)}\n{advice}{error.hint.in_language(spoken)}\n")
