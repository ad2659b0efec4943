"""From small clusters to larger ones, from one kind of trouble to the next, until something goes wrong."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor, ProposingActor
from toy_paxos.checking.checker import MAX_STATES, Report, check
from toy_paxos.checking.model import Model
from toy_paxos.proposer import Proposer

CLIMB = (
    Model(1, 2, max_attempts=2, restarts=2),
    Model(3, 2),
    Model(2, 2, max_attempts=2, restarts=2),
    Model(4, 2),
    Model(3, 3),
    Model(3, 3, descending=True),
    Model(5, 2),
    Model(3, 2, fail=True),
    Model(1, 2, max_attempts=3, fail=True),
    Model(2, 2, max_attempts=3),
    Model(3, 2, max_attempts=2),
    Model(2, 3, max_attempts=2),
)

# So many states of each cluster are enough to begin with: what has more in one may show its fault in another.
FEW_STATES = 20_000


def climb(
    acceptor: Callable[[str], Actor] = Acceptor,
    proposer: Callable[[str, str, Sequence[str], int, int], ProposingActor] = Proposer,
    max_states: int = MAX_STATES,
    keep_going: Callable[[int, int], bool] = lambda states, depth: True,
) -> Iterator[Report]:
    """Check one model after the other, up to the first violation, or until ``keep_going`` says no.

    Each search visits up to ``max_states`` states, but those that have many are put off until all others are done.
    Raises CheckError for actors that cannot be checked.
    """
    may_go_on = True

    def go_on(states: int, depth: int) -> bool:
        nonlocal may_go_on
        may_go_on = keep_going(states, depth)
        return may_go_on

    models = [replace(model, acceptor=acceptor, proposer=proposer) for model in CLIMB]
    for limit in (FEW_STATES, max_states):
        put_off = []
        for model in models:
            report = check(model, min(limit, max_states), go_on)
            if may_go_on and not report.complete and not report.violation and limit < max_states:
                put_off.append(model)
                continue
            yield report
            if report.violation or not may_go_on:
                return
        models = put_off


def never_chosen(reports: Iterable[Report]) -> list[str]:
    """The values that are never chosen in any of the models in which somebody wants them."""
    reports = list(reports)
    wanted = dict.fromkeys(value for report in reports for value in report.model.values)
    return [
        value for value in wanted if all(value in report.never for report in reports if value in report.model.values)
    ]
