"""The rules that keep the core pure and the lesson short, checked on the source itself."""

import ast
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from flit_core.buildapi import build_sdist

PACKAGE = Path(__file__).parent.parent / "toy_paxos"
MODULES = {path.stem: ast.parse(path.read_text()) for path in sorted(PACKAGE.glob("*.py"))}

# Which modules of the package a module may import.
ALLOWED = {
    "__init__": set(),
    "message": set(),
    "actor": {"message"},
    "acceptor": {"message"},
    "proposer": {"message"},
    "actor_registry": {"actor", "message"},
    "settings": {"proposer"},
    "result": {"message", "proposer", "settings"},
    "display": {"message", "proposer", "result", "settings"},
    "network": {"acceptor", "actor_registry", "message", "proposer", "settings"},
    "safety": {"message", "network", "proposer"},
    "network_result": {"network", "result", "safety"},
    "network_display": {"display", "network", "network_result", "safety", "settings"},
    "rounds": {
        "acceptor",
        "actor_registry",
        "network",
        "network_result",
        "proposer",
        "result",
        "safety",
        "settings",
    },
    "terminal": {"display"},
    "output": set(),
    "cluster": {"acceptor", "actor", "message", "proposer", "snapshot"},
    "snapshot": set(),
    "checker": {"actor", "cluster", "message", "network", "safety"},
    "broken": {"acceptor", "actor", "cluster", "message", "proposer"},
    "check_display": {
        "broken",
        "checker",
        "cluster",
        "display",
        "network",
        "network_display",
        "safety",
    },
    "check_command": {
        "actor",
        "broken",
        "check_display",
        "checker",
        "cluster",
        "options",
        "output",
        "stop",
        "terminal",
    },
    "options": set(),
    "stop": {"output"},
    "main": {
        "check_command",
        "display",
        "network_display",
        "network_result",
        "options",
        "output",
        "result",
        "rounds",
        "settings",
        "stop",
        "terminal",
    },
    "__main__": {"main"},
}

# Who may import what is not Paxos. Everybody may import the rest of the standard library.
RESERVED = {
    "click": {"main", "check_command", "options"},
    "rich": {"terminal"},
    "random": {"main", "rounds"},
    "time": {"main", "stop", "checker", "output"},
    "signal": {"main", "stop", "__main__", "check_command"},
}

CORE = ("message", "actor", "acceptor", "proposer", "actor_registry")


def imports(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere, by its full name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say whole names"
            found.add(node.module or "")
            if node.module == "toy_paxos":
                found |= {f"toy_paxos.{alias.name}" for alias in node.names if alias.name in MODULES}
    return found


def test_every_module_has_its_place_in_the_order() -> None:
    assert set(MODULES) == set(ALLOWED)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    own = {module.removeprefix("toy_paxos.") for module in imports(MODULES[name]) if "toy_paxos." in module}
    assert own <= ALLOWED[name]


def test_no_form_of_import_goes_unseen() -> None:
    for code in ("import toy_paxos.main", "from toy_paxos import main", "from toy_paxos.main import run"):
        assert "toy_paxos.main" in imports(ast.parse(code))


@pytest.mark.parametrize("name", MODULES)
def test_run_time_dependencies_are_click_and_rich(name: str) -> None:
    tops = {module.split(".")[0] for module in imports(MODULES[name])}
    assert tops <= sys.stdlib_module_names | {"toy_paxos", "click", "rich"}


@pytest.mark.parametrize("reserved", RESERVED)
def test_only_some_import_what_is_not_paxos(reserved: str) -> None:
    users = {
        name for name, tree in MODULES.items() if reserved in {module.split(".")[0] for module in imports(tree)}
    }
    assert users <= RESERVED[reserved]


def test_the_classifiers_name_the_versions_of_python_that_ci_runs() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    versions = [line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line]
    assert f"versions=({' '.join(versions)})\n" in (PACKAGE.parent / ".ci" / "run").read_text()
    assert project["requires-python"] == f">={versions[0]}"


def test_the_source_distribution_holds_the_tests_and_the_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PACKAGE.parent)
    with tarfile.open(tmp_path / build_sdist(str(tmp_path))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"README.md", "toy_paxos/py.typed", "tests/test_house_rules.py", "tests/transcripts/json.txt"} <= names


def test_only_rounds_touches_the_global_registry() -> None:
    users = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "registry" in {alias.name for alias in node.names}
    }
    assert users == {"rounds"}


def test_nobody_rebinds_the_global_registry() -> None:
    bindings = [
        target.id
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Global))
        for target in ast.walk(node)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    ]
    assert bindings.count("registry") == 1


@pytest.mark.parametrize("name", CORE)
def test_the_core_is_pure(name: str) -> None:
    calls = {
        node.func.id
        for node in ast.walk(MODULES[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls.isdisjoint({"print", "open", "input"})
    assert imports(MODULES[name]) <= {
        "collections.abc",
        "dataclasses",
        "typing",
        *(f"toy_paxos.{module}" for module in ALLOWED[name]),
    }


def test_the_core_is_a_ten_minute_lesson() -> None:
    lines = [line for name in CORE for line in (PACKAGE / f"{name}.py").read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) <= 300
