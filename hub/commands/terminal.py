"""What the commands of the hub say: on standard output, in the reader's language, or as JSON."""

import os
import sys

import msgspec

from protocol.wording import Text

LANGUAGE_VARIABLE = "DANGLIAN_LANG"


def say(text: Text) -> None:
    """Print a sentence in the language of ``DANGLIAN_LANG``: "zh", which is the default, or "en"."""
    sys.stdout.write(text.in_language(os.environ.get(LANGUAGE_VARIABLE, "zh")) + "\n")


def say_json(value: object) -> None:
    """Print a value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode("utf-8") + "\n")
