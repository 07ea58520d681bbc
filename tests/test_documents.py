"""The documents speak of what is there: links lead somewhere; tests, modules, names and commands in them exist."""

import argparse
import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import hub.__main__
import node.__main__

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = ("node", "hub", "protocol", "replication", "deploy", "tests")
WRITTEN = {".py", ".sql", ".toml", ".html", ".js", ".css", ".conf", ".service", ".csv"}

DOCUMENTS = sorted(
    [
        *(path for path in PROJECT.glob("*.md") if path.name != "CHANGELOG.md"),
        *(path for package in PACKAGES for path in (PROJECT / package).rglob("*.md")),
    ]
)
"""What is said of the present. The change log speaks of what was."""

REGISTER = "| what goes wrong | what happens then | the test that shows it |"
"""The head of each table of faults."""

ELSEWHERE = {
    *("EnvironmentFile", "ReadWritePaths"),  # systemd
    *("credentials_file", "metrics_path"),  # Prometheus
    *("StreamMaxLength", "taskException", "validationReport"),  # clamd, veraPDF
    *("enable_indexscan", "fastupdate", "secure_delete"),  # PostgreSQL, SQLite
}
"""Names in documents that belong to other programs."""


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@cache
def text_of(path: Path) -> str:
    """The text of a file; blocks that are set apart with three marks are left out of documents."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL) if path.suffix == ".md" else text


def spans_of(path: Path) -> list[str]:
    """What a document sets in the type of code, a line break within it being a blank."""
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", text_of(path))]


@cache
def tree() -> tuple[Path, ...]:
    """Every file and folder of ours."""
    found = (path for package in PACKAGES for path in (PROJECT / package).rglob("*"))
    return tuple(path for path in found if "__pycache__" not in path.parts)


@cache
def words() -> frozenset[str]:
    """Every word of our programs, statements, pages and settings, and the names of files."""
    texts = (path.read_text(encoding="utf-8") for path in tree() if path.suffix in WRITTEN and path != Path(__file__))
    stems = (path.stem for path in tree())
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return frozenset(word for text in (*texts, *stems, makefile) for word in re.findall(r"\w+", text))


# Links


def anchors(path: Path) -> set[str]:
    """The places in a page that a link may name, as GitHub makes them of its headings."""
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", text_of(path), flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()).replace(
            " ", "-"
        )
        seen[plain] = seen.get(plain, -1) + 1
    return {f"{plain}-{number}" if number else plain for plain, most in seen.items() for number in range(most + 1)}


def links(path: Path) -> list[tuple[Path, str]]:
    """The files and places that a page leads to; what lies outside of the project is left out."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text_of(path))
    parts = (target.partition("#") for target in targets if "://" not in target)
    return [((path.parent / name).resolve() if name else path, anchor) for name, _, anchor in parts]


@pytest.mark.parametrize("path", [*DOCUMENTS, PROJECT / "CHANGELOG.md"], ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    lost = [
        f"{target}#{anchor}"
        for target, anchor in links(path)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert lost == []


def test_every_page_of_decisions_is_reached_from_the_architecture() -> None:
    """What nobody is led to nobody reads."""
    led_to = {target for target, _ in links(PROJECT / "ARCHITECTURE.md")}

    assert {name_of(path) for path in DOCUMENTS if path.name == "DECISIONS.md" and path not in led_to} == set()


# Tests


def test_every_test_that_a_document_names_exists() -> None:
    named = [
        (path, test)
        for document in DOCUMENTS
        for span in spans_of(document)
        for path, test in re.findall(r"^(tests/[\w/]+\.py)(?:::(\w+))?$", span)
    ]
    absent = [
        f"{path}::{test}"
        for path, test in named
        if not (PROJECT / path).is_file() or f"def {test}" not in (PROJECT / path).read_text(encoding="utf-8")
    ]

    assert (len(named) > 600, absent) == (True, [])


def faults() -> Iterator[tuple[str, str]]:
    """Every row of the tables of faults, with the cell that names its tests."""
    for document in DOCUMENTS:
        for table in text_of(document).split(REGISTER)[1:]:
            rows = table.lstrip("\n").splitlines()[1:]
            for row in rows[: next((at for at, line in enumerate(rows) if not line.startswith("|")), len(rows))]:
                yield row, row.rstrip(" |").rpartition(" | ")[2]


def test_every_fault_names_the_test_that_shows_what_happens() -> None:
    rows = list(faults())

    assert [row for row, shown in rows if not re.fullmatch(r"`tests/[^`]+`(?:<br>`tests/[^`]+`)*", shown)] == []
    assert len(rows) > 550


# Modules and names


@cache
def endings() -> frozenset[str]:
    """The path of every file, whole and without its first folders."""
    paths = [path.relative_to(PROJECT).parts for path in (*tree(), *PROJECT.iterdir())]
    return frozenset("/".join(parts[at:]) for parts in paths for at in range(len(parts)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_module_that_a_document_names_exists(path: Path) -> None:
    modules = {
        module
        for span in spans_of(path)
        for module in re.findall(r"(?:[\w*.-]+/)*[\w*-]+\.(?:py|md|sql|html|js|css)\b", span)
    }
    folders = {span for span in spans_of(path) if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:/[\w-]+)*/?", span)}

    assert {module for module in modules if not fnmatch.filter(endings(), module)} == set()
    assert {folder for folder in folders if not (PROJECT / folder).exists()} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_name_in_a_document_is_in_the_code(path: Path) -> None:
    """A renamed constant, function, table or setting takes its sentence along."""
    named = {
        word
        for span in spans_of(path)
        for word in re.findall(r"(?<![\w.$-])[A-Za-z]\w*", span)
        if ("_" in word.strip("_") or re.search(r"[a-z][A-Z]", word)) and not word.endswith("_")
    }

    assert named - words() - ELSEWHERE == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_name_of_a_module_is_in_that_module(path: Path) -> None:
    """``module.name`` means that the module, or one of those of that name, has it."""
    modules: dict[str, str] = {}
    for one in tree():
        if one.suffix == ".py":
            modules[one.stem] = modules.get(one.stem, "") + one.read_text(encoding="utf-8")
    absent = [
        f"{module}.{name}"
        for span in spans_of(path)
        for module, name in re.findall(r"^(?:[a-z_]+\.)*([a-z_]+)\.([A-Za-z_]+)(?:\(.*\))?$", span)
        if module in modules
        and name not in {"py", "toml", "db", "json", "conf", "csv", "md"}
        and not re.search(rf"\b{name}\b", modules[module])
    ]

    assert absent == []


@pytest.mark.parametrize("module", ["calls", "events", "transfers"])
def test_every_message_is_on_the_page_of_the_protocol(module: str) -> None:
    """Who writes the other end in another language reads that page, and not the modules."""
    tags = re.findall(r'tag="(\w+)"', (PROJECT / "protocol" / f"{module}.py").read_text(encoding="utf-8"))

    assert (len(tags) >= 4, set(tags) - set(spans_of(PROJECT / "PROTOCOL.md"))) == (True, set())


def test_every_subject_is_on_the_page_of_the_protocol() -> None:
    subjects = set(re.findall(r'"(dl\.[a-z]+)', (PROJECT / "protocol" / "subjects.py").read_text(encoding="utf-8")))
    told = {".".join(span.split(".")[:2]) for span in spans_of(PROJECT / "PROTOCOL.md") if span.startswith("dl.")}

    assert (len(subjects) > 3, subjects - told) == (True, set())


# Commands

PROGRAMS = {"danglian-hub": hub.__main__.parser(), "danglian-node": node.__main__.parser()}
Parser = argparse.ArgumentParser


def below(parser: Parser) -> dict[str, Parser]:
    """The commands of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def wrong_words(told: list[str], parser: Parser) -> list[str]:
    """The first word that is no command, or the options that nothing on the way knows."""
    options = set(parser._option_string_actions)
    for at, word in enumerate(told):
        if word.startswith("-"):
            continue
        if not (commands := below(parser)):
            break
        if "|" in word:
            return [one for one in word.split("|") if one not in commands]
        if word not in commands:
            return [word] if at == 0 or re.fullmatch(r"[a-z][a-z-]*", word) else []
        parser = commands[word]
        options |= set(parser._option_string_actions)
    return [word for word in told if re.fullmatch(r"--[a-z][a-z-]*", word) and word not in options]


@pytest.mark.parametrize("told", ["serach 林权", "verify --qr TEXT", "transfer list|shwo", "backup --everything"])
def test_a_wrong_word_in_a_command_is_seen(told: str) -> None:
    """The instrument works."""
    assert wrong_words(told.split(), PROGRAMS["danglian-hub"]) != []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_that_a_document_shows_exists(path: Path) -> None:
    blocks = re.findall(r"^```\w*\n(.*?)^```$", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    shown = [*spans_of(path), *(line.partition("#")[0] for block in blocks for line in block.splitlines())]
    wrong = [
        f"{program} {told}: {word}"
        for line in shown
        for program, told in re.findall(r"(danglian-(?:hub|node)) ([^·;&]+)", line)
        for word in wrong_words(told.replace("\\", " ").split(), PROGRAMS[program])
    ]

    assert wrong == []


def followers(row: str) -> Iterator[str]:
    """The commands of a row that leave out the program, each with the one that the row named last."""
    program, ended = "", 0
    for found in re.finditer(r"`([^`]+)`", row):
        first = found[1].split()[0]
        if first in PROGRAMS:
            program = first
        elif program and row[ended : found.start()] == " · ":
            yield f"{program} {found[1]}"
        ended = found.end()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_commands_that_follow_another_are_of_its_program(name: str) -> None:
    rows = [row for row in (PROJECT / name).read_text(encoding="utf-8").splitlines() if row.startswith("|")]
    shown = [command for row in rows for command in followers(row)]
    wrong = [
        f"{command}: {word}"
        for command in shown
        for program, _, told in [command.partition(" ")]
        for word in wrong_words(told.split(), PROGRAMS[program])
    ]

    assert (len(shown) > 40, wrong) == (True, [])
