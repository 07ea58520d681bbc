"""Reading the table of rules: the one that the program brings, or a county's own, with errors that name the line."""

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from protocol.check_rules import CheckRule, CheckRules, CheckSettings, Phase
from protocol.errors import BadSetting
from protocol.package_entries import PackageEntry
from protocol.wording import Text

RULES_BYTES_MAX = 256 * 1024
"""Bytes of a table: ten times ours."""

_OWN: Final = "rules.toml"
_PLACE: Final = re.compile(r"at `\$\.rules\[([0-9]+)\]")
_TOML_LINE: Final = re.compile(r"line ([0-9]+)")


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    settings: CheckSettings = CheckSettings()
    rules: tuple[CheckRule, ...]


@cache
def default_rules() -> CheckRules:
    """Return the rules that the program brings."""
    return parse_rules(_own_text(), _OWN)


@cache
def _own_text() -> str:
    return (files("replication.checks") / _OWN).read_text(encoding="utf-8")


def read_rules(path: Path) -> CheckRules:
    """Read a county's own table.

    Raises:
        BadSetting: it cannot be read, or a line of it is wrong; the line is named.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _bad(path.name, 0, error.strerror or str(error), error.strerror or str(error)) from error
    if len(content) > RULES_BYTES_MAX:
        raise _bad(path.name, 0, f"超过 {RULES_BYTES_MAX} 字节", f"it has over {RULES_BYTES_MAX} bytes")
    try:
        return parse_rules(content.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise _bad(path.name, 0, "不是 UTF-8", "it is not in UTF-8") from error


def parse_rules(text: str, name: str) -> CheckRules:
    """Read a table from its text.

    Raises:
        BadSetting: as ``read_rules``.

    """
    try:
        table = msgspec.toml.decode(text, type=_Table)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        line = _line_of_rule(text, int(place[1])) if place else 0
        raise _bad(name, line, f"内容不合要求：{error}", str(error)) from error
    except msgspec.DecodeError as error:
        found = _TOML_LINE.search(str(error))
        raise _bad(name, int(found[1]) if found else 0, f"不是 TOML：{error}", f"it is no TOML: {error}") from error
    _refuse_contradictions(table, text, name)
    return CheckRules(rules=table.rules, settings=table.settings)


def rules_digest(rules: CheckRules) -> str:
    """Return what two tables have in common that say the same."""
    return hashlib.sha256(msgspec.json.encode((rules.rules, rules.settings))).hexdigest()


def _refuse_contradictions(table: _Table, text: str, name: str) -> None:
    seen: set[str] = set()
    own = {} if name == _OWN else default_rules().by_id
    for number, rule in enumerate(table.rules):
        line = _line_of_rule(text, number)
        if rule.id in seen:
            raise _bad(name, line, f"规则 {rule.id} 出现两次", f"the rule {rule.id} stands there twice")
        if own and rule.id not in own:
            raise _bad(name, line, f"没有规则 {rule.id}", f"there is no rule {rule.id}")
        if own and rule.scope is not own[rule.id].scope:
            raise _bad(
                name, line, f"{rule.id} 的对象应为 {own[rule.id].scope}", f"{rule.id} looks at {own[rule.id].scope}"
            )
        if set(rule.mandatory) - set(rule.phases):
            raise _bad(name, line, f"{rule.id} 在不执行的阶段是必检", f"{rule.id} is mandatory where it is not applied")
        if not (rule.reason.zh.strip() and rule.reason.en.strip()):
            raise _bad(name, line, f"{rule.id} 没有写明理由", f"{rule.id} has no reason")
        seen.add(rule.id)
    if own and (left_out := [rule for rule in own if rule not in seen]):
        zh, en = (
            f"缺少规则 {left_out[0]}（不执行的写 phases = []）",
            f"the rule {left_out[0]} is missing (phases = [] if unused)",
        )
        raise _bad(name, 0, zh, en)
    fields = set(PackageEntry.__struct_fields__)
    unknown = [field for field in (*table.settings.required, *table.settings.unique) if field not in fields]
    if unknown:
        raise _bad(name, _line_with(text, unknown[0]), f"没有字段 {unknown[0]}", f"there is no field {unknown[0]}")


def _line_of_rule(text: str, number: int) -> int:
    """Return the line on which a rule of the table begins, counted from 1."""
    begins = [line for line, said in enumerate(text.splitlines(), 1) if said.strip() == "[[rules]]"]
    return begins[number] if number < len(begins) else 0


def _line_with(text: str, word: str) -> int:
    return next((line for line, said in enumerate(text.splitlines(), 1) if f'"{word}"' in said), 0)


def _bad(name: str, line: int, zh: str, en: str) -> BadSetting:
    where_zh, where_en = (f"{name} 第 {line} 行", f"{name}, line {line}") if line else (name, name)
    return BadSetting(
        Text(zh=f"检测规则表 {where_zh}：{zh}", en=f"table of rules {where_en}: {en}"),
        Text(
            zh="对照程序自带的规则表改正；没有自己的表就用自带的。",
            en="Correct it by the table that the program brings, or use that one.",
        ),
    )


def phase_of(word: str) -> Phase:
    """Return the phase that a person names: GD, YJ, CQ in any case.

    Raises:
        BadSetting: there is no such phase.

    """
    try:
        return Phase(word.upper())
    except ValueError as error:
        raise _bad("--phase", 0, f"没有阶段 {word}（GD、YJ、CQ）", f"there is no phase {word} (GD, YJ, CQ)") from error
