"""The README's examples are what the program prints, and its commands are the ones that are run."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import law
import pytest
from conftest import OnTerminal, PrintedBy
from once import once
from rich.cells import chop_cells

from toy_paxos.checking import Model, check

ROOT = Path(__file__).parent.parent
PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "toy_paxos").rglob("README.md"))]
}
README = PAGES[ROOT / "README.md"]
PICTURES = ROOT / "toy_paxos" / "pictures"
MAINTAINERS = PAGES[ROOT / "toy_paxos" / "README.md"]
EXAMPLES = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", "\n".join(PAGES.values()))

# Of each question that learners ask: the command, and what is to be looked for in what it prints.
QUESTIONS = re.findall(r"^\| \d+ \| .* \| `(toy-paxos .*)` \| (.*) \|$", README, re.MULTILINE)


def test_the_readmes_have_a_transcript_and_a_replay() -> None:
    commands = [command for command, _ in EXAMPLES]
    assert any(command.endswith("--rounds 1") for command in commands)
    assert any("--round " in command for command in commands)


@pytest.mark.parametrize(("command", "expected"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_is_what_the_program_prints_but_for_what_it_leaves_out(
    command: str, expected: str, printed_by: PrintedBy
) -> None:
    parts = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    pattern = r"(?:.*\n)*".join(map(re.escape, parts))
    assert re.fullmatch(pattern, printed_by(command))


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize(("command", "look_for"), QUESTIONS, ids=[command for command, _ in QUESTIONS])
def test_what_is_to_be_looked_for_is_on_a_screen_of_24_lines_and_80_columns(
    command: str, look_for: str, printed_by: PrintedBy, on_terminal: OnTerminal
) -> None:
    _, *args = command.split()
    if args[-1] == "check":
        # To climb takes long, and looks like that everywhere.
        shown = printed_by(command)
    else:
        at_once = ["-i", "0"] * (args[0] not in ("check", "play"))
        shown = re.sub(r"\x1b\[[\d;]*[mK]", "", on_terminal(*args, *at_once, columns=80))
    lines = [part for line in shown.splitlines() for part in chop_cells(line, 80)]
    screen = "\n".join(lines[-24:])
    for words in re.findall(r"`([^`]+)`", look_for):
        assert words in screen


def test_the_picture_is_what_the_program_draws(printed_by: PrintedBy, request: pytest.FixtureRequest) -> None:
    (command,) = re.findall(r"This is `(toy-paxos [^`]* -o )round\.svg`", README)
    drawn, picture = printed_by(f"{command}-.svg"), PICTURES / "round.svg"
    if request.config.getoption("--regenerate"):
        picture.write_text(drawn, encoding="utf-8")
    assert picture.read_text(encoding="utf-8") == drawn


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play the rounds behind the dots of the picture once for all tests."""
    dots = [(number, p) for number in law.SIZES for p in law.DOTS]
    rates = once("the dots of the law", lambda: {dot: law.observed(*dot) for dot in dots})
    monkeypatch.setattr(law, "observed", lambda *dot: rates[dot])


@pytest.mark.slow
@pytest.mark.usefixtures("dots")
def test_the_picture_of_the_law_is_what_its_script_draws(request: pytest.FixtureRequest) -> None:
    drawn, picture = law.drawing(), PICTURES / "law.svg"
    if request.config.getoption("--regenerate"):
        picture.write_text(drawn, encoding="utf-8")
    assert picture.read_text(encoding="utf-8") == drawn
    assert len(re.findall("<circle ", drawn)) == len(law.SIZES) * len(law.DOTS)


def assert_that_more_acceptors_help_below_a_probability_of_failure_and_hurt_above(
    rate: Callable[[int, float], float],
) -> None:
    assert rate(3, 0.1) < rate(9, 0.1) < rate(27, 0.1)
    assert rate(3, 0.4) > rate(9, 0.4) > rate(27, 0.4)


def test_more_acceptors_help_below_a_probability_of_failure_and_hurt_above() -> None:
    assert_that_more_acceptors_help_below_a_probability_of_failure_and_hurt_above(law.expected)
    assert law.expected(3, law.CROSSING) == pytest.approx(law.expected(27, law.CROSSING)) == pytest.approx(0.5)


@pytest.mark.slow
@pytest.mark.usefixtures("dots")
def test_the_dots_of_the_law_lie_on_its_curves() -> None:
    assert_that_more_acceptors_help_below_a_probability_of_failure_and_hurt_above(law.observed)
    assert max(abs(law.observed(n, p) - law.expected(n, p)) for n in law.SIZES for p in law.DOTS) < 0.03


def test_the_readme_shows_the_pictures() -> None:
    shown = re.findall(r"^!\[[^]]*\]\((.*)\)$", README, re.MULTILINE)
    assert sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in PICTURES.iterdir())


def test_the_pages_are_short() -> None:
    assert len(README.splitlines()) <= 180
    assert sum(len(page.splitlines()) for page in PAGES.values()) <= 1_100


def test_what_the_readme_links_to_is_in_the_package_whose_description_it_is() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert all(link.startswith("toy_paxos/") for link in links)


def test_links_between_the_pages_lead_somewhere() -> None:
    for path, page in PAGES.items():
        for link in re.findall(r"\]\(([^)#:]+)\)", page):
            assert (path.parent / link).exists(), link


def test_the_python_example_prints_what_it_says() -> None:
    (code,) = (code for page in PAGES.values() for code in re.findall(r"```python\n((?:.*\n)*?)```", page))
    printed = subprocess.check_output([sys.executable, "-c", code], encoding="utf-8")
    assert printed == code.splitlines()[-1].removeprefix("# ") + "\n"


def test_the_acceptor_from_scratch_is_right() -> None:
    (code,) = (code for page in PAGES.values() for code in re.findall(r"```py\n((?:.*\n)*?)```", page))
    its: dict[str, Any] = {"__name__": "my_file"}
    exec(code, its)
    assert check(Model(acceptor=its["FromScratch"])).safe


def test_the_file_map_is_complete() -> None:
    modules = {path.name for path in (ROOT / "toy_paxos").rglob("*.py")} - {"__init__.py", "__main__.py"}
    rooms = {f"{path.name}/" for path in (ROOT / "toy_paxos").iterdir() if (path / "__init__.py").exists()}
    tables = "\n".join(re.findall(r"^\| `.*", MAINTAINERS, re.MULTILINE))
    assert modules | rooms <= set(re.findall(r"`(\w+(?:\.py|/))`", tables))


def test_the_maintainers_page_is_short_and_has_six_checklists_of_five_steps() -> None:
    assert len(MAINTAINERS.splitlines()) <= 120
    checklists = re.findall(r"^## To add (.+)\n\n((?:.+\n)+)", MAINTAINERS, re.MULTILINE)
    assert [what for what, _ in checklists] == [
        "an option",
        "an event",
        "a view",
        "a property",
        "a changed rule",
        "a network failure",
    ]
    for _, steps in checklists:
        assert re.findall(r"^(\d)\. ", steps, re.MULTILINE) == ["1", "2", "3", "4", "5"]


def test_each_file_that_a_checklist_names_exists_and_has_what_is_looked_for_there() -> None:
    steps = MAINTAINERS.partition("## To add an option")[2].partition("## Tests")[0]
    for name in re.findall(r"`([\w/]+\.(?:py|md))`", steps):
        folder = ROOT / "toy_paxos" if (ROOT / "toy_paxos" / name).exists() else ROOT / "tests"
        assert (folder / name.removeprefix("tests/")).exists(), name
    for name, file in re.findall(r"`([\w.]+)`(?: there)? (?:in|of) `([\w/]+\.py)`", steps):
        folder = ROOT / "toy_paxos" if (ROOT / "toy_paxos" / file).exists() else ROOT / "tests"
        text = (folder / file.removeprefix("tests/")).read_text(encoding="utf-8")
        assert re.search(rf"^ *(?:class |def )?{name.rpartition('.')[2]}\b", text, re.MULTILINE), f"{name} in {file}"


def test_the_readmes_test_command_is_what_ci_runs() -> None:
    assert "grep '^python3 -m venv .*pytest$' README.md" in (ROOT / ".ci" / "run").read_text()
    assert len(re.findall("^python3 -m venv .*pytest$", README, re.MULTILINE)) == 1
