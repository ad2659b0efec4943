"""The command ``toy-paxos check``: options in, a search through every execution, a verdict out."""

import inspect
import sys
import sysconfig
import traceback
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from signal import SIGTERM
from types import ModuleType
from typing import Any

import click
from click.shell_completion import CompletionItem

import toy_paxos
from toy_paxos.checking import RULES, CheckError, Model, Report, Rule, check, check_rule
from toy_paxos.command.options import RuleName, WholeNumber, suggestion
from toy_paxos.command.process import Progress, StopRequest, die_by, say, set_up, somebody_elses_words, write
from toy_paxos.command.verdict import report_json, report_lines, rules_json, rules_lines, start_json, start_lines
from toy_paxos.command.views import shown


class Unchecked(click.ClickException):
    """The user's own class is at fault, and so no option is."""

    exit_code = 2


def where(error: BaseException | None, *classes: object) -> str:
    """The place in the user's own code that an error comes from, else where the class at fault begins."""
    if isinstance(error, SyntaxError):
        return f" (line {error.lineno})"
    ours = (str(Path(toy_paxos.__file__).parent), sysconfig.get_path("stdlib"), "<")
    frames = traceback.extract_tb(error.__traceback__) if error else []
    places = [(frame.filename, frame.lineno) for frame in frames if not frame.filename.startswith(ours)]
    for kind in classes:
        if not places and isinstance(kind, type) and not (file := inspect.getfile(kind)).startswith(ours):
            places = [(file, inspect.getsourcelines(kind)[1])]
    return "".join(f" ({Path(file).name}, line {line})" for file, line in places[-1:])


def load_class(ctx: click.Context, param: click.Parameter, value: str | None) -> type | None:
    """The class that ``FILE.py:CLASS`` names; raises click.BadParameter if there is none that can be an actor."""
    if value is None:
        return None
    file, _, name = value.rpartition(":")
    if not file.endswith(".py") or not name:
        raise click.BadParameter(f"{value!r} is not of the form FILE.py:CLASS.", ctx, param)
    if not Path(file).is_file():
        raise click.BadParameter(f"there is no file {file!r}.", ctx, param)
    try:
        with somebody_elses_words():
            module = load_module(Path(file).resolve())
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        words = f"{file!r} cannot be imported: {type(error).__name__}: {error}{where(error)}"
        raise Unchecked(words) from error
    actor = getattr(module, name, None)
    if not isinstance(actor, type):
        classes = [name for name, thing in vars(module).items() if isinstance(thing, type)]
        words = f"there is no class {name!r} in {file!r}.{suggestion(name, classes)}"
        raise click.BadParameter(words, ctx, param)
    if not callable(getattr(actor, "receive", None)):
        raise click.BadParameter(f"class {name!r} in {file!r} has no method receive(message).", ctx, param)
    return actor


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What a shell completes the name of a file with: files."""
    return [CompletionItem(incomplete, type="file")]


@cache
def load_module(path: Path) -> ModuleType:
    """The module in a file, loaded once, which finds its neighbours as a script does."""
    sys.path.insert(0, str(path.parent))
    spec = spec_from_file_location(f"checked_{path.stem}", path)
    assert spec
    assert spec.loader
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@click.command(
    context_settings={"show_default": True},
    epilog="""\b
Exit status:
  0  explored to the end, and safe
  2  wrong usage, or an actor that cannot be checked
  3  violated, or nothing can be chosen; so too with --break
  4  not explored to the end (--max-states, Ctrl-C): nothing is proved""",
)
@click.option(
    "-n",
    "--num-acceptors",
    type=WholeNumber(1, 9),
    metavar="N",
    help="Number of acceptors.  [default: 3, or what the changed rule takes]",
)
@click.option(
    "--num-proposers",
    type=WholeNumber(1, 9),
    metavar="K",
    help="Number of proposers.  [default: 2, or what the changed rule takes]",
)
@click.option(
    "--max-attempts",
    type=WholeNumber(1, 9),
    metavar="N",
    help="Attempts of each proposer.  [default: 1, or what the changed rule takes]",
)
@click.option(
    "--break",
    "rule_name",
    type=RuleName([*RULES, "list"]),
    metavar="RULE",
    help="Change one rule, and see what comes of it; 'list' lists the rules.",
)
@click.option(
    "--acceptor",
    callback=load_class,
    shell_complete=complete_files,
    metavar="FILE.py:CLASS",
    help="Check this acceptor: CLASS(name).",
)
@click.option(
    "--proposer",
    callback=load_class,
    shell_complete=complete_files,
    metavar="FILE.py:CLASS",
    help="Check this proposer: CLASS(name, value, acceptors, id, id_step).",
)
@click.option("--max-states", type=WholeNumber(1, 10**9), metavar="N", help="Stop after N states.")
@click.option("--json", is_flag=True, help="Print JSON Lines, an object an event.")
def check_command(
    rule_name: str | None,
    acceptor: type | None,
    proposer: type | None,
    max_states: int | None,
    json: bool,
    **sizes: int | None,
) -> None:
    """Explore every execution of a small cluster.

    \b
    Every order of delivery, every loss and every duplication:
      toy-paxos check --num-acceptors 3
    Without one rule, and the shortest execution that goes wrong:
      toy-paxos check --break ignores-accepted
    """
    set_up(json)
    if rule_name == "list":
        write(rules_json() if json else shown(rules_lines()))
        return
    if rule_name and (acceptor or proposer):
        raise click.UsageError("--break brings its own actors: leave out --acceptor and --proposer.")
    rule = RULES[rule_name] if rule_name else None
    changes = {**sizes, "acceptor": acceptor, "proposer": proposer}
    given: dict[str, Any] = {name: change for name, change in changes.items() if change is not None}
    model = replace(rule.model if rule else Model(), **given)
    explored = Explored()
    stop = StopRequest(on_quit=lambda: say(f"toy-paxos check: {explored}"), waiting_for="the search")
    write(start_json(model, rule) if json else shown(start_lines(model, rule)))
    with somebody_elses_words():
        report = search(model, rule, max_states, stop, explored)
    write(report_json(report) if json else shown(list(report_lines(report, rule))))
    stop.close()
    if stop.signal == SIGTERM:
        die_by(SIGTERM)
    if report.violation or report.never:
        sys.exit(3)
    if not report.complete:
        sys.exit(4)


@dataclass
class Explored:
    """How far a search is."""

    states: int = 0
    depth: int = 0

    def __str__(self) -> str:
        return f"{self.states:,} states, {self.depth} deliveries deep"


def search(model: Model, rule: Rule | None, max_states: int | None, stop: StopRequest, explored: Explored) -> Report:
    """Search until the end or until asked to stop, and show progress."""
    progress = Progress()

    def keep_going(states: int, depth: int) -> bool:
        explored.states, explored.depth = states, depth
        progress.show(lambda: str(explored))
        return stop.signal is None

    try:
        if rule:
            return check_rule(rule, model, max_states, keep_going)
        return check(model, max_states, keep_going)
    except CheckError as error:
        place = where(error.__cause__, model.acceptor, model.proposer)
        raise Unchecked(f"the model cannot be checked: {error}{place}") from error
    finally:
        progress.erase()
