"""The command ``toy-paxos check``: options in, a search through every execution, a verdict out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from signal import SIGTERM
from types import ModuleType
from typing import Any

import click

from toy_paxos.checking import (
    MAX_STATES,
    RULES,
    Judgement,
    Model,
    Report,
    Rule,
    check_one,
    check_rule,
    climb,
    judge_all,
    most_telling,
    summary,
    throw_dice,
)
from toy_paxos.command.actors import actor_options, at_fault, list_rules, other_actors
from toy_paxos.command.help import Command
from toy_paxos.command.options import WholeNumber, check_quorums, one_view, option, size_options, story_views
from toy_paxos.command.process import Progress, StopRequest, die_by, say, set_up, user_output_to_stderr, write
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.story import Story
from toy_paxos.view.output import columns, shown
from toy_paxos.view.verdict import (
    cluster_lines,
    counterexample,
    deliveries,
    dice_lines,
    judgement_lines,
    report_lines,
    start_lines,
    summary_lines,
    told,
)
from toy_paxos.view.words import Line, plural, story_lines

MOST_STATES = f"{MAX_STATES:,}, or 30,000 where all rules are kept"


@click.command(
    cls=Command,
    epilog="""\b
Exit status:
  0    safe: explored to the end, or all rules kept
  1    the output cannot be written
  2    wrong usage, or an actor that cannot be checked
  3    violated, stuck, or nothing can be chosen; so too with --break
  4    not known: not explored to the end, or safe as far as it was explored
  130  a second Ctrl-C; 143 SIGTERM; 141 closed pipe""",
)
@size_options(max_attempts=1)
@actor_options("Cluster")
@option("Search", "--fail", "Deliver FAIL, too: many more states.", is_flag=True)
@option(
    "Search", "--max-states", "Stop after N states of a cluster.", "N", WholeNumber(1, 10**9), show_default=MOST_STATES
)
@story_views
@file_options
@click.pass_context
def check_command(
    ctx: click.Context, /, output: StoryFile | None, rule_name: str | None, max_states: int | None, **options: Any
) -> None:
    """Explore every execution of small clusters.

    Without sizes it climbs from small clusters to larger ones. With any size it explores that one cluster.

    \b
    Every order of delivery, every loss and every duplication:
      toy-paxos check
    Without one rule, and the shortest execution that goes wrong:
      toy-paxos check --break ignores-accepted
    """
    form = one_view(options)
    json = form == "json"
    list_rules(ctx, form)
    check_file(output, options["force"])
    set_up(utf_8=json or bool(output and output.is_output))
    rule = RULES[rule_name] if rule_name else None
    actors, named, change = other_actors(ctx)

    def start(sizes: dict[str, Any]) -> str:
        return as_json().start_json(sizes, rule_name, named) if json else shown(start_lines(sizes, change))

    sizes = ("num_acceptors", "num_proposers", "max_attempts", "restarts", "quorums")
    given = {name: options[name] for name in sizes if options[name] is not None}
    with Watched(max_states, output, change, named) as search:
        if given or options["fail"] or rule:
            model = replace(rule.model if rule else Model(), **given, **actors)
            model = replace(model, fail=model.fail or options["fail"])
            check_quorums(model.quorums, model.num_acceptors)
            search.show(start(model.sizes))
            verdict = one_cluster(model, rule, search, form)
        else:
            search.show(start({}))
            verdict = many_clusters(actors, search, form)
    if search.stop.signal == SIGTERM:
        die_by(SIGTERM)
    sys.exit(EXIT_STATUS[verdict])


EXIT_STATUS = {"safe": 0, "violated": 3, "not-alive": 3, "stuck": 3, "unknown": 4}


class Watched:
    """A search that shows how far it is, and that signals end.

    ``file`` is where the story of a counterexample goes; ``change`` is what it tells there of the actors, and ``named``
    are the options for them.
    """

    def __init__(self, max_states: int | None, file: StoryFile | None, change: str, named: str = "") -> None:
        self.max_states = max_states
        self.file = file
        self.change = change
        self.named = named
        self.states = self.depth = 0
        self.progress = Progress()
        self.stop = StopRequest(on_quit=lambda: f"toy-paxos check: {self}", waiting_for="the search")

    def __str__(self) -> str:
        return f"{plural(self.states, 'state')}, {deliveries(self.depth)} deep"

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.erase()
        self.stop.close()

    def keep_going(self, states: int, depth: int) -> bool:
        """Note how far the search is; return whether it should go on."""
        self.states, self.depth = states, depth
        self.progress.show(self.__str__)
        return self.stop.signal is None

    def show(self, text: str) -> None:
        """Write to standard output, in the place of what was shown of the progress."""
        self.progress.erase()
        if not (self.file and self.file.is_output):
            write(text)

    def story(self, report: Report, rule: Rule | None) -> Story:
        """Return the story of a counterexample with what is told of it and of the actors, or one without an event."""
        if not report.story.events:
            return report.story
        found = report.model.sizes | report.found
        told_rule = rule.told if rule else None
        story = counterexample(report.story, report.correct_story, found, told_rule, self.change)
        return replace(story, about={**story.about, "actors": self.named or None})

    def write_file(self, report: Report, rule: Rule | None, verdict: str) -> None:
        """Write the story of a counterexample as the file that is asked for, if one is."""
        if self.file and report.story.events:
            self.file.write(self.story(report, rule))
        elif self.file:
            say(f"toy-paxos check: nothing written, for there is no counterexample: the verdict is {verdict}")


def one_cluster(model: Model, rule: Rule | None, search: Watched, form: str | None) -> str:
    """Check one cluster, and show what was found; return the verdict."""
    with judged():
        if rule:
            report = check_rule(rule, model, search.max_states or MAX_STATES, search.keep_going)
        else:
            report = check_one(model, search.max_states, search.keep_going)
    if form == "json":
        search.show(as_json().verdict_json(report.found, search.story(report, rule)))
    else:
        search.show(in_words(report, rule, form))
    search.write_file(report, rule, report.verdict)
    return report.verdict


def many_clusters(actors: dict[str, Any], search: Watched, form: str | None) -> str:
    """Throw dice, judge each actor alone, then check one cluster after the other; show all that, return the verdict."""
    with judged():
        dice = throw_dice(**actors, keep_going=search.keep_going)
    thrown = {"executions": dice.executions, "violated_in": dice.loss and dice.loss.model.sizes}
    search.show(as_json().json_line(event="dice", **thrown) if form == "json" else shown(dice_lines(thrown)))
    if dice.loss:
        judgement = Judgement(dice.loss.model, 0, not_judged="dice have found a violation", clusters=0)
    else:
        with judged():
            judgement = judge_all(**actors, keep_going=search.keep_going)
        found = judgement.model.sizes | judgement.found | {"clusters": judgement.clusters, "states": judgement.states}
        search.show(as_json().json_line(event="rules", **found) if form == "json" else shown(judgement_lines(found)))
    reports: list[Report] = []
    max_states = search.max_states or MAX_STATES
    climbing = climb(**actors, max_states=max_states, keep_going=search.keep_going, kept=judgement.kept, dice=dice)
    while report := next_report(climbing):
        reports.append(report)
        cluster = report.model.sizes | report.found
        search.show(
            as_json().json_line(event="cluster", **cluster) if form == "json" else shown(cluster_lines(cluster))
        )
    telling, total = most_telling(reports), summary(reports, judgement)
    search.write_file(telling, None, total["verdict"])
    if form == "json":
        search.show(as_json().verdict_json(total, search.story(telling, None)))
    else:
        search.show(in_words(telling, None, form) if telling.story.events else shown([*summary_lines(total)]))
    return str(total["verdict"])


def as_json() -> ModuleType:
    """Return the module that writes JSON, imported only now: most searches do without."""
    return import_module("toy_paxos.view.json_lines")


def next_report(climbing: Iterator[Report]) -> Report | None:
    """What comes of the next cluster, if there is one."""
    with judged():
        return next(climbing, None)


@contextmanager
def judged() -> Iterator[None]:
    """Let the user's own actors be heard on standard error only; that they cannot be checked is their error."""
    with user_output_to_stderr():
        try:
            yield
        except MemoryError:
            raise
        except Exception as error:
            # Whatever else such classes are up to, it is theirs.
            raise at_fault("the model cannot be checked", error) from error


def in_words(report: Report, rule: Rule | None, form: str | None) -> str:
    """The result for one cluster, after the story of a counterexample."""
    story = told(report.story, drawn(report, rule, form))
    properties = report.model.properties
    return shown([*report_lines(report.model.sizes | report.found, properties, rule.told if rule else None, story)])


def drawn(report: Report, rule: Rule | None, form: str | None) -> list[Line]:
    """The story of a counterexample: as lines, as lanes, or with a changed rule as two branches of them."""
    if form != "diagram":
        return story_lines(report.story)
    from toy_paxos.view.branches import branch_lanes, story_lanes

    if report.correct_story:
        return branch_lanes(report.story, report.correct_story, columns())
    return story_lanes(report.story, columns())
