"""Actors that the command line names: those of a changed rule, a class in a file, or a program."""

import os
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from toy_paxos.command.options import F, Refused, option, shortened, suggestion, with_options
from toy_paxos.command.process import set_up, user_output_to_stderr, write
from toy_paxos.settings import quoted
from toy_paxos.view.output import shown

if TYPE_CHECKING:
    from toy_paxos.adapt import Role

EXEC = "exec:"
"""The prefix of a command that runs as the actors."""


def load_actor(ctx: click.Context, param: click.Parameter, value: str | None) -> type | None:
    """Return the class that an option names; raise click.BadParameter if there is none."""
    if value is None:
        return None
    ctx.meta[str(param.name)] = value
    try:
        return named_actor(value, "acceptor" if param.name == "acceptor" else "proposer")
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def named_actor(value: str, role: "Role") -> type:
    """Return the class for ``FILE.py:CLASS`` or ``exec:COMMAND``; raise ValueError if there is none."""
    # Imported here because most runs use no other actors.
    from toy_paxos.adapt import adapted, program

    if value.startswith(EXEC):
        try:
            return program(value.removeprefix(EXEC), role)
        except ValueError as error:
            raise ValueError(f"{shortened(value)} is not a command: {error}.") from error
    file, _, name = value.rpartition(":")
    if not file.endswith(".py") or not name:
        raise ValueError(f"{value!r} is not of the form FILE.py:CLASS or exec:COMMAND.")
    if not os.path.isfile(file):
        raise ValueError(f"file {file!r} does not exist.")
    try:
        with user_output_to_stderr():
            module = load_module(os.path.realpath(file))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise at_fault(f"{file!r} cannot be imported", error) from error
    actor: Any = getattr(module, name, None)
    if not isinstance(actor, type):
        classes = [name for name, thing in vars(module).items() if isinstance(thing, type)]
        raise ValueError(f"class {name!r} is not in {file!r}.{suggestion(name, classes)}")
    found = adapted(actor, role)
    if issubclass(found, actor) and not takes(actor, *ARGUMENTS[role]):
        other = "acceptor" if role == "proposer" else "proposer"
        hint = f" Did you mean --{other}?" if takes(actor, *ARGUMENTS[other]) else ""
        raise ValueError(f"class {name!r} in {file!r} cannot be created as {name}({', '.join(ARGUMENTS[role])}).{hint}")
    return found


# By role, the arguments of a class of actors.
ARGUMENTS = {"acceptor": ("name",), "proposer": ("name", "value", "acceptors", "id", "id_step")}


def takes(actor: type, *args: object, **keywords: object) -> bool:
    """Return whether a class can be called with these arguments."""
    # Imported here because most runs use no other actors.
    from inspect import signature

    try:
        signature(actor).bind(*args, **keywords)
    except TypeError:
        return False
    return True


@cache
def load_module(path: str) -> ModuleType:
    """Return the module in a file, loaded once; it can import modules beside it, as a script can."""
    from importlib.util import module_from_spec, spec_from_file_location

    sys.path.insert(0, os.path.dirname(path))
    # No import finds a module by the name of its file, so it hides no other one; and errors name it.
    spec = spec_from_file_location(os.path.basename(path), path)
    assert spec
    assert spec.loader
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LIST, NONE = "list", "none"


def rule_names(ctx: click.Context, param: click.Parameter, incomplete: str = "") -> list[str]:
    """Return the values of --break with this beginning; only now import the rules, which most runs do not need."""
    from toy_paxos.checking import CHANGED_RULES

    return [name for name in (*CHANGED_RULES, NONE, LIST) if name.startswith(incomplete)]


def check_rule_name(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the name, or None for no rule; raise click.UsageError for an unknown one, and for more than one."""
    if len(values) > 1:
        raise click.UsageError("--break: give one change.", ctx)
    for value in values:
        if value not in (names := rule_names(ctx, param)):
            hint = suggestion(value, names) or f" '--break {LIST}' lists the changes."
            raise click.BadParameter(f"unknown rule {shortened(value)}.{hint}", ctx, param)
    return None if values in ((), (NONE,)) else values[0]


def at_fault(words: str, error: BaseException, *kinds: object) -> Refused:
    """Return the error of one of these classes in one line, which ends with its file and line."""
    from toy_paxos.checking.refusal import failure

    return Refused(str(failure(words, error, *kinds)))


def actor_options(group: str) -> Callable[[F], F]:
    """Return the options for other actors than those of Paxos; the command must call :func:`other_actors`."""
    help = f"Change one rule of Paxos; '{LIST}' lists the changes."
    own = "Your own: FILE.py:CLASS or 'exec:COMMAND'."
    return with_options(
        option(
            group, "--break rule_name", help, "RULE", callback=check_rule_name, multiple=True, shell_complete=rule_names
        ),
        option(group, "--acceptor", own, "ACTOR", click.Path(), callback=load_actor),
        option(group, "--proposer", own, "ACTOR", click.Path(), callback=load_actor),
    )


def list_rules(ctx: click.Context, form: str | None = None) -> None:
    """List the rules and end the command if --break asks for that; raise click.UsageError for a story or diagram."""
    if ctx.params["rule_name"] != LIST:
        return
    if form not in (None, "json") or ctx.params.get("output"):
        other = "-o to write" if ctx.params.get("output") else f"--{form} to show"
        raise click.UsageError(f"--break list has no story for {other}: leave out one of them.")
    from toy_paxos.checking import CHANGED_RULES
    from toy_paxos.view.json_lines import rules_json
    from toy_paxos.view.verdict import rules_lines

    set_up(utf_8=form == "json")
    rules = [rule.told for rule in CHANGED_RULES.values()]
    write(rules_json(rules) if form == "json" else shown(rules_lines(rules)))
    ctx.exit()


def other_actors(ctx: click.Context, form: str | None = None) -> tuple[dict[str, Any], str, str]:
    """Return the classes that replace those of Paxos, the options that name them, and the words that describe them.

    If --break asks for a list of the rules, end the command instead.
    """
    list_rules(ctx, form)
    rule_name, given = ctx.params["rule_name"], {kind: ctx.params.get(kind) for kind in ("acceptor", "proposer")}
    actors = {kind: actor for kind, actor in given.items() if actor}
    if rule_name:
        from toy_paxos.checking import CHANGED_RULES

        if actors:
            raise click.UsageError("--break brings its own actors: leave out --acceptor and --proposer.")
        rule, model = CHANGED_RULES[rule_name], CHANGED_RULES[rule_name].model
        actors = {"acceptor": model.acceptor, "proposer": model.proposer}
        return actors, f"--break {rule_name}", rule.change
    options = " ".join(f"--{kind} {quoted(ctx.meta[kind])}" for kind in actors)
    needs_quorums = "proposer" in actors and ctx.params.get("quorums")
    if needs_quorums and not takes(actors["proposer"], *ARGUMENTS["proposer"], quorums=(1, 1)):
        remedy = "leave --quorums out, or let its __init__ take quorums=None, a pair of numbers"
        raise click.UsageError(f"{ctx.meta['proposer']} takes no quorums: {remedy}.")
    said = ", ".join(f"{kind} {ctx.meta[kind]}" for kind in actors)
    return actors, options, f"Actors: {said}" if actors else ""
