"""Two reasons why not every state has to be visited to know what all of them would show.

Both rest on three facts. A message that was sent is never taken away. What a delivery does depends on the message
and on the state of its recipient alone, so deliveries to different actors can change places. And what must always
be so can only be lost when somebody says something, or a proposer learns something: a :class:`Moment
<toy_paxos.safety.Moment>` is made of nothing else.

**Silence can wait** (:class:`Turn`). A delivery after which its recipient says nothing changes nobody but the
recipient. So it can be put off until just before the next delivery to that recipient that makes it speak, and left
out if there is none. The message is still there then, and a timeout or restart is meant for nobody else. Whatever
is said, is said in the same order as before, by an execution that is no longer. So it is enough to look at the
executions in which each silence is followed by the same actor's speaking, and states in the midst of a silence are
no states of the search. What a proposer learns in silence is looked at on the way, in each state in which it can
learn it, one proposer at a time. That two learn different values is not seen in this way; but then one of them learns
what is not chosen, or two values are. A property that compares learners and does not follow from others that are
looked at, too, makes learning a step that is not silent. Nothing that is said is put off or put forward: an ACCEPT
said earlier could hide that a proposer learned its value before it was chosen.

**The past can be forgotten** (:class:`Future`). A message makes a difference only as long as (1) its recipient can
still come into a state in which the message makes it do something; or (2) a property may compare it with what is
still to be said: a PROMISE with one by the same acceptor under no higher number, an ACCEPT with another for the
same proposal until that is chosen, a PROPOSE with an ACCEPT for what it proposes. If neither, it is no part of a
state. What an actor can still do is found out for each one alone, and too much rather than too little: it gets
every message that is ever sent by anybody who himself gets every message, save that what others say only because
of what it said does not come before that, and that the environment says nothing twice. From a state on, an actor
can only do what it could do before, so what is forgotten once is never missed, and if it is said again, it is
forgotten again. Of the proposals that are chosen one for each value is remembered. All this holds for properties that
are :attr:`reducible <toy_paxos.safety.Property>`: they compare nothing else. If one is not, nothing is forgotten.
"""

from typing import NamedTuple

from toy_paxos.checking.cluster import Cluster, State, numbers
from toy_paxos.checking.judge import Judge
from toy_paxos.checking.model import CheckError, Model
from toy_paxos.message import Accept, Promise, Proposal, Propose

# How many steps of single actors may be tried to find out what can be forgotten. Actors with larger states than
# that would lose more time than they gain.
MANY_STEPS = 12_000


def may_learn_in_silence(model: Model) -> bool:
    """Whether to look at what each proposer can learn alone is to see all that the properties see."""
    properties = {*model.properties}
    return all(
        property.learners_alone or (property.follows_from and properties.issuperset(property.follows_from))
        for property in properties
    )


class Move(NamedTuple):
    """Deliveries to one actor: what it says at the last of them, and how it is left.

    ``used`` are those among the deliveries that the environment can make once only.
    """

    deliveries: tuple[int, ...]
    after: int
    said: int
    used: int


class Turn:
    """All that one actor can do next, sorted by the number of deliveries that it takes.

    They are found out no sooner than they are needed, for there may be no end to them.
    """

    def __init__(self, cluster: Cluster, position: int, state: int, said: int, pending: int) -> None:
        self.cluster = cluster
        self.position = position
        self.said = said
        self.pending = pending
        self.waits = cluster.model.silence_waits
        self.is_proposer = position < cluster.first_acceptor
        self.learns_silently = may_learn_in_silence(cluster.model)
        # By the number of silent deliveries before: what ends the silence, and what is learned in silence.
        self.moves: list[list[Move]] = []
        self.lessons: list[list[Move]] = []
        # Where the actor can be after the last of them: its state, what is still pending, how it got there.
        self.silent: list[tuple[int, int, tuple[int, ...]]] = [(state, pending, ())]
        self.met: set[tuple[object, ...]] = {(state, pending)}

    def find_out(self, num_silent: int) -> bool:
        """Find out what the actor can do after so many silent deliveries; return whether there may be more."""
        while len(self.moves) <= num_silent:
            self.moves.append([])
            self.lessons.append([])
            self.go_on()
        return bool(self.silent) or num_silent + 1 < len(self.moves)

    def go_on(self) -> None:
        """Deliver one more message in each state that silence leads to."""
        now, self.silent = self.silent, []
        for state, pending, deliveries in now:
            for number in self.cluster.effective(self.position, state, self.said | pending):
                after, said = self.cluster.step(self.position, state, number)
                left = pending & ~(1 << number)
                move = Move((*deliveries, number), after, said, self.pending & ~left)
                if not self.waits:
                    self.moves[-1].append(move)
                elif said or (self.learns(state, after) and not self.learns_silently):
                    if self.is_new(after, left, said):
                        self.moves[-1].append(move)
                elif after != state and self.is_new(after, left):
                    self.silent.append((after, left, move.deliveries))
                    if self.learns(state, after) and self.is_new(self.cluster.learned(self.position, after)):
                        self.lessons[-1].append(move)

    def learns(self, before: int, after: int) -> bool:
        """Whether a proposer has learned something between two states, or forgotten it."""
        learned = self.cluster.learned
        return self.is_proposer and learned(self.position, before) != learned(self.position, after)

    def is_new(self, *what: object) -> bool:
        """Whether this is met for the first time."""
        if what in self.met:
            return False
        self.met.add(what)
        return True


class Future:
    """What each actor may still do from each of its states, and so which messages can be forgotten."""

    def __init__(self, cluster: Cluster, judge: Judge) -> None:
        self.cluster = cluster
        self.judge = judge
        num_actors = len(cluster.actors)
        # By actor and state: the states it can get to, each with the message if only one leads there.
        self.following: list[dict[int, dict[int, int]]] = [{0: {}} for _ in range(num_actors)]
        # What the environment may still say by then, what the actor has said, reacts to, may still say.
        self.pending: list[dict[int, int]] = [{0: cluster.start[-2]} for _ in range(num_actors)]
        self.has_said: list[dict[int, int]] = [{0: 0} for _ in range(num_actors)]
        self.hears: list[dict[int, int]] = [{0: 0} for _ in range(num_actors)]
        self.says: list[dict[int, int]] = [{0: 0} for _ in range(num_actors)]
        # By actor and state, once all is known: what it may react to, what may be compared with what it may say.
        self.needs: list[dict[int, tuple[int, int]]] = [{} for _ in range(num_actors)]
        # What may be said by each actor; by message, what may make somebody say it.
        self.said_by = [0] * num_actors
        self.causes: dict[int, int] = {}
        self.needed: dict[State, tuple[int, int]] = {}
        self.settled: dict[int, tuple[int, int]] = {}
        self.known = cluster.model.reducible and self.explore()
        if self.known:
            self.look_ahead()

    def explore(self) -> bool:
        """Let every actor alone receive all that anybody ever says, in every order; or give up, and say so."""
        tried: dict[tuple[int, int], int] = {}
        grown = True
        while grown:
            grown = False
            for position, following in enumerate(self.following):
                for state in (queue := list(following)):
                    for number in list(numbers(self.possible(position, state) & ~tried.get((position, state), 0))):
                        tried[position, state] = tried.get((position, state), 0) | 1 << number
                        if self.note(position, state, number):
                            queue.append(self.cluster.step(position, state, number)[0])
                        grown = True
                    grown |= self.hand_on(position, state)
                    if len(self.cluster.steps) > MANY_STEPS:
                        self.cluster.forget_steps()
                        return False
        return True

    def possible(self, position: int, state: int) -> int:
        """The messages that an actor may receive in some state, or more.

        What somebody says only because he was told something by this very actor, cannot come before it said so.
        """
        others = 0
        for at, said in enumerate(self.said_by):
            if at != position:
                others |= said
        told = self.cluster.start[-3] | self.cluster.start[-2] | others | self.has_said[position][state]
        caused = 0
        for number in numbers((others | self.said_by[position]) & self.cluster.to[position]):
            caused |= bool(self.causes[number] & told) << number
        there = self.cluster.start[-3] | self.pending[position][state]
        return self.cluster.first_timeout(caused | there & self.cluster.to[position])

    def note(self, position: int, state: int, number: int) -> bool:
        """Take a step, and note what comes of it; return whether it leads to a new state."""
        is_timeout = self.cluster.timeouts >> number & 1
        heard = self.cluster.timeouts if is_timeout else 1 << number
        try:
            after, said = self.cluster.step(position, state, number)
        except CheckError:
            # It may be that this never happens. If it does, the search, too, must come upon it.
            self.hears[position][state] |= heard
            return False
        following = self.following[position]
        is_new = after not in following
        following.setdefault(after, {})
        following[state][after] = following[state].get(after, 1 << number) & 1 << number
        for table in (self.hears, self.says, self.has_said, self.pending):
            table[position].setdefault(after, 0)
        if after != state or said:
            self.hears[position][state] |= heard
        self.says[position][state] |= said
        self.said_by[position] |= said
        self.has_said[position][after] |= said
        for caused in numbers(said):
            self.causes[caused] = self.causes.get(caused, 0) | 1 << number
        return is_new

    def hand_on(self, position: int, state: int) -> bool:
        """Add to what was, or may still be, said in later states what was in this; return whether that is new."""
        has_said, pending = self.has_said[position], self.pending[position]
        news = False
        for after, used in self.following[position][state].items():
            before = has_said[after], pending[after]
            has_said[after] |= has_said[state]
            pending[after] |= pending[state] & ~used
            news |= before != (has_said[after], pending[after])
        return news

    def look_ahead(self) -> None:
        """Add to what an actor does in a state all that it may do later."""
        for position, following in enumerate(self.following):
            for table in (self.hears[position], self.says[position]):
                grown = True
                while grown:
                    grown = False
                    for state in reversed(following):
                        old = now = table.get(state, 0)
                        for after in following[state]:
                            now |= table.get(after, 0)
                        table[state] = now
                        grown |= now != old
            self.needs[position] = {
                state: (self.hears[position].get(state, 0), self.compared_with(said))
                for state, said in self.says[position].items()
            }

    def compared_with(self, said: int) -> int:
        """The messages with which a property may compare one of these."""
        accepted = {Proposal(accept.id, accept.value) for accept in self.judge.all_of(Accept, said)}
        lowest: dict[str, int] = {}
        for promise in self.judge.all_of(Promise, said):
            lowest[promise.sender] = min(promise.id, lowest.get(promise.sender, promise.id))
        compared = 0
        for number, message in enumerate(self.cluster.messages):
            if isinstance(message, (Accept, Propose)):
                compared |= ((message.id, message.value) in accepted) << number
            elif isinstance(message, Promise) and message.sender in lowest:
                compared |= (message.id >= lowest[message.sender]) << number
        return compared

    def without_past(self, state: State) -> State:
        """The state without what makes no difference any more."""
        if not self.known:
            return state
        actors, (said, pending, chosen) = state[:-3], state[-3:]
        if actors not in self.needed:
            self.needed[actors] = self.needed_by(actors)
        heard, compared = self.needed[actors]
        if chosen not in self.settled:
            self.settled[chosen] = self.settle(chosen)
        chosen, accepts = self.settled[chosen]
        return (*actors, said & (heard | compared & ~accepts), pending & heard, chosen)

    def needed_by(self, actors: State) -> tuple[int, int]:
        """What actors in these states may react to, and what may be compared with what they may say."""
        heard = compared = 0
        for needs, actor in zip(self.needs, actors, strict=True):
            # An actor of which nothing is known, because it is not what its attributes say, needs all.
            reacts_to, compared_with = needs.get(actor, (-1, -1))
            heard |= reacts_to
            compared |= compared_with
        return heard, compared

    def settle(self, chosen: int) -> tuple[int, int]:
        """Of the proposals that are chosen one for each value, and the acceptances that need no counting now."""
        first = {proposal.value: proposal for proposal in reversed(self.judge.choices[chosen])}
        proposals = tuple(sorted(first.values()))
        accepts = self.judge.all_of(Accept, self.cluster.accepts)
        settled = [accept for accept in accepts if Proposal(accept.id, accept.value) in proposals]
        return self.judge.number_of_choice(proposals), self.cluster.bits(settled)
