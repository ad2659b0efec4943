"""The options of every command: where they come from, and what its help says."""

import re
from typing import Any

import click
import pytest
from conftest import RunHere

from toy_paxos.main import COMMANDS
from toy_paxos.main import run as command
from toy_paxos.remote import ZOOKEEPER_AUTH


def parsed(name: str, *args: str) -> dict[str, Any]:
    """Return the options that a command gets."""
    with command.make_context("toy-paxos", []) as context:
        its = command.get_command(context, name)
        return its.make_context(name, list(args), parent=context).params if its else context.params


NEEDED = {"acceptor": ["--name", "acceptor-0", "--data-dir", "x"], "verify": ["log"]}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_environment_sets_no_option(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = parsed(name, *NEEDED.get(name, []))
    for param in ("BREAK", *(key.upper() for key in without)):
        # No number, switch or file is called so.
        monkeypatch.setenv(f"TOY_PAXOS_{param}", "x")
        if name:
            monkeypatch.setenv(f"TOY_PAXOS_{name.upper()}_{param}", "x")
    assert parsed(name, *NEEDED.get(name, [])) == without


@pytest.mark.parametrize("name", ["acceptor", "propose", "cluster"])
def test_the_help_names_the_variable_of_the_password(name: str, run_here: RunHere) -> None:
    assert f"{ZOOKEEPER_AUTH}=USER:PASSWORD" in run_here(name, "--help").stdout


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("check", "0 1 2 3 4 130"),
        ("play", "0 1 2 3 130"),
        ("cluster", "0 1 2 3 4 130"),
        ("acceptor", "0 1 2 143"),
        ("propose", "0 1 2 3 4 130"),
        ("verify", "0 1 2 3 4 130"),
    ],
)
def test_the_help_of_every_command_lists_its_exit_statuses(name: str, statuses: str, run_here: RunHere) -> None:
    _, _, listed = run_here(name, "--help").stdout.partition("  Exit status:\n")
    assert re.findall(r"^    (\d+) +\S", listed, re.MULTILINE) == statuses.split()
    assert "143 SIGTERM" in listed.replace("  ", " ")
    assert "141 closed pipe" in listed


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_short_help_fits_on_a_screen_and_the_long_one_is_complete(name: str, run_here: RunHere) -> None:
    short, long = (run_here(*name.split(), help).stdout for help in ("-h", "--help"))
    assert len(short.splitlines()) <= 40
    assert max(map(len, [*short.splitlines(), *long.splitlines()])) <= 80
    assert f"'{' '.join(['toy-paxos', *name.split()])} --help' lists all" in short
    with command.make_context("toy-paxos", []) as context:
        its = command.get_command(context, name) or command
    for option in its.params:
        assert isinstance(option, click.Argument) or option.opts[-1] in long
    for words in ("[default", "<=", "is_flag", "Sentinel"):
        assert words not in short + long


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_on_a_narrow_terminal_each_explanation_stands_below_its_option(
    name: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = run_here(*name.split(), "-h").stdout
    assert not re.search(r"^  --?\w.*  ", shown, re.MULTILINE)
    # The examples are not wrapped, because they are to be copied.
    head, _, options = shown.partition("\nOptions:\n")
    assert max(map(len, [*head.splitlines()[:4], *options.splitlines()])) <= 40


def test_help_lists_required_options_first_and_those_of_help_last(run_here: RunHere) -> None:
    for name in COMMANDS:
        assert re.findall(r"^(\w+).*:$", run_here(name, "--help").stdout, re.MULTILINE)[-1] == "Other"
    short, long = (
        re.findall(r"^  (-.*?)  ", run_here("acceptor", help).stdout, re.MULTILINE) for help in ("-h", "--help")
    )
    assert short[:2] == long[:2] == ["--name NAME", "--data-dir DIR"]
    assert long[-2:] == ["-h", "--help"]


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage_of_a_command_points_to_its_own_help(name: str, run_here: RunHere) -> None:
    its = command.get_command(click.Context(command), name)
    assert its
    takes_value = next(param for param in its.params if isinstance(param, click.Option) and not param.is_flag)
    for arg in (takes_value.opts[-1], "--help=x", "--bogus"):
        done = run_here(name, arg)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.endswith(f" (toy-paxos {name} --help lists the options)\n")
