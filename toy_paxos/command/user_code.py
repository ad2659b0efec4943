"""Rounds played with the user's own classes, whose output and errors are kept apart from those of the program.

A seed does not control what such a class draws, reads or stores on its own. To notice that, the program compares the
state of Python's ``random`` before and after each round, and plays the first round twice.
"""

import random
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from toy_paxos.command.actors import at_fault
from toy_paxos.command.guard import guard_user_code
from toy_paxos.command.options import Refused
from toy_paxos.command.process import silence
from toy_paxos.event import check_message, listed, plain_learned
from toy_paxos.event_json import event_line
from toy_paxos.message import Message
from toy_paxos.round import Round, Statistics
from toy_paxos.settings import Settings
from toy_paxos.simulation import play_rounds

USES_RANDOM = "an actor uses Python's random module, which the seed does not control"


def guarded_rounds(settings: Settings, statistics: Statistics) -> Iterator[Round]:
    """Yield rounds with the user's classes, and note why a run cannot be replayed; raise Refused if one fails."""
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
    """Play the next round; raise Refused if an actor fails."""
    try:
        with guard_user_code():
            return next(rounds)
    except Refused:
        raise
    except BaseException as error:
        raise at_fault("an actor fails", error) from error


def goes_alike_again(settings: Settings, finished: Round) -> bool:
    """Play a round again, without output; return whether its events are the same."""
    try:
        with silence():
            again = next_of(play_rounds(settings, finished.number))
    except Refused:
        return False
    one, other = ([event_line(event, "") for event in told.events] for told in (finished, again))
    return one == other


def guarded(settings: Settings) -> Settings:
    """Return the settings with guarded actors."""
    names = {*settings.configuration.names}
    kinds = settings.acceptor, settings.proposer
    return replace(
        settings, acceptor=partial(Guarded, kinds, names), proposer=partial(GuardedProposer, kinds[::-1], names)
    )


class Guarded:
    """An actor whose answers are checked, and whose errors are reported with the file and line of its class.

    ``kinds`` are its class and that of the actors that it talks to. ``names`` has the names of all actors.
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
        """Answer a message; raise Refused if the actor fails."""
        try:
            return self.checked(listed(self.actor.receive(message)))
        except BaseException as error:
            from toy_paxos.checking.refusal import failure_at

            raise Refused(f"an actor fails: {failure_at(message, error, *self.kinds)}") from error

    def checked(self, messages: list[Message]) -> list[Message]:
        """Return the messages if all of them can be sent; raise AnswerError otherwise."""
        for message in messages:
            check_message(message, self.names)
        return messages


class GuardedProposer(Guarded):
    """A guarded proposer, whose learned value is checked, too."""

    def prepare(self) -> list[Message]:
        """Return the first messages; raise Refused if the proposer fails."""
        try:
            said = self.checked(listed(self.actor.prepare(), "prepare"))
        except BaseException as error:
            raise at_fault("the actors cannot begin", error, *self.kinds) from error
        self.check_learned()
        return said

    def receive(self, message: Message) -> list[Message]:
        """Answer a message; raise Refused if the proposer fails."""
        answers = super().receive(message)
        self.check_learned()
        return answers

    def check_learned(self) -> None:
        """Raise Refused if the learned value of the proposer cannot be read."""
        try:
            plain_learned(self.actor)
        except BaseException as error:
            from toy_paxos.checking.refusal import needs_learned

            raise at_fault(needs_learned(self.name), error, *self.kinds) from error
