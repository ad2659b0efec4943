"""The kinds of rounds that ``--until`` can wait for, such as the first in which a proposer adopts a value."""

from collections.abc import Callable

from toy_paxos.event import AcceptorCrash, Adoption, Crash, Delivery, Event, TimedOut
from toy_paxos.round import Outcome, Round

Wanted = Callable[[Round], bool]
"""Returns whether a round is of a kind."""


def has(kind: type[Event]) -> Wanted:
    """Return a function that says whether a round has an event of this kind."""
    return lambda finished: any(isinstance(event, kind) for event in finished.events)


def is_refused(finished: Round) -> bool:
    """Return whether an acceptor refuses a request, as opposed to failing to handle it."""
    return any(isinstance(event, Delivery) and event.denial == "refused" for event in finished.events)


# The names are those that the command line takes.
WANTED: dict[str, Wanted] = {
    "adoption": has(Adoption),
    "duel": lambda finished: finished.facts.is_duel,
    "timeout": has(TimedOut),
    "proposer-crash": has(Crash),
    "acceptor-crash": has(AcceptorCrash),
    "refusal": is_refused,
    "chosen-not-learned": lambda finished: finished.outcome is Outcome.CHOSEN_NOT_LEARNED,
    "not-chosen": lambda finished: finished.facts.chosen is None,
    "violation": lambda finished: finished.outcome is Outcome.VIOLATED,
}
