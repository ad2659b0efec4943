"""One actor at a time: whether an actor can break a rule, whatever the other actors and the network do.

If no actor of a configuration can break a rule of :mod:`toy_paxos.rules`, then no execution of that configuration
violates a property. To find out, no execution is needed. Each actor **alone** receives, in each of its states, every
message that some actor says anywhere, in any order and any number of times; acceptors restart whenever they like. That
is far more than can happen, but the states of single actors add up, where those of a cluster multiply.

**What cannot be heard.** Most of those messages contradict what the actor itself has heard and said, and almost all
time would be spent on them. A message is left out only if it cannot exist beside the history of this actor as long as
all actors keep the rules (:class:`Past`). For example, proposer-0 with number 3 receives no PROMISE 3 before it has
said PREPARE 3: by A1 no acceptor says it. This is not circular. In an execution in which a rule is broken, look at the
first step that breaks one. Before that step all rules were kept, so no message that was received until then is left
out, and the actor that takes the step is found in the same state here.

**What is remembered of the past.** The rules need the history of an actor. Many histories can lead to one state; one
:class:`History <toy_paxos.rules.History>` stands for all of them, and the rules take the worst case. For example, an
acceptor in some state may have promised 2 on one way to it and 3 on another; if it now accepts 2, then it breaks A4 on
the second. Only P2 depends on how the messages on one way go together. So a proposer with different promises for its
number, before it has proposed, counts as being in different places (:data:`Node`). If one way needs no promise that
another way has not, too, it stands for both, because with more promises more values are allowed.

**What this does not say.** A broken rule need not be a violation, and the history that breaks it need not be possible
with these other actors. A proposer that goes on with an earlier number is not judged, if what it has heard about that
number would make a difference; nor are actors with very many states, or that fail on a message. A rule is said to be
broken only if one history that does so was found. Actors that depend on chance or on hidden state are found by
:mod:`toy_paxos.checking.determinism`, not here.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.cluster import Cluster, numbers
from toy_paxos.checking.determinism import SharedState, refuse_files
from toy_paxos.checking.model import CheckError, KeepGoing, MakeAcceptor, MakeProposer, Model, always
from toy_paxos.checking.refusal import described
from toy_paxos.event import Learned, listed
from toy_paxos.message import Message, Prepare, Promise, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.rules import Broken, History, Statement, learning, speak, statement, statements

# The limit on the steps of single actors: actors with more of them, as those that keep a journal, are not judged.
MAX_STEPS = 50_000

# The limit on the ways from the start of an actor among which one that surely breaks a rule is looked for.
MOST_WAYS = 5_000

LARGEST = (
    Model(3, 2, max_attempts=3),
    Model(3, 3, max_attempts=2, first_number=9, descending=True),
    Model(5, 3),
)

# FAIL is delivered where that is cheap. Actors with numbers from 9 compare numbers of one and of two digits.
LADDER = (
    Model(1, 2, max_attempts=2, fail=True),
    Model(2, 2, max_attempts=2, fail=True),
    Model(3, 3, fail=True, first_number=9, descending=True),
    Model(3, 2, max_attempts=2, fail=True),
    Model(4, 2, fail=True),
    *LARGEST,
)


@dataclass(frozen=True)
class Judgement:
    """Whether all actors of a model keep the rules.

    If not, ``broken`` is the rule that one of them can break, on receiving ``received`` or at the start; or
    ``not_judged`` says why nothing is known. ``states`` is the number of places in which single actors can be. If
    many models were judged, ``clusters`` is their number, and this is the last one.
    """

    model: Model
    states: int
    broken: Broken | None = None
    received: Message | None = None
    not_judged: str = ""
    clusters: int = 1

    @property
    def kept(self) -> bool:
        """Whether all actors keep all rules."""
        return not self.broken and not self.not_judged

    @property
    def found(self) -> dict[str, Any]:
        """What was found about the rules, by names that are those in JSON."""
        if self.broken:
            at = f", on receiving {described(self.received)}" if self.received else ""
            return {"rules": self.broken.rule.name, "reason": f"{self.broken}{at}"}
        if self.not_judged:
            return {"rules": "not judged", "reason": f"the rules are not judged: {self.not_judged}"}
        return {"rules": "kept", "reason": None}


def judge(model: Model, max_steps: int = MAX_STEPS, keep_going: KeepGoing = always) -> Judgement:
    """Let each actor of a model alone receive all messages; raise CheckError if the actors cannot be judged alone.

    ``keep_going`` is called regularly with the number of states and 0; when it returns False, nothing is judged.
    """
    if not model.configuration.quorums_meet:
        return Judgement(model, 0, not_judged="for quorums that need not share an acceptor the rules are not enough")
    alone = Alone(model)
    judgement = alone.explore(max_steps, keep_going)
    if judgement.broken or not alone.said & alone.cluster.accepts:
        # Perhaps their state is in a variable or in a file, which has one state where the actor alone is in many.
        alone.shared_state.check()
        refuse_files(alone.cluster)
    return judgement


def judge_all(
    acceptor: MakeAcceptor = Acceptor, proposer: MakeProposer = Proposer, keep_going: KeepGoing = always
) -> Judgement:
    """Judge one model of the ladder after the other, up to the first whose actors do not keep the rules.

    Raises CheckError for actors that cannot begin.
    """
    judgements: list[Judgement] = []
    for model in LADDER:
        judgements.append(judge(replace(model, acceptor=acceptor, proposer=proposer), keep_going=keep_going))
        if not judgements[-1].kept:
            break
    states = sum(judgement.states for judgement in judgements)
    return replace(judgements[-1], clusters=len(judgements), states=states)


Phase = tuple[int, int, int, bool]
"""The number of an actor's state; of a proposer also its timeouts left, its number, and whether it has proposed."""

Node = tuple[Phase, frozenset[Statement]]
"""Where an actor can be: its phase; and until a proposer proposes, the promises for its number that it has heard."""


class Alone:
    """Where each actor of a model can be, and its history there."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.cluster = Cluster(model)
        self.statements: list[Statement | None] = []
        self.said = self.cluster.start.said
        # By position: the history in each node, and the messages that were tried there.
        self.histories: list[dict[Node, History]] = [{} for _ in self.cluster.actors]
        self.tried: list[dict[Node, int]] = [{} for _ in self.cluster.actors]
        # By position and phase: the promises in its nodes.
        self.promises: dict[tuple[int, Phase], list[frozenset[Statement]]] = {}
        self.queue: deque[tuple[int, Node]] = deque()
        # By position: the first state, the timeouts, and the history.
        self.starts: list[tuple[int, int, History]] = []
        self.error = ""
        self.shared_state = SharedState(self.cluster)

    def explore(self, max_steps: int, keep_going: KeepGoing) -> Judgement:
        """Judge the actors wherever they can be."""
        if broken := self.begin():
            return Judgement(self.model, self.num_states, broken)
        while self.queue:
            position, node = self.queue.popleft()
            if judgement := self.judge_node(position, node):
                return judgement
            if len(self.cluster.steps) > max_steps:
                return self.not_judged(f"not finished after {max_steps:,} steps: {self.what_grows()}")
            if not keep_going(self.num_states, 0):
                return self.not_judged("the check was stopped before")
        if self.error:
            return self.not_judged(f"{self.error}; whether that message can reach it, only a search can tell")
        return Judgement(self.model, self.num_states)

    def what_grows(self) -> str:
        """Return in words which attribute multiplies the states most, or that actors send new messages without end.

        It is the attribute without which the fewest states would be left.
        """
        if len(self.cluster.messages) > len(self.cluster.states):
            return "new messages are sent without end"
        values: dict[object, int] = defaultdict(count().__next__)
        states = [{name: values[name, value] for name, value in state.items()} for state in self.cluster.states]

        def states_without(attribute: str) -> int:
            return len({tuple([value for name, value in state.items() if name != attribute]) for state in states})

        attribute = min(dict.fromkeys(chain.from_iterable(states)), key=states_without)
        number = len({state.get(attribute) for state in states} - {None})
        return f"{attribute} has {number:,} values; let it remember less, or check fewer attempts"

    @property
    def num_states(self) -> int:
        """The number of nodes of all actors."""
        return sum(map(len, self.histories))

    def not_judged(self, because: str) -> Judgement:
        """Return that nothing is known, and why."""
        return Judgement(self.model, self.num_states, not_judged=because)

    def begin(self) -> Broken | None:
        """Put every actor into its first state; return the rule that one breaks there."""
        users: dict[int, str] = {}
        proposers, _ = self.model.new_actors()
        began = [statements(listed(proposer.prepare(), "prepare")) for proposer in proposers]
        for position, (name, state) in enumerate(zip(self.cluster.names, self.cluster.start.actors, strict=True)):
            history, broken = History(name, self.model.configuration, users), None
            if position < self.cluster.first_acceptor:
                history = history._replace(wish=self.model.values[position])
                history, broken = speak(history, [*began[position], *self.learned(position, state)])
            if broken:
                return broken
            timeouts = self.cluster.start.pending & self.cluster.to[position] & self.cluster.timeouts
            self.starts.append((state, timeouts, history))
            self.reach(position, state, timeouts, history)
        return None

    def learned(self, position: int, state: int) -> list[Statement]:
        """Return what an actor has learned in some state."""
        learned = self.cluster.learned(position, state) if position < self.cluster.first_acceptor else None
        return [] if learned is None else [learning(self.cluster.names[position], learned)]

    def reach(self, position: int, state: int, timeouts: int, history: History) -> None:
        """Note that an actor can be in some state after some history."""
        number = history.number if position < self.cluster.first_acceptor else 0
        has_proposed = any(said.kind is Propose and said.id == number for said in history.said)
        phase = state, timeouts, number, has_proposed
        promises = frozenset(heard for heard in history.heard if heard.kind is Promise and heard.id == number)
        promises = frozenset() if has_proposed else promises
        others = self.promises.setdefault((position, phase), [])
        promises = next((fewer for fewer in others if fewer <= promises), promises)
        node = phase, promises
        if known := self.histories[position].get(node):
            history = known.or_else(history)
        else:
            others.append(promises)
        if history != known:
            self.histories[position][node] = history
            self.tried[position][node] = 0
            self.queue.append((position, node))

    def judge_node(self, position: int, node: Node) -> Judgement | None:
        """Let an actor receive all messages that were not tried; return how it breaks a rule."""
        if not (messages := self.possible(position, node)):
            return None
        history = self.histories[position][node]
        for number in self.heard(history, messages):
            try:
                broken = self.deliver(position, node, number)
            except CheckError as error:
                # Not a verdict, because perhaps this cannot happen; but what would come after it is not known.
                self.error = self.error or str(error)
                continue
            if broken:
                if Past(history).is_vague_about(broken):
                    return self.not_judged(f"{broken.actor} goes on with {broken.said.id}, not its latest number")
                return self.witness(position) or self.not_judged(
                    f"{broken.actor} may break {broken.rule.name}, but none of the ways that were tried shows that"
                )
        return None

    def witness(self, position: int) -> Judgement | None:
        """Return how an actor breaks a rule on one way from its start, if it does on one of the first ways."""
        ways, seen = deque([self.starts[position]]), set[object]()
        while ways and len(seen) < MOST_WAYS:
            state, timeouts, history = ways.popleft()
            for number in self.heard(history, self.sent(position, timeouts)):
                before = history.after_receiving(self.cluster.messages[number])
                with suppress(CheckError):
                    after, _, way, broken = self.react(position, state, number, before)
                    if broken:
                        received = self.cluster.delivered(position, state, number)
                        return Judgement(self.model, self.num_states, broken, received)
                    left = timeouts & ~(1 << number)
                    if (key := (after, left, way.heard, way.said)) not in seen:
                        seen.add(key)
                        ways.append((after, left, way))
        return None

    def heard(self, history: History, messages: int) -> Iterator[int]:
        """Yield those of some messages that can exist beside a history."""
        past = Past(history)
        for number in numbers(messages):
            heard = self.statement(number)
            if not heard or not past.rules_out(heard):
                yield number

    def sent(self, position: int, timeouts: int) -> int:
        """Return the messages that may reach an actor which has these timeouts left."""
        restarts = self.cluster.start.pending & ~self.cluster.timeouts
        return self.cluster.first_timeout((self.said | restarts | timeouts) & self.cluster.to[position])

    def possible(self, position: int, node: Node) -> int:
        """Return the messages that may reach an actor and may have an effect, and were not tried."""
        (state, timeouts, *_), _ = node
        sent = self.sent(position, timeouts)
        new = sent & ~self.tried[position][node] & ~self.cluster.ineffective.get((position, state), 0)
        self.tried[position][node] |= sent
        return new

    def statement(self, number: int) -> Statement | None:
        """Return a message as a statement."""
        while len(self.statements) <= number:
            self.statements.append(statement(self.cluster.messages[len(self.statements)]))
        return self.statements[number]

    def deliver(self, position: int, node: Node, number: int) -> Broken | None:
        """Let an actor receive a message; return the rule that it breaks."""
        (state, timeouts, *_), _ = node
        after, said, history, broken = self.react(position, state, number, self.histories[position][node])
        if broken or (after == state and not said):
            return broken
        self.reach(position, after, timeouts & ~(1 << number), history)
        if news := said & ~self.said:
            self.said |= news
            recipients = {self.cluster.positions[self.cluster.messages[at].recipient] for at in numbers(news)}
            self.queue += [(recipient, other) for recipient in recipients for other in self.histories[recipient]]
        return None

    def react(
        self, position: int, state: int, number: int, history: History
    ) -> tuple[int, int, History, Broken | None]:
        """Return the next state of an actor that receives a message, what it says, its history, and what it breaks."""
        after, said = self.cluster.step(position, state, number)
        if after == state and not said:
            return after, said, history, None
        if heard := self.statement(number):
            history = history.after_hearing(heard)
        # The order in which an actor says several things at once makes no difference to the proof.
        answers = sorted((one for at in numbers(said) if (one := self.statement(at))), key=lambda one: one.id)
        return after, said, *speak(history, [*answers, *self.learned(position, after)])


class Past:
    """What the history of an actor rules out, as long as all actors keep the rules."""

    def __init__(self, history: History) -> None:
        self.history = history
        known = history.heard | history.said
        self.proposals = {one.proposal.id: one.proposal for one in known if one.proposal and one.kind is not Learned}
        self.prepared = {said.id for said in history.may_have_said if said.kind is Prepare}
        self.proposed = {said.proposal for said in history.may_have_said if said.kind is Propose}

    def rules_out(self, heard: Statement) -> bool:
        """Whether a message cannot exist beside this history."""
        # A1, P1: an acceptor promises a number only after it was asked to by the proposer that has the number.
        if heard.kind is Promise and self.uses(heard.id) and heard.id not in self.prepared:
            return True
        if not (proposal := heard.proposal):
            return False
        # A3, A4, P1: what is reported or accepted was proposed before, by the proposer that has the number.
        if self.uses(proposal.id) and proposal not in self.proposed:
            return True
        # P1, P3: a number stands for one proposal.
        return self.proposals.get(proposal.id, proposal) != proposal

    def uses(self, number: int) -> bool:
        """Whether a number is one of this actor."""
        return self.history.users.get(number) == self.history.name

    def is_vague_about(self, broken: Broken) -> bool:
        """Whether a rule may be broken only because a history stands for many: promises for an earlier number."""
        number = broken.said.id
        is_earlier = number != self.history.number or number < max(self.prepared, default=number)
        return broken.rule.name == "P2" and number in self.prepared and is_earlier
