"""What is promised, and the table of results in the README."""

import re
from pathlib import Path
from typing import Final

README: Final = Path(__file__).with_name("README.md")

RECALL_MIN: Final = 0.98
"""Recall at twenty over all questions together."""

CLASS_RECALL_MIN: Final = 0.9
"""Recall at twenty of each class by itself, so that none is given up for the others."""

LITERAL_KINDS: Final = ("literal", "random_substring")
"""Classes in which nothing may be missed."""

MISPLACED_MAX: Final = 0.01
"""Part of the questions in which a record may stand where it must not."""

_TABLE: Final = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- /results -->)", re.DOTALL)
_LINE: Final = re.compile(r"^\| ([a-z_]+) \| (\d+) \|", re.MULTILINE)


def write_table(lines: list[str]) -> None:
    """Replace the table of the README."""
    text = README.read_text("utf-8")
    README.write_text(_TABLE.sub(lambda _: "\n".join([*lines, ""]), text), "utf-8")


def written_counts() -> dict[str, int]:
    """Return how many questions of each class the table of the README speaks of."""
    found = _TABLE.search(README.read_text("utf-8"))
    return {kind: int(count) for kind, count in _LINE.findall(found[0] if found else "")}
