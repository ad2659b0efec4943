"""Checks of small clusters, then of larger ones and with more failures, up to the first violation."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.alone import LARGEST, MAX_STEPS, Judgement, judge, judge_all
from toy_paxos.checking.checker import MAX_STATES, check, what_happens
from toy_paxos.checking.dice import Dice, Loss, shortened, throw
from toy_paxos.checking.model import KeepGoing, MakeAcceptor, MakeProposer, Model, always
from toy_paxos.checking.progress import KEPT, LOST, NOT_JUDGED, NOT_KNOWN
from toy_paxos.checking.report import Report, rules_found, verdict_of
from toy_paxos.proposer import Proposer

CLIMB = (
    Model(1, 2, max_attempts=2, restarts=2),
    Model(3, 2),
    Model(2, 2, max_attempts=2, restarts=2),
    Model(3, 3),
    Model(3, 3, descending=True, first_number=9),
    Model(5, 2),
    Model(3, 2, fail=True),
    Model(2, 2, max_attempts=2, fail=True),
    Model(3, 2, max_attempts=2),
    Model(1, 2, max_attempts=3, fail=True),
    Model(4, 2, fail=True),
    Model(2, 2, max_attempts=3),
    Model(2, 3, max_attempts=2),
)

# A cluster with too many states to search, in which dice may show faults of later attempts in larger quorums.
TOO_LARGE = Model(5, 3, max_attempts=4)

# The first limit on the states of a cluster. Beyond it the others are searched first: one may show a fault sooner. If
# dice have found a violation in the cluster, their execution is reported instead.
FEW_STATES = 30_000

# The number of clusters that are searched even if the actors keep the rules: the search is independent evidence, finds
# out whether each value can be chosen, and refuses actors that cannot be checked.
WITNESSES = 6


def check_one(model: Model, max_states: int | None = None, keep_going: KeepGoing = always) -> Report:
    """Judge the actors of a model by the rules, then search the model.

    Without ``max_states``, the search visits fewer states if the actors keep the rules. If the actors have many states,
    they are judged for longer only if a short search decides nothing.

    Raises CheckError for actors that cannot be checked.
    """
    judgement = judge(model, MAX_STEPS, keep_going)
    if judgement.not_judged and model.configuration.quorums_meet:
        report = replace(check(model, min(max_states or FEW_STATES, FEW_STATES), keep_going), judgement=judgement)
        if report.verdict != "unknown" or report.was_stopped:
            return report
        judgement = judge(model, 10 * MAX_STEPS, keep_going)
    usual = FEW_STATES if judgement.kept else MAX_STATES
    return replace(check(model, max_states or usual, keep_going), judgement=judgement)


def check_actors(
    acceptor: MakeAcceptor = Acceptor,
    proposer: MakeProposer = Proposer,
    max_states: int = MAX_STATES,
    keep_going: KeepGoing = always,
) -> Iterator[Dice | Judgement | Report]:
    """Throw dice, judge each actor alone, then climb; yield each result.

    If the dice find a violation, only a short execution in their model is reported. Raises CheckError for actors that
    cannot be checked.
    """
    # The stories of models with three acceptors or more show more.
    models = sorted(CLIMB, key=lambda model: model.num_acceptors < 3)
    yield (dice := throw(with_actors([*models, TOO_LARGE], acceptor, proposer), keep_going))
    if dice.loss:
        yield told_shortly(dice.loss, keep_going)
        return
    yield (judgement := judge_all(acceptor, proposer, keep_going))
    yield from climb(acceptor, proposer, max_states, keep_going, judgement.kept)


def climb(
    acceptor: MakeAcceptor = Acceptor,
    proposer: MakeProposer = Proposer,
    max_states: int = MAX_STATES,
    keep_going: KeepGoing = always,
    kept: bool = False,
) -> Iterator[Report]:
    """Check one model after the other, up to the first violation, or until ``keep_going`` returns False.

    If all rules are known to be ``kept``, the first few models are searched, each up to ``FEW_STATES`` states.
    Otherwise each search visits up to ``max_states`` states, but a model with many states is searched after all others.
    Raises CheckError for actors that cannot be checked.
    """
    max_states = min(max_states, FEW_STATES) if kept else max_states
    models = CLIMB[: WITNESSES if kept else None]
    waiting = deque((model, FEW_STATES) for model in with_actors(models, acceptor, proposer))
    while waiting:
        model, limit = waiting.popleft()
        report = check(model, min(limit, max_states), keep_going)
        is_decided = report.complete or report.violation or report.was_stopped or report.progress == LOST
        if not is_decided and limit < max_states:
            waiting.append((model, 10 * limit))
            continue
        yield report
        if report.violation or report.was_stopped:
            return


def with_actors(models: Iterable[Model], acceptor: MakeAcceptor, proposer: MakeProposer) -> list[Model]:
    """Return models with these actors."""
    return [replace(model, acceptor=acceptor, proposer=proposer) for model in models]


def told_shortly(loss: Loss, keep_going: KeepGoing) -> Report:
    """Report a shortest execution with a violation in the model in which dice have found one.

    If the model has too many states to find it, report the execution of the dice, shortened.
    """
    report = check(loss.model, FEW_STATES, keep_going)
    if report.violation or report.was_stopped:
        return report
    model, lost, execution = shortened(loss)
    violation, story = what_happens(model, execution, lost)
    found: dict[str, Any] = {"violation": violation, "lost": lost, "execution": execution, "story": story}
    return replace(report, **found, quiet_from=None, by_chance=True)


def most_telling(reports: Sequence[Report]) -> Report:
    """Return the report with a violation, or else the first with a loss of progress, or else the last one."""
    last = reports[-1]
    return last if last.violation else next((report for report in reports if report.progress == LOST), last)


def summary(reports: Sequence[Report], judgement: Judgement | None) -> dict[str, Any]:
    """Return what the reports of a climb and the rules say together, by names that are those in JSON."""
    last, never, told = reports[-1], never_chosen(reports), most_telling(reports)
    judgement = judgement or Judgement(last.model, 0, not_judged="dice have found a violation", clusters=0)
    values = {value for report in reports for value in report.model.values}
    results = {report.progress: report.progress_reason for report in reversed(reports)}
    progress = next((result for result in (LOST, NOT_JUDGED, NOT_KNOWN) if result in results), KEPT)
    progress_reason = results[progress]
    if progress not in (LOST, KEPT) and (kept_in := sum(report.progress == KEPT for report in reports)):
        progress_reason += f"; kept in {kept_in} of {len(reports)} clusters"
    not_begun = len(CLIMB[: WITNESSES if judgement.kept else None]) - len(reports)
    incomplete = sum(not report.complete and not report.violation for report in reports)
    is_known = judgement.kept and not last.was_stopped and not not_begun and incomplete < len(reports)
    return {
        "verdict": verdict_of(last.violation, never, values, progress, is_known),
        "clusters": len(reports),
        "incomplete": incomplete,
        "not_begun": not_begun,
        "was_stopped": last.was_stopped,
        "property": last.lost and last.lost.name,
        "violation": last.violation,
        "never": never,
        "states": sum(report.states for report in reports),
        "by_chance": last.by_chance,
        "progress": progress,
        "progress_reason": progress_reason or None,
        "quiet_from": told.quiet_from,
        **rules_found(told, judgement),
        "judged": judgement.clusters,
        "largest": [model.sizes for model in LARGEST] if judgement.kept else [],
    }


def never_chosen(reports: Sequence[Report]) -> list[str]:
    """Return the values that are never chosen in any of the models in which a proposer wants them."""
    wanted = dict.fromkeys(value for report in reports for value in report.model.values)
    return [
        value for value in wanted if all(value in report.never for report in reports if value in report.model.values)
    ]
