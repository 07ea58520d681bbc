"""Settings files: TOML in a program's home, read once at start; an unknown or wrong setting stops the program.

What the settings are is each program's own business; how a file is read and how a fault is said is the same for both.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from protocol.errors import BadSetting
from protocol.wording import Text

T = TypeVar("T")

NEAR_ENOUGH: Final = 0.5
"""Likeness, 0 to 1, from which a known setting is offered instead of an unknown one."""

_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_NAMED = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")
_INDEX = re.compile(r"\[[^\]]*\]")


class SettingsFile(msgspec.Struct, frozen=True, kw_only=True):
    """One program's file of settings, as far as reading it goes."""

    program: str
    """The command, such as ``danglian-node``."""
    explained_in: str
    """The file that explains every setting."""
    examples: Mapping[str, str]
    """Every setting, dotted, with a line that would be right."""
    writing: Text
    """How values are written, for whoever has never seen TOML."""

    def text(self, path: Path) -> str:
        """Return what the file says.

        Raises:
            BadSetting: it is missing, or is no text.

        """
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise BadSetting(
                Text(zh=f"找不到配置文件 {path}", en=f"no settings at {path}"),
                Text(
                    zh=f"请先运行 {self.program} init，或用 --home 指定目录。",
                    en=f"Run {self.program} init first, or name the home with --home.",
                ),
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(
                Text(zh=f"读不出配置文件 {path}：{error}", en=f"cannot read {path}: {error}"),
                Text(zh="配置文件应为 UTF-8 编码的文本。", en="The file must be UTF-8 text."),
            ) from error

    def read(self, text: str, kind: type[T], file_name: str) -> T:
        """Return the settings of a text.

        Raises:
            BadSetting: it is no TOML, or a setting is unknown, missing or of the wrong type; names the setting.

        """
        try:
            return msgspec.convert(tomllib.loads(text), kind)
        except tomllib.TOMLDecodeError as error:
            raise BadSetting(
                Text(zh=f"{file_name} 不是合法的 TOML：{error}", en=f"{file_name} is not TOML: {error}"), self.writing
            ) from error
        except msgspec.ValidationError as error:
            raise self._misread(file_name, str(error)) from error

    def bad(self, file_name: str, setting: str, fault: Text, example_of: str = "") -> BadSetting:
        """Return the error for one setting, with a line that would be right: its own, or another setting's."""
        plain = _INDEX.sub("", setting)
        line = self.examples.get(example_of or plain) or self.examples.get(plain.rpartition(".")[0], "")
        reason = Text(zh=f"{file_name}：{setting}：{fault.zh}", en=f"{file_name}: {setting}: {fault.en}")
        see = Text(zh=f"各项设置的含义见 {self.explained_in}。", en=f"{self.explained_in} explains every setting.")
        return BadSetting(reason, Text(zh=f"例如：{line}", en=f"For example: {line}") if line else see)

    def _misread(self, file_name: str, words: str) -> BadSetting:
        """Turn the words of the library into ours: which setting, what is wrong, what would be right."""
        place = _AT.search(words)
        inside = place[1] if place else ""
        fault = _AT.sub("", words)
        named = _NAMED.match(fault)
        setting = ".".join(part for part in (inside, named[2] if named else "") if part)
        if named is None:
            return self.bad(file_name, setting, Text(zh=f"值不对（{fault}）", en=fault))
        if named[1] == "missing required":
            return self.bad(file_name, setting, Text(zh="缺少这项设置", en="is missing"))
        near = difflib.get_close_matches(_INDEX.sub("", setting), self.examples, n=1, cutoff=NEAR_ENOUGH)
        unknown = Text(zh="没有这项设置", en="there is no such setting")
        return self.bad(file_name, setting, unknown, near[0] if near else "")
