"""Two reductions: why the search need not visit every state to find every violation.

Both rest on three facts. A message that was sent is never removed. The effect of a delivery depends only on the message
and on the state of its recipient, so deliveries to different actors commute. And a property can only be lost when an
actor says something or a proposer learns something: a :class:`Moment <toy_paxos.safety.Moment>` consists of nothing
else.

**Silence can wait** (:class:`ActorTransitions`). A delivery after which its recipient says nothing changes only the
recipient. So it can be delayed until just before the next delivery that makes the same recipient speak, or be left out
if there is none. The message is still there then, and a timeout or restart is only for this actor. All messages keep
their order, and the execution does not become longer. So it is enough to explore the executions in which each silence
is followed by a message of the same actor, and states in the middle of a silence need not be visited. What a proposer
learns during a silence is evaluated in each state in which it can learn it, for one proposer at a time. This misses
that two proposers learn different values; but then one of them learns a value that is not chosen, or two values are
chosen. If a property compares learners and does not follow from others that are evaluated, learning ends a silence. No
message is delayed or sent earlier: an earlier ACCEPT could hide that a proposer learned its value before it was chosen.

**The past can be forgotten** (:class:`Future`). A message makes a difference only as long as (1) its recipient can
still reach a state in which the message has an effect; or (2) a property may compare it with a later message: a PROMISE
with one by the same acceptor under the same or a lower number, an ACCEPT with another for the same proposal until that
is chosen, a PROPOSE with an ACCEPT of its proposal. Other messages are removed from the state. What an actor can still
do is over-approximated for each actor alone: it receives every message that some actor sends if all actors receive all
messages. There are two exceptions: messages that other actors say only because of a message of this actor do not arrive
before it, and the environment says nothing twice. From a state on, an actor can only do what it could do before. So a
message that is forgotten once makes no difference later, and if it is said again, it is forgotten again. Of the chosen
proposals, one for each value is remembered. All this holds for properties that are :attr:`reducible
<toy_paxos.safety.Property>`: they compare nothing else. If one is not, nothing is forgotten.
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
    """Whether it is enough for the properties to see what each proposer learns alone."""
    properties = {*model.properties}
    return all(
        property.learners_alone or (property.follows_from and properties.issuperset(property.follows_from))
        for property in properties
    )


class Transition(NamedTuple):
    """Deliveries to one actor: the state after them, and the messages that it says at the last of them.

    ``used`` is the set of delivered messages that the environment can send only once.
    """

    deliveries: tuple[int, ...]
    after: int
    said: int
    used: int


class ActorTransitions:
    """The transitions of one actor from one state, by the number of silent deliveries at their beginning.

    They are computed when they are needed, because their number may be infinite.
    """

    def __init__(self, cluster: Cluster, position: int, state: int, said: int, pending: int) -> None:
        self.cluster = cluster
        self.position = position
        self.said = said
        self.pending = pending
        self.silence_waits = cluster.model.silence_waits
        self.is_proposer = position < cluster.first_acceptor
        self.learns_silently = may_learn_in_silence(cluster.model)
        # By the number of silent deliveries before: the deliveries that end a silence, and those that silently teach.
        self.transitions: list[list[Transition]] = []
        self.silent_learning: list[list[Transition]] = []
        # Where the actor can be after the last of them: its state, what is still pending, and the deliveries.
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
        """Deliver one more message in each state that silent deliveries lead to."""
        now, self.silent = self.silent, []
        for state, pending, deliveries in now:
            for number in self.cluster.effective(self.position, state, self.said | pending):
                after, said = self.cluster.step(self.position, state, number)
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
        """Whether a proposer has learned something between two states, or forgotten it."""
        learned = self.cluster.learned
        return self.is_proposer and learned(self.position, before) != learned(self.position, after)

    def is_new(self, *key: object) -> bool:
        """Return whether a key occurs for the first time, and remember it."""
        if key in self.met:
            return False
        self.met.add(key)
        return True


class Future:
    """What each actor may still do from each of its states, and so which messages can be forgotten."""

    def __init__(self, cluster: Cluster, property_cache: PropertyCache, most_steps: int | None = None) -> None:
        self.cluster = cluster
        self.property_cache = property_cache
        self.most_steps = most_steps or MANY_STEPS
        actors = range(len(cluster.actors))
        # By actor and state: the next states, each with the message that leads there if there is only one.
        self.following: list[dict[int, dict[int, int]]] = [{0: {}} for _ in actors]
        # Also by actor and state: what the environment may still say, what the actor has said, which messages have an
        # effect on it, and what it may still say.
        self.pending: list[dict[int, int]] = [defaultdict(int, {0: cluster.start.pending}) for _ in actors]
        self.has_said: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        self.effective: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        self.says: list[dict[int, int]] = [defaultdict(int) for _ in actors]
        # By actor and state, once all is known: the messages that may still have an effect on the actor, and those with
        # which a property may compare what it may still say.
        self.needs: list[dict[int, tuple[int, int]]] = [{} for _ in actors]
        # By actor, what it may say; by message, the messages that may cause it.
        self.said_by = [0] * len(actors)
        self.causes: dict[int, int] = defaultdict(int)
        self.known = cluster.model.past_forgotten and cluster.model.reducible and self.explore()
        if self.known:
            self.look_ahead()

    def explore(self) -> bool:
        """Let each actor alone receive all messages of all actors in any order; return False if there are too many."""
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
        """Return the messages that an actor may receive in some state, or more.

        A message that is said only because of a message of this actor cannot arrive before the latter is sent.
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
            # Perhaps this cannot happen in an execution. If it can, the search must find it, too.
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
        """Add what was said, and what is pending, in a state to the states after it; return whether anything is new."""
        has_said, pending = self.has_said[position], self.pending[position]
        is_new = False
        for after, used in self.following[position][state].items():
            before = has_said[after], pending[after]
            has_said[after] |= has_said[state]
            pending[after] |= pending[state] & ~used
            is_new |= before != (has_said[after], pending[after])
        return is_new

    def look_ahead(self) -> None:
        """Add to each state of an actor all that it may do in later states."""
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
        """Return the messages with which a property may compare one of these."""
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
        """Return the messages with an effect on actors in these states, and those compared with what they may say."""
        effective = compared = 0
        for needs, actor in zip(self.needs, actors, strict=True):
            # A state of an actor that was not explored, because the actor is not deterministic, needs all messages.
            effective_now, compared_now = needs.get(actor, (-1, -1))
            effective |= effective_now
            compared |= compared_now
        return effective, compared

    @cached_method
    def settle(self, chosen: int) -> tuple[int, int]:
        """Return one chosen proposal for each value, and the acceptances that need not be counted any more."""
        first = {proposal.value: proposal for proposal in reversed(self.property_cache.choices[chosen])}
        proposals = tuple(sorted(first.values()))
        accepts = self.property_cache.all_of(Accept, self.cluster.accepts)
        settled = [accept for accept in accepts if Proposal(accept.id, accept.value) in proposals]
        return self.property_cache.number_of_choice(proposals), self.cluster.bits(settled)
