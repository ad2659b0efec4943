"""The command ``toy-paxos check``: options in, a search through every execution, a verdict out."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from signal import SIGTERM
from types import ModuleType
from typing import Any

import click

from toy_paxos.checking import (
    CHANGED_RULES,
    MAX_STATES,
    ChangedRule,
    Dice,
    Judgement,
    Model,
    Report,
    check_actors,
    check_one,
    check_rule,
    most_telling,
    summary,
)
from toy_paxos.command.actors import actor_options, at_fault, other_actors
from toy_paxos.command.guard import guard_user_code
from toy_paxos.command.help import Command
from toy_paxos.command.options import WholeNumber, check_quorums, one_view, option, size_options, story_views
from toy_paxos.command.process import Progress, StopRequest, die_by, say, set_up, write
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.event import plural
from toy_paxos.view.files import TEST
from toy_paxos.view.output import columns, shown
from toy_paxos.view.verdict import (
    cluster_lines,
    counterexample,
    dice_lines,
    judgement_lines,
    report_lines,
    start_lines,
    summary_lines,
    told,
)
from toy_paxos.view.words import Line, story_lines

MOST_STATES = f"{MAX_STATES:,}, or 30,000 where all rules are kept"


@click.command(
    cls=Command,
    epilog="""\b
Exit status:
  0    safe: in the clusters of the verdict no safety property can be lost
  1    the output cannot be written
  2    wrong usage, or an actor that cannot be checked
  3    violated, stuck, or a value can never be chosen (also if --break
       causes it)
  4    unknown: the search was not complete, or only some clusters are known
       to be safe
  130  a second Ctrl-C; 143 SIGTERM; 141 closed pipe""",
)
@size_options(max_attempts=1)
@actor_options("Cluster")
@option("Search", "--fail", "Also deliver FAIL: many more states.", is_flag=True)
@option(
    "Search", "--max-states", "Stop after N states of a cluster.", "N", WholeNumber(1, 10**9), show_default=MOST_STATES
)
@story_views
@file_options(tests=True)
@click.pass_context
def check_command(
    ctx: click.Context, /, output: StoryFile | None, rule_name: str | None, max_states: int | None, **options: Any
) -> None:
    """Explore every execution of small clusters.

    Without any size it climbs from small clusters to larger ones. With any size, or --fail, it explores one cluster.
    With --break, the default sizes are those that the rule needs.

    \b
    With every order of delivery, every loss and every duplication:
      toy-paxos check
    Without one rule, with a shortest execution that goes wrong:
      toy-paxos check --break ignores-accepted
    """
    form = one_view(options)
    actors, named, change = other_actors(ctx, form)
    check_file(output, options["force"])
    set_up(utf_8=form == "json" or bool(output and output.is_output))
    rule = CHANGED_RULES[rule_name] if rule_name else None
    sizes = ("num_acceptors", "num_proposers", "max_attempts", "restarts", "quorums")
    given = {name: options[name] for name in sizes if options[name] is not None}
    with closing(Search(max_states, form, output, rule, named, change)) as search:
        if given or options["fail"] or rule:
            model = replace(rule.model if rule else Model(), **given, **actors)
            model = replace(model, fail=model.fail or options["fail"])
            check_quorums(model.quorums, model.num_acceptors)
            search.begin(model.sizes)
            verdict = one_cluster(model, search)
        else:
            search.begin({})
            verdict = many_clusters(actors, search)
    if search.stop.signal == SIGTERM:
        die_by(SIGTERM)
    sys.exit(EXIT_STATUS[verdict])


EXIT_STATUS = {"safe": 0, "violated": 3, "not-alive": 3, "stuck": 3, "unknown": 4}


@dataclass
class Search:
    """A search that a signal ends; it shows its progress and its results.

    ``form`` is the view of the results. ``file`` is where to write the story of a counterexample. ``named`` has the
    options that name other actors than those of Paxos, and ``change`` describes these actors.
    """

    max_states: int | None = None
    form: str | None = None
    file: StoryFile | None = None
    rule: ChangedRule | None = None
    named: str = ""
    change: str = ""
    states: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        self.progress = Progress()
        self.stop = StopRequest(on_quit=lambda: f"toy-paxos check: {self}", waiting_for="the search")

    def __str__(self) -> str:
        if not self.depth and self.states > 1:
            return f"judging each actor alone: {plural(self.states, 'state')}"
        return f"searching: {plural(self.states, 'state')}, {plural(self.depth, 'delivery')} deep"

    def close(self) -> None:
        """Erase the progress and stop listening to signals."""
        self.progress.erase()
        self.stop.close()

    def keep_going(self, states: int, depth: int) -> bool:
        """Note the progress of the search; return whether it should go on."""
        self.states, self.depth = states, depth
        self.progress.show(self.__str__)
        return self.stop.signal is None

    def write(self, text: str) -> None:
        """Write to standard output, in place of the progress."""
        self.progress.erase()
        if not (self.file and self.file.is_output):
            write(text)

    def begin(self, sizes: dict[str, Any]) -> None:
        """Show which cluster is explored, or, without sizes, that many are."""
        if self.form == "json":
            self.write(as_json().start_json(sizes, self.rule and self.rule.name, self.named))
        else:
            self.write(shown(start_lines(sizes, self.change)))

    def show(self, lines: list[Line], **found: Any) -> None:
        """Show a result on the way: as lines, or as an object with these keys."""
        self.write(as_json().json_line(**found) if self.form == "json" else shown(lines))

    def end(self, report: Report, found: dict[str, Any], lines: Iterable[Line]) -> None:
        """Show the verdict, as lines or as an object, and write the story of a counterexample into the file."""
        story, rule = report.story, self.rule
        if story.events:
            told_rule = rule.told if rule else None
            story = counterexample(
                story, report.correct_story, report.model.sizes | report.found, told_rule, self.change
            )
            story = replace(story, about={**story.about, "actors": self.named or None})
        self.write(as_json().verdict_json(found, story) if self.form == "json" else shown([*lines]))
        if not self.file:
            return
        if story.events and (report.violation or self.file.ending != TEST):
            self.file.write(story)
            return
        why = "a test needs a violation" if story.events else "no counterexample was found"
        say(f"toy-paxos check: nothing written: {why}; the verdict is {found['verdict']}")


def one_cluster(model: Model, search: Search) -> str:
    """Check one cluster and show the result; return the verdict."""
    with judged():
        if search.rule:
            report = check_rule(search.rule, model, search.max_states or MAX_STATES, search.keep_going)
        else:
            report = check_one(model, search.max_states, search.keep_going)
    search.end(report, report.found, report_in_words(report, search))
    return report.verdict


def many_clusters(actors: dict[str, Any], search: Search) -> str:
    """Throw dice, judge each actor alone, then check one cluster after the other; return the verdict."""
    judgement: Judgement | None = None
    reports: list[Report] = []
    results = check_actors(**actors, max_states=search.max_states or MAX_STATES, keep_going=search.keep_going)
    while result := next_result(results):
        if isinstance(result, Dice):
            thrown = {"executions": result.executions, "violated_in": result.loss and result.loss.model.sizes}
            search.show(dice_lines(thrown), event="dice", **thrown)
        elif isinstance(result, Judgement):
            judgement = result
            found = result.model.sizes | result.found | {"clusters": result.clusters, "states": result.states}
            search.show(judgement_lines(found), event="rules", **found)
        else:
            reports.append(result)
            cluster = result.model.sizes | result.found
            search.show(cluster_lines(cluster), event="cluster", **cluster)
    telling, total = most_telling(reports), summary(reports, judgement) | {"elapsed_s": search.progress.elapsed_s}
    all_found = {name: total[name] for name in ("verdict", "never")}
    words = report_in_words(telling, search, all_found) if telling.story.events else summary_lines(total)
    search.end(telling, total, words)
    return str(total["verdict"])


def as_json() -> ModuleType:
    """Return the module that writes JSON, imported only now: most searches do without."""
    return import_module("toy_paxos.view.json_lines")


def next_result(results: Iterator[Dice | Judgement | Report]) -> Dice | Judgement | Report | None:
    """Return the next result, or None after the last one."""
    with judged():
        return next(results, None)


@contextmanager
def judged() -> Iterator[None]:
    """Send the output of the user's own actors to standard error; raise Refused if they cannot be checked."""
    with guard_user_code():
        try:
            yield
        except MemoryError:
            raise
        except Exception as error:
            # Any other exception comes from the user's classes.
            raise at_fault("the actors cannot be checked", error) from error


def report_in_words(report: Report, search: Search, all_found: dict[str, Any] | None = None) -> Iterator[Line]:
    """Return the result for one cluster as lines, after its story; ``all_found`` is the result for many."""
    story = told(report.story, drawn(report, search))
    rule = search.rule.told if search.rule else None
    found = report.model.sizes | report.found | (all_found or {})
    return report_lines(found, report.model.properties, rule, story)


def drawn(report: Report, search: Search) -> list[Line]:
    """Draw the story of a counterexample: as lines, as lanes, or with a changed rule as two branches of lanes."""
    if search.form != "diagram":
        return story_lines(report.story)
    from toy_paxos.view.branches import branch_lanes, story_lanes

    if report.correct_story:
        return branch_lanes(report.story, report.correct_story, columns())
    return story_lanes(report.story, columns())
