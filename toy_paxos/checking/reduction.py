"""Two reductions: why the search need not visit every state to find every violation.

Both rest on three facts. A message that was sent is never removed from the network. The effect of a delivery depends
only on the message and on the state of its recipient, so deliveries to different actors commute. And a property can be
lost only when an actor says something or a proposer learns something: a :class:`Moment <toy_paxos.safety.Moment>`
contains nothing else.

**Silence can wait** (:class:`ActorTransitions`). A *silent* delivery is one after which the recipient says nothing. It
changes only the recipient, so it can be delayed until just before the next delivery that makes the same recipient
speak, or be left out if there is none. Both executions below lead to the same state; the search visits only the second,
as two transitions:

    PROMISE 1 from acceptor-0 to proposer-0    silent         PREPARE 2 to acceptor-2                    PROMISE 2
    PREPARE 2 to acceptor-2                    PROMISE 2      PROMISE 1 from acceptor-0 to proposer-0    silent
    PROMISE 1 from acceptor-1 to proposer-0    PROPOSE 1      PROMISE 1 from acceptor-1 to proposer-0    PROPOSE 1

The delayed message is still there, and a timeout or restart is for this actor only. Messages are said in the same order
as before, and the execution does not become longer. So it is enough to explore the executions in which each silent
delivery is followed by another one to the same actor, until the actor speaks.

A proposer can learn in a silent delivery. The search evaluates the properties in each state in which one proposer has
just learned, for one proposer at a time. It does not see the states in which two proposers have learned silently. If
they learn different values, then one of the values is not chosen, or two values are chosen; both are found without
them. If a property compares learners and does not follow from others that are evaluated, a delivery in which a proposer
learns does not count as silent. No message is said earlier than before: an earlier ACCEPT could hide that a proposer
learned a value before it was chosen.

**The past can be forgotten** (:class:`Future`). A message is removed from a state once it can make no difference later.
There are two ways in which it can. (1) Its recipient can still reach a state in which the message has an effect. (2) A
property may compare it with a later message: a PROMISE with one by the same acceptor under the same or a lower number,
an ACCEPT with another for the same proposal until that is chosen, a PROPOSE with an ACCEPT of its proposal. For
example, these two executions lead to one state once proposer-0 has proposed:

    acceptor-2 promises 1, then 2      PROMISE 1 is said, but proposer-0 ignores it now, and
    acceptor-2 promises 2 at once      acceptor-2 will promise neither 1 nor a lower number

The future of an actor is over-approximated for each actor alone: it receives every message that some actor sends if all
actors receive all messages. There are two exceptions: a message that other actors say only because of a message of this
actor does not arrive before the latter is sent, and the environment says nothing twice. After a transition an actor can
do no more than before it. So a message that is removed once makes no difference later, and if it is said again, it is
removed again. Of the chosen proposals, one for each value is remembered. All this holds only for properties that are
:attr:`reducible <toy_paxos.safety.Property>`, because they compare nothing else. If one is not, nothing is removed.
"""

from collections import defaultdict
from typing import NamedTuple

from toy_paxos.checking.cluster import Cluster, State, cached_method, numbers
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.checking.property_cache import PropertyCache
from toy_paxos.message import Accept, Promise, Proposal, Propose

# The limit on the steps of single actors that are tried to find out what can be forgotten. For actors with more steps,
# this would take more time than it saves.
MANY_STEPS = 12_000


def may_learn_in_silence(model: Model) -> bool:
    """Return whether the properties need to see only one proposer at a time learn something."""
    properties = {*model.properties}
    return all(
        property.learners_alone or (property.follows_from and properties.issuperset(property.follows_from))
        for property in properties
    )


class Transition(NamedTuple):
    """Deliveries to one actor, the state after them, and the messages that it says in the last of them.

    ``used`` is the set of delivered timeouts and restarts, which the environment sends only once.
    """

    deliveries: tuple[int, ...]
    after: int
    said: int
    used: int


class ActorTransitions:
    """The transitions of one actor from one state, by the number of silent deliveries that they begin with.

    They are computed on demand, because there may be infinitely many.
    """

    def __init__(self, cluster: Cluster, position: int, state: int, said: int, pending: int) -> None:
        self.cluster = cluster
        self.position = position
        self.said = said
        self.pending = pending
        self.silence_waits = cluster.model.silence_waits
        self.is_proposer = position < cluster.first_acceptor
        self.learns_silently = may_learn_in_silence(cluster.model)
        # By the number of silent deliveries before the last one: the transitions, and the silent deliveries in which a
        # proposer learns.
        self.transitions: list[list[Transition]] = []
        self.silent_learning: list[list[Transition]] = []
        # After the longest silences so far: the actor's state, its pending timeouts and restarts, and the deliveries.
        self.silent: list[tuple[int, int, tuple[int, ...]]] = [(state, pending, ())]
        self.met: set[tuple[object, ...]] = {(state, pending)}

    def explore(self, num_silent: int) -> bool:
        """Compute the transitions after ``num_silent`` silent deliveries; return whether there may be more."""
        while len(self.transitions) <= num_silent:
            self.transitions.append([])
            self.silent_learning.append([])
            self.extend()
        return bool(self.silent) or num_silent + 1 < len(self.transitions)

    def extend(self) -> None:
        """Deliver each message in each state that the longest silences so far lead to."""
        now, self.silent = self.silent, []
        for state, pending, deliveries in now:
            for number in self.cluster.effective(self.position, state, self.said | pending):
                after, said = self.cluster.step(self.position, state, number)
                self.cluster.taken[self.position, state, number] = None
                left = pending & ~(1 << number)
                transition = Transition((*deliveries, number), after, said, self.pending & ~left)
                if not self.silence_waits:
                    self.transitions[-1].append(transition)
                elif said or (self.learns(state, after) and not self.learns_silently):
                    if self.is_new(after, left, said):
                        self.transitions[-1].append(transition)
                elif after != state and self.is_new(after, left):
                    self.silent.append((after, left, transition.deliveries))
                    if self.learns(state, after) and self.is_new(self.cluster.learned(self.position, after)):
                        self.silent_learning[-1].append(transition)

    def learns(self, before: int, after: int) -> bool:
        """Return whether a proposer learns something between two states, or forgets it."""
        learned = self.cluster.learned
        return self.is_proposer and learned(self.position, before) != learned(self.position, after)

    def is_new(self, *key: object) -> bool:
        """Return whether a key occurs for the first time, and remember it."""
        if key in self.met:
            return False
        self.met.add(key)
        return True


class Future:
    """What each actor may still do in each of its states, and therefore which messages can be removed."""

    def __init__(self, cluster: Cluster, property_cache: PropertyCache, most_steps: int | None = None) -> None:
        self.cluster = cluster
        self.property_cache = property_cache
        self.most_steps = most_steps or MANY_STEPS
        actors = range(len(cluster.actors))
        # By actor and state: the next states, each with the message that leads there, or 0 if several do.
        self.following: list[dict[int, dict[int, int]]] = [{0: {}} for _ in actors]
        # By actor and state: what the environment may still say, what the actor may have said, which messages have an
        # effect on it, and what it may still say.
        self.pending: list[dict[int, int]] = [defaultdict(int, {0: cluster.start.pending}) for _ in actors]
        self.has_said: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        self.effective: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        self.says: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        # By actor and state, after the exploration: the messages that may still have an effect on the actor, and those
        # with which a property may compare what the actor may still say.
        self.needs: list[dict[int, tuple[int, int]]] = [{} for _ in actors]
        # By actor, the messages that it may say; by message, the messages that may cause it.
        self.said_by = [0] * len(actors)
        self.causes: dict[int, int] = defaultdict(int)
        self.known = cluster.model.past_forgotten and cluster.model.reducible and self.explore()
        if self.known:
            self.look_ahead()

    def explore(self) -> bool:
        """Let each actor alone receive all messages of all actors in any order; return False if it takes too long."""
        tried: dict[tuple[int, int], int] = defaultdict(int)
        grown = True
        while grown:
            grown = False
            for position, following in enumerate(self.following):
                for state in (queue := list(following)):
                    for number in list(numbers(self.possible(position, state) & ~tried[position, state])):
                        tried[position, state] |= 1 << number
                        if self.take_step(position, state, number):
                            queue.append(self.cluster.step(position, state, number)[0])
                        grown = True
                    grown |= self.propagate(position, state)
                    if len(self.cluster.steps) > self.most_steps:
                        self.cluster.forget_steps()
                        return False
        return True

    def possible(self, position: int, state: int) -> int:
        """Return a superset of the messages that an actor can receive in some state.

        A message that is said only because of a message of this actor does not arrive before the latter is sent.
        """
        others = 0
        for other, said in enumerate(self.said_by):
            if other != position:
                others |= said
        sent = self.cluster.start.said | self.cluster.start.pending | others | self.has_said[position][state]
        caused = 0
        for number in numbers((others | self.said_by[position]) & self.cluster.to[position]):
            caused |= bool(self.causes[number] & sent) << number
        uncaused = self.cluster.start.said | self.pending[position][state]
        return self.cluster.first_timeout(caused | uncaused & self.cluster.to[position])

    def take_step(self, position: int, state: int, number: int) -> bool:
        """Take a step, and record its effects; return whether it leads to a new state."""
        is_timeout = self.cluster.timeouts >> number & 1
        received = self.cluster.timeouts if is_timeout else 1 << number
        try:
            after, said = self.cluster.step(position, state, number)
        except CheckError:
            # Perhaps no execution delivers the message in this state. If one does, the search must find it, too.
            self.effective[position][state] |= received
            return False
        following = self.following[position]
        is_new = after not in following
        following.setdefault(after, {})
        following[state][after] = following[state].get(after, 1 << number) & 1 << number
        if after != state or said:
            self.effective[position][state] |= received
        self.says[position][state] |= said
        self.said_by[position] |= said
        self.has_said[position][after] |= said
        for caused in numbers(said):
            self.causes[caused] |= 1 << number
        return is_new

    def propagate(self, position: int, state: int) -> bool:
        """Pass on what was said, and what is pending, from a state to the next ones; return whether that is new."""
        has_said, pending = self.has_said[position], self.pending[position]
        is_new = False
        for after, used in self.following[position][state].items():
            before = has_said[after], pending[after]
            has_said[after] |= has_said[state]
            pending[after] |= pending[state] & ~used
            is_new |= before != (has_said[after], pending[after])
        return is_new

    def look_ahead(self) -> None:
        """Add to each state of each actor what the actor may do in later states."""
        for position, following in enumerate(self.following):
            for table in (self.effective[position], self.says[position]):
                grown = True
                while grown:
                    grown = False
                    for state in reversed(following):
                        old = table[state]
                        for after in following[state]:
                            table[state] |= table[after]
                        grown |= table[state] != old
            self.needs[position] = {
                state: (self.effective[position][state], self.compared_with(self.says[position][state]))
                for state in following
            }

    def compared_with(self, said: int) -> int:
        """Return the messages with which a property may compare one of the messages in a set."""
        accepted = {Proposal(accept.id, accept.value) for accept in self.property_cache.all_of(Accept, said)}
        lowest: dict[str, int] = {}
        for promise in self.property_cache.all_of(Promise, said):
            lowest[promise.sender] = min(promise.id, lowest.get(promise.sender, promise.id))
        compared = 0
        for number, message in enumerate(self.cluster.messages):
            if isinstance(message, (Accept, Propose)):
                compared |= ((message.id, message.value) in accepted) << number
            elif isinstance(message, Promise) and message.sender in lowest:
                compared |= (message.id >= lowest[message.sender]) << number
        return compared

    def without_past(self, state: State) -> State:
        """Return the state without messages that no longer make a difference."""
        if not self.known:
            return state
        actors, said, pending, chosen = state
        effective, compared = self.needed_by(actors)
        chosen, accepts = self.settle(chosen)
        return State(actors, said & (effective | compared & ~accepts), pending & effective, chosen)

    @cached_method
    def needed_by(self, actors: tuple[int, ...]) -> tuple[int, int]:
        """Return the messages that may have an effect on actors in these states, and those that may be compared."""
        effective = compared = 0
        for needs, actor in zip(self.needs, actors, strict=True):
            # If the state was not explored, because the actor is not deterministic, all messages are needed.
            effective_now, compared_now = needs.get(actor, (-1, -1))
            effective |= effective_now
            compared |= compared_now
        return effective, compared

    @cached_method
    def settle(self, chosen: int) -> tuple[int, int]:
        """Return the number of one chosen proposal for each value, and the acceptances that no longer count."""
        first = {proposal.value: proposal for proposal in reversed(self.property_cache.choices[chosen])}
        proposals = tuple(sorted(first.values()))
        accepts = self.property_cache.all_of(Accept, self.cluster.accepts)
        settled = [accept for accept in accepts if Proposal(accept.id, accept.value) in proposals]
        return self.property_cache.number_of_choice(proposals), self.cluster.bits(settled)
