"""What the help of a program says, text by text, for tests."""

import argparse
import re
from collections.abc import Iterator

HAN = re.compile(r"[㐀-鿿]")
ENGLISH = re.compile(r"[/·\n][^㐀-鿿]*[A-Za-z]{2,}")
"""English beside or below the Chinese; words that both languages share, such as names of options, do not count."""


def texts_in(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield every text of a program's help with where it stands: its commands, their actions, their options."""
    yield parser.prog, parser.description or ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for line in action._get_subactions():
                yield f"{parser.prog} {line.dest}", line.help or ""
            for one in action.choices.values():
                yield from texts_in(one)
        elif action.help is not argparse.SUPPRESS:
            name = " ".join(action.option_strings) or action.metavar or action.dest
            yield f"{parser.prog} {name}", action.help or ""


def of_one_language(parser: argparse.ArgumentParser) -> list[str]:
    """Where a help says nothing, or speaks to readers of one language alone."""
    return [f"{where}: {text}" for where, text in texts_in(parser) if not (HAN.search(text) and ENGLISH.search(text))]
