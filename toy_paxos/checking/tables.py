"""Actors as tables of numbers, so that a program that does not know Paxos can play with them.

The behaviour of an actor depends only on its state and on the message. So an actor with finitely many states is a
table: for each state, and each message that it can receive in it, the next state and the messages that it says. Each
actor is explored alone by :class:`Future <toy_paxos.checking.reduction.Future>`, with FAIL delivered. For example, an
acceptor that has promised nothing has two steps in a cluster of two proposers that have not proposed yet:

    state 0   PREPARE 1   next state 1   says PROMISE 1, nothing accepted
    state 0   PREPARE 2   next state 2   says PROMISE 2, nothing accepted

Several clusters share the tables of actors that begin alike: such a table has the steps in all of these clusters.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from toy_paxos import snapshot
from toy_paxos.checking.cluster import Cluster, numbers
from toy_paxos.checking.determinism import SharedState, repeat_steps, walk_real_actors
from toy_paxos.checking.game import wording
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.checking.reduction import Future
from toy_paxos.event import stored_by
from toy_paxos.message import Message
from toy_paxos.safety import ALWAYS

# The limit on the steps of all actors of a cluster: with many more, a page would be too large to pass on.
MOST_STEPS = 100_000


class Table:
    """The states of an actor, and the steps from each.

    ``shown`` has the visible part of each state: for a proposer the value that it has learned; for an acceptor the
    promised number, and the number and value of the accepted proposal. ``steps`` has for each state, by message, the
    next state and the messages that the actor says. A message that changes nothing has no step. If the actor raises an
    error, the step is empty. ``keeps`` has for each state the set of messages that can still make a difference to a
    search, which is found by :class:`Future <toy_paxos.checking.reduction.Future>`.
    """

    def __init__(self) -> None:
        self.numbers: dict[snapshot.Snapshot, int] = {}
        self.shown: list[list[Any]] = []
        self.steps: list[dict[int, list[int]]] = []
        self.keeps: list[int] = []

    def add(self, state: snapshot.Snapshot, shown: list[Any]) -> int:
        """Return the number of a state, new or known."""
        if state not in self.numbers:
            self.numbers[state] = len(self.shown)
            self.shown.append(shown)
            self.steps.append({})
            self.keeps.append(0)
        return self.numbers[state]

    def told(self) -> dict[str, Any]:
        """Return the table as plain data; each step is its message, the next state, and the messages said."""
        steps = [[[message, *step] for message, step in by_message.items()] for by_message in self.steps]
        return {"shown": self.shown, "steps": steps, "keeps": [*map(hex, self.keeps)]}


class Actors(NamedTuple):
    """The actors of a cluster: the number of the table of each, their first messages, and their environment.

    ``environment`` has for each actor the timeouts or restarts that it can receive, each once, in order. One message
    stands for all timeouts of a proposer.
    """

    actors: list[int]
    said: list[int]
    environment: list[list[int]]


class Tables:
    """The tables of clusters, and the messages in them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.message_numbers: dict[snapshot.Snapshot, int] = {}
        self.tables: list[Table] = []
        self.table_numbers: dict[object, int] = {}

    def add(self, model: Model) -> Actors:
        """Add the actors of a cluster; raise CheckError if they cannot be checked, or have too many steps."""
        cluster = Cluster(replace(model, fail=True, properties=ALWAYS))
        shared_state = SharedState(cluster)
        future = Future(cluster, PropertyCache(cluster), MOST_STEPS)
        if not future.known:
            words = f"these actors have more than {MOST_STEPS:,} steps"
            raise CheckError(f"{words}: choose fewer acceptors, proposers, attempts or restarts")
        repeat_steps(cluster, cluster.steps)
        walk_real_actors(cluster)
        shared_state.check()
        actors = [self.number_of_table(cluster, position) for position in range(len(cluster.actors))]
        for position, number in enumerate(actors):
            self.add_steps(cluster, future, position, self.tables[number])
        environment = [self.all(cluster, cluster.start.pending & to) for to in cluster.to]
        return Actors(actors, self.all(cluster, cluster.start.said), environment)

    def number_of_table(self, cluster: Cluster, position: int) -> int:
        """Return the number of the table of an actor; actors of one class that begin alike share a table."""
        attributes = tuple(cluster.at_start[position].items())
        key = type(cluster.actors[position]), attributes, cluster.began_under[position]
        if key not in self.table_numbers:
            self.table_numbers[key] = len(self.tables)
            self.tables.append(Table())
        return self.table_numbers[key]

    def add_steps(self, cluster: Cluster, future: Future, position: int, table: Table) -> None:
        """Add all states of an actor and its steps to its table."""
        number_of = {state: self.add_state(cluster, position, state, table) for state in future.following[position]}
        for state, number in number_of.items():
            effective, compared = future.needs[position][state]
            for message in self.all(cluster, effective | compared):
                table.keeps[number] |= 1 << message
            for message in numbers(future.possible(position, state)):
                step = cluster.steps.get((position, state, message))
                told = [number_of[step[0]], *self.all(cluster, step[1])] if step else []
                if told != [number]:
                    table.steps[number][self.number(cluster, message)] = told

    def add_state(self, cluster: Cluster, position: int, state: int, table: Table) -> int:
        """Return the number of the state of an actor in its table."""
        if position < cluster.first_acceptor:
            shown: list[Any] = [cluster.learned(position, state)]
        else:
            promised, accepted = stored_by(cluster.restore(position, state))
            shown = [promised, *(accepted or ())]
        return table.add(tuple(cluster.states[state].items()), shown)

    def all(self, cluster: Cluster, messages: int) -> list[int]:
        """Return the numbers of the messages in a set."""
        return [self.number(cluster, message) for message in numbers(messages)]

    def number(self, cluster: Cluster, message: int) -> int:
        """Return the number of a message, new or known; the first timeout of a proposer stands for all of them."""
        if cluster.timeouts >> message & 1:
            position = cluster.positions[cluster.messages[message].recipient]
            message = next(numbers(cluster.timeouts & cluster.to[position]))
        key = cluster.message_snapshots[message]
        if key not in self.message_numbers:
            self.message_numbers[key] = len(self.messages)
            self.messages.append(cluster.messages[message])
        return self.message_numbers[key]

    def numbered(self, messages: Iterable[Message]) -> list[int]:
        """Return the numbers of messages that are in the tables."""
        by_wording = {wording(message): number for number, message in enumerate(self.messages)}
        return [by_wording[wording(message)] for message in messages]
