"""The rules that keep the core pure, the lesson short and the floors apart, checked on the source itself."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from shutil import which

import pytest
from flit_core.buildapi import build_sdist

from toy_paxos import remote
from toy_paxos.remote.local_zookeeper import PACKAGES

PACKAGE = Path(__file__).parent.parent / "toy_paxos"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
        path.read_text()
    )
    for path in sorted(PACKAGE.rglob("*.py"))
}

LESSON = ("message", "actor", "acceptor", "proposer", "actor_registry")

# Rooms, a floor a line, the top floor last. A module may import from the floors below it and from its own room; two
# rooms on one floor do not know each other.
FLOORS: list[list[str]] = [
    ["toy_paxos"],
    [f"toy_paxos.{name}" for name in LESSON],
    ["toy_paxos.message_like"],
    ["toy_paxos.event"],
    ["toy_paxos.story", "toy_paxos.event_json"],
    ["toy_paxos.settings", "toy_paxos.safety", "toy_paxos.rules", "toy_paxos.snapshot"],
    ["toy_paxos.round", "toy_paxos.adapt"],
    ["toy_paxos.simulation", "toy_paxos.checking", "toy_paxos.remote", "toy_paxos.view"],
    ["toy_paxos.command"],
    ["toy_paxos.main", "toy_paxos.api"],
    ["toy_paxos.__main__"],
]

# Who may import what is not Paxos. Everybody may import the rest of the standard library.
RESERVED = {
    "click": {
        f"toy_paxos.{name}"
        for name in (
            "main",
            "command.acceptor",
            "command.actors",
            "command.check",
            "command.cluster",
            "command.help",
            "command.options",
            "command.play",
            "command.propose",
            "command.remote",
            "command.story_file",
            "command.verify",
        )
    },
    "rich": {f"toy_paxos.view.{name}" for name in ("terminal", "lanes", "svg")},
    "random": {
        f"toy_paxos.{name}"
        for name in (
            "main",
            "api",
            "simulation.rounds",
            "checking.determinism",
            "checking.dice",
            "command.acceptor",
            "command.moves",
            "command.remote",
            "command.user_code",
            "remote.supervisor",
        )
    },
    "time": {
        f"toy_paxos.{name}"
        for name in (
            "command.show",
            "adapt.process",
            "command.process",
            "command.acceptor",
            "checking.checker",
            "remote.real_round",
            "remote.supervisor",
            "remote.zookeeper",
            "remote.local_zookeeper",
        )
    },
    "signal": {
        f"toy_paxos.{name}"
        for name in (
            "__main__",
            "adapt.process",
            "command.process",
            "command.check",
            "command.guard",
            "command.show",
            "command.acceptor",
            "remote.supervisor",
        )
    },
    "grpc": {"toy_paxos.remote.rpc"},
    "google": {"toy_paxos.remote.wire_pb2"},
    "kazoo": {"toy_paxos.remote.zookeeper"},
}


def imports(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere, by its full name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say whole names"
            wholes = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {whole if whole in MODULES else node.module or "" for whole in wholes}
    return found


def place(module: str) -> tuple[int, str]:
    """The floor and the room of a module."""
    for floor, rooms in enumerate(FLOORS):
        for room in rooms:
            if module == room or (room != "toy_paxos" and module.startswith(f"{room}.")):
                return floor, room
    raise AssertionError(f"{module} has no place")


def imports_of_ours(name: str) -> set[str]:
    """Every module of the package that a module imports."""
    ours = imports(MODULES[name]) & MODULES.keys()
    # The package offers the names of its top floor lazily; that import is for type checkers.
    return ours - {"toy_paxos.api"} if name == "toy_paxos" else ours


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    floor, room = place(name)
    for imported in imports_of_ours(name):
        below, other = place(imported)
        is_the_lesson = floor == below == 1
        assert below < floor or other == room or is_the_lesson, f"{name} imports {imported}"


def test_no_files_import_each_other_in_a_circle() -> None:
    # Raises CycleError with the files of a circle; an import within a function or for type checking counts, too.
    TopologicalSorter({name: imports_of_ours(name) for name in MODULES}).prepare()


def test_no_form_of_import_goes_unseen() -> None:
    for code in (
        "import toy_paxos.main",
        "from toy_paxos import main",
        "from toy_paxos.main import run",
        "def late():\n    from toy_paxos.main import run",
    ):
        assert "toy_paxos.main" in imports(ast.parse(code))


def test_the_lesson_can_be_read_in_its_order() -> None:
    for at, name in enumerate(LESSON):
        own = {module for module in imports(MODULES[f"toy_paxos.{name}"]) if module.startswith("toy_paxos")}
        assert own <= {f"toy_paxos.{earlier}" for earlier in LESSON[:at]}


@pytest.mark.parametrize("name", MODULES)
def test_run_time_dependencies_are_click_and_rich(name: str) -> None:
    tops = {module.split(".")[0] for module in imports(MODULES[name])}
    extra = {"grpc", "google", "kazoo"} if name.startswith("toy_paxos.remote.") else set()
    assert tops <= sys.stdlib_module_names | {"toy_paxos", "click", "rich"} | extra


@pytest.mark.parametrize("reserved", RESERVED)
def test_only_some_import_what_is_not_paxos(reserved: str) -> None:
    users = {name for name, tree in MODULES.items() if reserved in {module.split(".")[0] for module in imports(tree)}}
    assert users == RESERVED[reserved]


@pytest.mark.skipif(not (PACKAGE.parent / ".git").exists() or not which("git"), reason="needs a git checkout")
def test_nothing_else_stands_at_the_top() -> None:
    listed = subprocess.check_output(["git", "ls-files"], cwd=PACKAGE.parent, encoding="utf-8")
    tops = {path.partition("/")[0] for path in listed.splitlines()}
    assert tops == {".ci", ".gitignore", "README.md", "pyproject.toml", "tests", "toy_paxos"}


def test_the_classifiers_name_the_versions_of_python_that_ci_runs() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    versions = [line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line]
    assert f"versions=({' '.join(versions)})\n" in (PACKAGE.parent / ".ci" / "run").read_text()
    assert project["requires-python"] == f">={versions[0]}"


def test_the_packages_that_processes_ask_for_are_the_extra() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["cluster"] == [*remote.PACKAGES]


def test_what_the_readmes_test_command_leaves_out_is_slow_by_nature_and_ci_runs_it() -> None:
    sources = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("*.py")))
    assert re.findall(r"mark\.slow\b(?:.*\n)+?def (\w+)", sources) == [
        "test_a_pair_that_keeps_the_rules_violates_nothing_and_no_execution_breaks_a_rule",
        "test_many_random_games_and_their_predictions_are_those_of_play",
        "test_wherever_they_are_killed_the_logs_are_complete_and_safe",
        "test_a_value_is_learned_in_999_of_1000_rounds",
        "test_acceptors_that_forget_lose_agreement_before_ones_eyes",
        "test_the_picture_of_the_law_is_what_its_script_draws",
        "test_the_dots_of_the_law_lie_on_its_curves",
        "test_acceptors_that_are_killed_at_random_lose_nothing",
        "test_the_observed_rate_is_within_4_standard_deviations_of_the_law",
        "test_while_it_is_away_rounds_go_on_and_when_it_is_back_all_is_as_before",
        "test_if_it_has_lost_its_data_all_end_with_a_clear_word",
    ]
    ci = (PACKAGE.parent / ".ci" / "run").read_text()
    assert ".venv/bin/pytest --quiet -m slow\n" in ci
    # Any other -m takes the place of that in pyproject.toml, and so has to name what it leaves out.
    assert set(re.findall(r"pytest.* -m (\w+|\".*?\")", ci)) == {"slow", '"not outside"', '"slow or not slow"'}


def test_ci_installs_the_zookeeper_that_the_program_asks_for() -> None:
    assert f"install {PACKAGES} openssl" in (PACKAGE.parent / ".ci" / "run").read_text()


def test_the_source_distribution_holds_the_tests_and_the_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGE.parent)
    with tarfile.open(tmp_path / build_sdist(str(tmp_path))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "README.md",
        "toy_paxos/py.typed",
        "toy_paxos/stories/adoption.txt",
        "toy_paxos/view/game.js",
        "toy_paxos/view/page.html",
        "toy_paxos/view/svg.css",
        "tests/test_house_rules.py",
        "tests/transcripts/json.txt",
    } <= names


def test_only_rounds_touches_the_global_registry() -> None:
    users = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "registry" in {alias.name for alias in node.names}
    }
    assert users == {"toy_paxos.simulation.rounds"}


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


@pytest.mark.parametrize("name", LESSON)
def test_the_core_is_pure(name: str) -> None:
    tree = MODULES[f"toy_paxos.{name}"]
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert calls.isdisjoint({"print", "open", "input"})
    standard = {module for module in imports(tree) if not module.startswith("toy_paxos")}
    assert standard <= {"collections.abc", "dataclasses", "typing"}


def test_the_core_is_a_ten_minute_lesson() -> None:
    lines = [line for name in LESSON for line in (PACKAGE / f"{name}.py").read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) <= 300
