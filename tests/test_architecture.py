"""The rules of CONTRIBUTING.md that a program can check: ceilings, names, imports, what the base install needs."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = ("node", "hub", "protocol", "replication", "deploy")
NODE_PATH = ("node", "replication", "protocol")
SOURCES = sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py"))
TESTS = sorted((PROJECT / "tests").rglob("*.py"))
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
PUBLIC_METHODS_MAX = 12
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "service", "misc"}

DEVELOPERS_PAGE = "DECISIONS.md"
"""The name of the pages that say why a package is as it is."""

PURE_MODULES = ("replication.digests", "node.changes", "hub.merge")
"""Modules that decide and do nothing else, whoever writes them; see the contract `pure` in pyproject.toml."""

UNIX_MODULES = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
UNIX_ATTRIBUTES = {
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "setuid", "setgid", "setsid", "getpgid", "killpg"),
    *("chown", "mkfifo", "uname", "getloadavg", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL", "SIGSTOP", "SIGCONT"),
    *("SIGCHLD", "SIGQUIT", "SIGALRM", "SIGPIPE", "AF_UNIX", "open_unix_connection", "start_unix_server"),
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def functions(module: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for found in ast.walk(module):
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
            yield found


def imported(module: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module's full name with its line; relative imports are ours and are left out."""
    for found in ast.walk(module):
        if isinstance(found, ast.Import):
            yield from ((alias.name, found.lineno) for alias in found.names)
        elif isinstance(found, ast.ImportFrom) and found.module and not found.level:
            yield found.module, found.lineno


# Ceilings and names


def test_no_source_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    too_long = {
        f"{name_of(path)}:{found.name}": lines
        for path in SOURCES
        for found in functions(tree(path))
        if (lines := (found.end_lineno or found.lineno) - found.lineno + 1) > FUNCTION_LINES_MAX
    }

    assert too_long == {}


def test_no_class_has_more_than_12_public_methods() -> None:
    crowded = {
        f"{name_of(path)}:{found.name}": count
        for path in SOURCES
        for found in ast.walk(tree(path))
        if isinstance(found, ast.ClassDef) and (count := _public_methods(found)) > PUBLIC_METHODS_MAX
    }

    assert crowded == {}


def _public_methods(found: ast.ClassDef) -> int:
    methods = (step for step in found.body if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(not method.name.startswith("_") for method in methods)


def test_modules_are_named_by_nouns_of_the_domain() -> None:
    parts = {name_of(path): set(path.relative_to(PROJECT).with_suffix("").parts) for path in [*SOURCES, *TESTS]}

    assert {name: found for name, all_parts in parts.items() if (found := all_parts & BANNED_NAMES)} == {}


def test_no_test_folder_hides_a_package() -> None:
    """A folder tests/node would make `import node` find the tests."""
    folders = {path.name for path in (PROJECT / "tests").rglob("*") if path.is_dir()}

    assert folders & set(PACKAGES) == set()


# Definitions


def test_every_definition_serves_the_program() -> None:
    """What only tests call is kept up for nobody, and a test of it proves nothing of the program."""
    modules = {
        name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree(path) for path in SOURCES
    }
    used = {one for name, module in modules.items() for one in _uses(name, module, modules)}

    assert sorted(
        f"{module}:{name}"
        for module, body in modules.items()
        for name, _ in _definitions(body)
        if (module, name) not in used and not name.startswith("__")
    ) == sorted(UNUSED)


UNUSED: dict[str, str] = {}
"""Definitions that nothing of the program uses, each with the reason why it stays."""


def _definitions(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for step in module.body:
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield step.name, step
        elif isinstance(step, ast.Assign | ast.AnnAssign):
            targets = step.targets if isinstance(step, ast.Assign) else [step.target]
            yield from ((one.id, step) for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))


def _uses(own: str, module: ast.Module, modules: dict[str, ast.Module]) -> Iterator[tuple[str, str]]:
    """Every definition that a module imports, reaches through another module, or uses outside of itself."""
    others = {}
    for found in ast.walk(module):
        if isinstance(found, ast.ImportFrom) and found.module:
            for alias in found.names:
                full = f"{found.module}.{alias.name}"
                if full in modules:
                    others[alias.asname or alias.name] = full
                else:
                    yield found.module, alias.name
    reached = {id(found.value) for found in ast.walk(module) if isinstance(found, ast.Attribute)}
    for found in ast.walk(module):
        if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name) and found.value.id in others:
            yield others[found.value.id], found.attr
        elif isinstance(found, ast.Name) and found.id in others and id(found) not in reached:
            # The module itself is handed on: a command, or a part whose functions somebody else calls.
            yield from ((others[found.id], name) for name, _ in _definitions(modules[others[found.id]]))
    yield from ((own, name) for name in _uses_within(module))


def _uses_within(module: ast.Module) -> Iterator[str]:
    defined = dict(_definitions(module))
    explained = {id(found.value) for found in ast.walk(module) if isinstance(found, ast.Expr)}
    for step in module.body:
        for found in ast.walk(step):
            if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Load) and defined.get(found.id) is not step:
                yield found.id
            elif isinstance(found, ast.Constant) and isinstance(found.value, str) and id(found) not in explained:
                # Annotations of what is defined further down stand in quotation marks.
                yield from (name for name in re.findall(r"[A-Za-z_]\w*", found.value) if name in defined)


# Limits


def test_every_limit_has_its_unit_and_reason() -> None:
    """Promise 13: the sentence under a limit starts with what is counted."""
    body = tree(PROJECT / "protocol" / "limits.py").body
    unexplained = [
        target
        for position, step in enumerate(body)
        for target in _constants(step)
        if not _explained(target, body[position + 1 : position + 2])
    ]

    assert unexplained == []


def _constants(step: ast.stmt) -> list[str]:
    targets = step.targets if isinstance(step, ast.Assign) else [step.target] if isinstance(step, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()]


def _explained(name: str, following: list[ast.stmt]) -> bool:
    if not following or not isinstance(following[0], ast.Expr) or not isinstance(following[0].value, ast.Constant):
        return False
    sentence = str(following[0].value.value)
    counted = re.match(r"[A-Z][a-z-]+", sentence)
    return counted is not None and len(sentence) > len(name)


# Imports


def test_the_import_rules_hold() -> None:
    """The layers node | hub -> replication -> protocol, and the other contracts of pyproject.toml."""
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    run = subprocess.run(
        [program, "--no-logo"], cwd=PROJECT, capture_output=True, text=True, check=False, encoding="utf-8", timeout=60
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_pure_modules_are_under_contract() -> None:
    """A contract cannot name a module that does not exist yet, so this test asks for it once it does."""
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    listed = {module for contract in contracts if contract["id"] == "pure" for module in contract["source_modules"]}
    existing = {module for module in PURE_MODULES if (PROJECT / f"{module.replace('.', '/')}.py").exists()}

    assert existing - listed == set()


def test_the_protocol_knows_msgspec_and_the_standard_library_only() -> None:
    allowed = {"msgspec", "protocol", *sys.stdlib_module_names}
    foreign = {
        f"{name_of(path)}:{line}": module
        for path in (PROJECT / "protocol").rglob("*.py")
        for module, line in imported(tree(path))
        if module.partition(".")[0] not in allowed
    }

    assert foreign == {}


def test_only_the_demonstration_imports_both_ends() -> None:
    """Within deploy/, the demonstration is the one place where node and hub meet."""
    meeting = {
        name_of(path)
        for path in (PROJECT / "deploy").rglob("*.py")
        if {"node", "hub"} & {module.partition(".")[0] for module, _ in imported(tree(path))}
    }

    assert {name for name in meeting if not name.startswith("deploy/demo/")} == set()


# The node runs on Windows


def test_no_unix_module_is_imported_on_the_nodes_path() -> None:
    unix = {
        f"{name_of(path)}:{line}": module
        for package in NODE_PATH
        for path in (PROJECT / package).rglob("*.py")
        for module, line in imported(tree(path))
        if module.partition(".")[0] in UNIX_MODULES
    }

    assert unix == {}


def test_no_unix_call_or_signal_is_named_on_the_nodes_path() -> None:
    named = {
        f"{name_of(path)}:{found.lineno}": found.attr
        for package in NODE_PATH
        for path in (PROJECT / package).rglob("*.py")
        for found in ast.walk(tree(path))
        if isinstance(found, ast.Attribute) and found.attr in UNIX_ATTRIBUTES
    }

    assert named == {}


def test_signal_handlers_of_the_loop_have_another_way_on_windows() -> None:
    """The event loop of Windows raises NotImplementedError for add_signal_handler."""
    deaf = [
        name_of(path)
        for package in NODE_PATH
        for path in (PROJECT / package).rglob("*.py")
        if "add_signal_handler" in (text := path.read_text(encoding="utf-8"))
        and not re.search(r"win32|NotImplementedError", text)
    ]

    assert deaf == []


# The base install


def base_distributions() -> set[str]:
    """Names of the distributions that `pip install danglian` brings, without an extra, as the lock file says."""
    lock: dict[str, Any] = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    packages = {package["name"]: package for package in lock["package"]}
    wanted, seen = [("danglian", "")], set[tuple[str, str]]()
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        package = packages[name]
        edges = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
        for edge in edges:
            wanted += [(edge["name"], ""), *((edge["name"], needed) for needed in edge.get("extra", []))]
    return {name for name, _ in seen}


def refused_modules() -> set[str]:
    """Top-level modules of everything installed here that the base install does not bring."""
    base = base_distributions()
    return {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", distribution).lower() for distribution in distributions} & base
    }


IMPORT_WITHOUT = """
import importlib.abc, sys, sysconfig
refused, unix = set({refused!r}), set({unix!r})
stdlib = sysconfig.get_path("stdlib")

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in refused:
            raise ModuleNotFoundError("not in the base install: " + name, name=name)
        # The standard library itself picks its Unix or Windows half; nobody else may ask for one.
        asking = sys._getframe(1)
        while "importlib" in asking.f_code.co_filename:
            asking = asking.f_back
        file = asking.f_code.co_filename
        if top in unix and ("site-packages" in file or not file.startswith(stdlib)):
            raise ModuleNotFoundError("not on Windows: " + name, name=name)
        return None

sys.meta_path.insert(0, Refuse())
import {module}
"""


def import_without(module: str, *, refused: set[str], unix: set[str]) -> subprocess.CompletedProcess[str]:
    """Import a module in a fresh interpreter that refuses these others."""
    program = IMPORT_WITHOUT.format(module=module, refused=sorted(refused), unix=sorted(unix))
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_the_extras_are_refused_where_only_the_base_is_allowed() -> None:
    """The instrument works: it knows the extras without being told, and refusing is an ImportError."""
    refused = refused_modules()

    assert {"rich", "cryptography", "xlsxwriter", "pytest"} <= refused
    assert refused & {"nats", "nkeys", "nacl", "msgspec", "sqlalchemy", *PACKAGES} == set()
    assert "not in the base install: rich" in import_without("rich", refused=refused, unix=set()).stderr


@pytest.mark.parametrize("module", ["node.daemon", "node.__main__"])
def test_the_base_install_is_enough_for_a_node(module: str) -> None:
    """A village PC has no broker, no certificate maker and no terminal toolkit; nor need it be a Unix."""
    run = import_without(module, refused=refused_modules(), unix=UNIX_MODULES)

    assert (run.returncode, run.stderr) == (0, "")


# What is shipped


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True, timeout=50)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


def test_the_wheel_carries_every_file_the_programs_read(wheel_names: set[str]) -> None:
    """Migrations, tables of codes and configurations are data, and data is what a build forgets."""
    wanted = {
        name_of(path)
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != DEVELOPERS_PAGE
    }

    assert wanted - wheel_names == set()


def test_the_wheel_carries_no_pages_for_developers(wheel_names: set[str]) -> None:
    """They stand beside the code they explain; a village PC needs none of them."""
    assert {name for name in wheel_names if name.endswith(DEVELOPERS_PAGE)} == set()


def test_the_wheel_carries_nothing_but_the_packages(wheel_names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel_names if ".dist-info/" not in name}

    assert tops == set(PACKAGES)


# Tests


def test_every_test_asserts_something() -> None:
    silent = [
        f"{name_of(path)}:{found.name}"
        for path in TESTS
        for found in functions(tree(path))
        if found.name.startswith("test_") and not any(_asserts(step) for step in ast.walk(found))
    ]

    assert silent == []


def _asserts(step: ast.AST) -> bool:
    """An assert, an expected exception or warning, or a call of a function named `assert_…`; a wait says too little."""
    if isinstance(step, ast.Assert):
        return True
    if not isinstance(step, ast.Call):
        return False
    called = step.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name.startswith("assert_") or name in {"raises", "warns", "fail", "expect"}


# Words that do not belong in any file

WRITTEN_HERE = {".py", ".md", ".toml", ".sql", ".conf", ".service", ".yaml", ".yml", ".json", ".sh", ".csv", ".txt", ""}
LEFT_OUT = {
    ".git",
    ".hypothesis",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".import_linter_cache",
    "chaos-report",
}
UNWANTED = {
    "path of one machine": re.compile(r"(?<![\w.])/(?:root|work|home)/\w"),
    "package registry": re.compile(r"(?:pypi|pythonhosted|npmjs)\.(?:org|com)"),
}


def written_files() -> Iterator[Path]:
    for path in sorted(PROJECT.rglob("*")):
        parts = path.relative_to(PROJECT).parts
        if path.is_file() and not LEFT_OUT & set(parts) and path.suffix in WRITTEN_HERE and path.name != "uv.lock":
            yield path


def test_no_file_names_a_machine_or_a_registry() -> None:
    """The one exception is uv.lock, which must say where each package came from."""
    found = [
        f"{name_of(path)}:{number}: {what}"
        for path in written_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        for what, pattern in UNWANTED.items()
        if pattern.search(line)
    ]

    assert found == []
