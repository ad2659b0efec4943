"""The rules that keep the core pure and the lesson short, checked on the source itself."""

import ast
import sys
from pathlib import Path

import pytest

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
        "output",
        "stop",
        "terminal",
    },
    "stop": set(),
    "main": {
        "check_command",
        "display",
        "network_display",
        "network_result",
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
    "click": {"main", "check_command"},
    "rich": {"terminal", "check_command"},
    "random": {"main", "rounds"},
    "time": {"main", "stop", "checker"},
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
    return found


def test_every_module_has_its_place_in_the_order() -> None:
    assert set(MODULES) == set(ALLOWED)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    own = {module.removeprefix("toy_paxos.") for module in imports(MODULES[name]) if "toy_paxos." in module}
    assert own <= ALLOWED[name]


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
