"""Rounds played with the user's own classes: what they print and what they do wrong is told apart from ours.

A seed decides everything in a run but what such a class draws, reads or keeps on its own. So the state of Python's
``random`` is compared around each round, and the first round is played twice.
"""

import random
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from toy_paxos.command.actors import Unchecked, at_fault
from toy_paxos.command.process import silence, user_output_to_stderr
from toy_paxos.event import check_message, listed, plain_learned
from toy_paxos.event_json import event_line
from toy_paxos.message import Message
from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Settings
from toy_paxos.simulation import play_rounds

USES_RANDOM = "an actor uses Python's random module, which the seed does not control"


def guarded_rounds(settings: Settings, statistics: Statistics) -> Iterator[Round]:
    """Play rounds with the user's classes, which raises Unchecked; note why the run cannot be replayed, if so."""
    settings = guarded(settings)
    rounds, before = play_rounds(settings, statistics.first), random.getstate()
    while True:
        finished = next_of(rounds)
        if not statistics.no_replay:
            if random.getstate() != before:
                statistics.no_replay = USES_RANDOM
            elif finished.number == statistics.first and not goes_alike_again(settings, finished):
                statistics.no_replay = f"round {finished.number} went differently when it was played again"
        finished.no_replay = statistics.no_replay
        yield finished


def next_of(rounds: Iterator[Round]) -> Round:
    """Play the next round; raises Unchecked if an actor fails."""
    try:
        with user_output_to_stderr():
            return next(rounds)
    except Unchecked:
        raise
    except BaseException as error:
        raise at_fault("an actor fails", error) from error


def goes_alike_again(settings: Settings, finished: Round) -> bool:
    """Play a round once more, unheard; return whether the same happens."""
    try:
        with silence():
            again = next_of(play_rounds(settings, finished.number))
    except Unchecked:
        return False
    one, other = ([event_line(event, "") for event in told.events] for told in (finished, again))
    return one == other


def guarded(settings: Settings) -> Settings:
    """The same settings with actors that are guarded."""
    names = {*settings.configuration.names}
    kinds = settings.acceptor, settings.proposer
    return replace(
        settings, acceptor=partial(Guarded, kinds, names), proposer=partial(GuardedProposer, kinds[::-1], names)
    )


class Guarded:
    """An actor whose answers are checked, and whose errors are reported with the file and line of its class.

    ``kinds`` are its own class and that of the actors that it talks to; ``names`` are those of all actors.
    """

    def __init__(
        self, kinds: tuple[Callable[..., Any], ...], names: Container[str], *args: Any, **keywords: Any
    ) -> None:
        self.kinds = kinds
        self.names = names
        try:
            self.actor = kinds[0](*args, **keywords)
            self.name: str = self.actor.name
        except BaseException as error:
            raise at_fault("the actors cannot begin", error, *kinds) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.actor, name)

    def receive(self, message: Message) -> list[Message]:
        """Answer a message; raises Unchecked if the actor fails."""
        try:
            return self.checked(listed(self.actor.receive(message)))
        except BaseException as error:
            from toy_paxos.checking.refusal import failure_at

            raise Unchecked(f"an actor fails: {failure_at(message, error, *self.kinds)}") from error

    def checked(self, messages: list[Message]) -> list[Message]:
        """Return the messages if all of them can be sent; raises AnswerError."""
        for message in messages:
            check_message(message, self.names)
        return messages


class GuardedProposer(Guarded):
    """The same for a proposer, which also says what it has learned."""

    def prepare(self) -> list[Message]:
        """Begin; raises Unchecked if the proposer fails."""
        try:
            said = self.checked(listed(self.actor.prepare(), "prepare"))
        except BaseException as error:
            raise at_fault("the actors cannot begin", error, *self.kinds) from error
        self.check_learned()
        return said

    def receive(self, message: Message) -> list[Message]:
        """Answer a message; raises Unchecked if the proposer fails."""
        answers = super().receive(message)
        self.check_learned()
        return answers

    def check_learned(self) -> None:
        """Raise Unchecked if what the proposer has learned cannot be seen."""
        try:
            plain_learned(self.actor)
        except BaseException as error:
            from toy_paxos.checking.refusal import needs_learned

            raise at_fault(needs_learned(self.name), error, *self.kinds) from error
