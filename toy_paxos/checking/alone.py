"""One actor at a time: whether an actor can break a rule, whatever the other actors and the network do.

If no actor of a configuration can break a rule of :mod:`toy_paxos.rules`, then no execution of that configuration
violates a property. To find out, no execution is needed. Each actor **alone** receives, in each of its states, every
message that any actor says in any state, in any order and any number of times; acceptors restart at any moment. Far
more is tried than can happen, but the numbers of states of single actors add up, while those of a cluster multiply.

**Impossible messages.** Most of those messages contradict what the actor itself has heard and said, and almost all
time would be spent on them. A message is left out only if it cannot exist beside the history of this actor as long as
all actors keep the rules (:class:`Past`). For example, proposer-0 with number 3 receives no PROMISE 3 before it has
said PREPARE 3: by A1 no acceptor says it. The argument is not circular. Take an execution in which a rule is broken,
and the first step that breaks one. Before that step all rules were kept, so no message received until then is left out
here, and the actor that takes the step reaches the same state here.

**Histories.** The rules need the history of an actor. Many histories can lead to one state; one
:class:`History <toy_paxos.rules.History>` stands for all of them, and the rules take the worst case. For example, an
acceptor may have promised 2 on one path to a state and 3 on another; if it then accepts 2, it breaks A4 on the second
path. Only P2 depends on which messages occur together on one path. So until a proposer proposes, the promises for its
number that it has heard are part of where it is (:data:`Node`). If the promises on one path are a subset of those on
another, the smaller set stands for both, because more promises allow more values.

**Limits.** A broken rule need not be a violation, and the history that breaks it need not be possible with these other
actors. Three kinds of actors are not judged: a proposer that goes on with an earlier number, if what it has heard about
that number would make a difference; actors with too many states; and actors that fail on a message. A rule is reported
as broken only if one history that breaks it was found. Actors that depend on chance or on hidden state are found by
:mod:`toy_paxos.checking.determinism`, not here.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from toy_paxos.acceptor import Acceptor
from toy_paxos.checking.cluster import Cluster, cached_method, numbers
from toy_paxos.checking.determinism import SharedState, begin_afresh, not_deterministic, refuse_files
from toy_paxos.checking.model import CheckError, KeepGoing, MakeAcceptor, MakeProposer, Model, always
from toy_paxos.checking.refusal import described
from toy_paxos.event import Learned, listed
from toy_paxos.message import Fail, Message, Prepare, Promise, Propose
from toy_paxos.proposer import Proposer
from toy_paxos.rules import Broken, History, Statement, learning, speak, statement, statements

# The limit on the steps of single actors. Actors with more, such as those that keep a journal, are not judged.
MAX_STEPS = 50_000

# The limit on the paths from the start of an actor that are searched for one that breaks a rule.
MOST_PATHS = 5_000

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
    ``not_judged`` says why nothing is known. ``states`` is the number of nodes of all actors. If several models were
    judged, ``clusters`` is their number, and ``model`` is the last one.
    """

    model: Model
    states: int
    broken: Broken | None = None
    received: Message | None = None
    not_judged: str = ""
    clusters: int = 1

    @property
    def kept(self) -> bool:
        """Whether no actor can break a rule."""
        return not self.broken and not self.not_judged

    @property
    def found(self) -> dict[str, Any]:
        """What was found about the rules, by names that are those in JSON."""
        if self.broken:
            at = f", on receiving {described(self.received)}" if self.received else ""
            return {"rules": self.broken.rule.name, "reason": f"{self.broken}{at}"}
        if self.not_judged:
            words = "the rules are not judged: " if self.model.configuration.quorums_meet else ""
            return {"rules": "not judged", "reason": f"{words}{self.not_judged}"}
        return {"rules": "kept", "reason": None}


def judge(model: Model, max_steps: int = MAX_STEPS, keep_going: KeepGoing = always) -> Judgement:
    """Let each actor of a model alone receive all messages; raise CheckError if the actors cannot be judged alone.

    ``keep_going`` is called regularly with the number of states and 0; when it returns False, nothing is judged.
    """
    if not model.configuration.quorums_meet:
        sizes = "{} and {} among {} acceptors".format(*model.sizes["quorums"], model.num_acceptors)
        return Judgement(model, 0, not_judged=f"quorums of {sizes} need not share an acceptor")
    alone = Alone(model)
    judgement = alone.explore(max_steps, keep_going)
    if judgement.broken or not alone.said & alone.cluster.accepts:
        # Perhaps the actors keep their state in a variable or in a file, where a check cannot put it back.
        alone.shared_state.check()
        refuse_files(alone.cluster)
    alone.confirm(judgement)
    return judgement


def judge_all(
    acceptor: MakeAcceptor = Acceptor, proposer: MakeProposer = Proposer, keep_going: KeepGoing = always
) -> Judgement:
    """Judge the models of the ladder, up to the first whose actors can break a rule or are not judged.

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
"""The number of an actor's state; and for a proposer its remaining timeouts, its number, whether it has proposed."""

Node = tuple[Phase, frozenset[Statement]]
"""Where an actor can be: its phase, and for a proposer that has not proposed, the promises heard for its number."""


class Alone:
    """The nodes that each actor of a model can reach, and its history in each."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.cluster = Cluster(model)
        self.said = self.or_failed(self.cluster.start.said)
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
        """Judge the actors in all nodes that they can reach."""
        if broken := self.begin():
            return Judgement(self.model, self.num_states, broken)
        while self.queue:
            position, node = self.queue.popleft()
            if judgement := self.judge_node(position, node):
                return judgement
            if len(self.cluster.steps) > max_steps:
                return self.not_judged(f"not finished after {max_steps:,} steps: {self.what_grows()}")
            if not keep_going(self.num_states, 0):
                return self.not_judged("the check was stopped")
        if self.error:
            return self.not_judged(f"{self.error}; whether that message can reach it, only a search can tell")
        return Judgement(self.model, self.num_states)

    def what_grows(self) -> str:
        """Return in words which attribute of which actor multiplies its states, or that new messages have no end.

        It is the actor with the most nodes, and the attribute without which the fewest states would be left.
        """
        if len(self.cluster.messages) > len(self.cluster.states):
            return "new messages are sent without end"
        highest = max((message.id for message in self.cluster.messages if isinstance(message, Prepare)), default=0)
        if highest > self.model.first_number + 3 * self.model.num_proposers * self.model.max_attempts:
            return f"proposers use numbers up to {highest}, many more than they have attempts"
        name, nodes = max(zip(self.cluster.names, self.histories, strict=True), key=lambda each: len(each[1]))
        values: dict[object, int] = defaultdict(count().__next__)
        changed = [self.cluster.states[number] for number in dict.fromkeys(number for (number, *_), _ in nodes)]
        states = [{name: values[name, value] for name, value in state.items()} for state in changed]

        def states_without(attribute: str) -> int:
            return len({tuple([value for name, value in state.items() if name != attribute]) for state in states})

        attribute = min(dict.fromkeys(chain.from_iterable(states)), key=states_without)
        number = len({state.get(attribute) for state in states} - {None})
        return f"{attribute} of {name} has {number:,} values; let it remember less, or check fewer attempts"

    @property
    def num_states(self) -> int:
        """The number of nodes of all actors."""
        return sum(map(len, self.histories))

    def not_judged(self, because: str) -> Judgement:
        """Return a judgement that says why nothing is known."""
        return Judgement(self.model, self.num_states, not_judged=because)

    def begin(self) -> Broken | None:
        """Put every actor into its first state; return the rule that one of them breaks there, if any."""
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
        """Return what an actor has learned in some state as a list of at most one statement."""
        learned = self.cluster.learned(position, state) if position < self.cluster.first_acceptor else None
        return learning(self.cluster.names[position], learned)

    def reach(self, position: int, state: int, timeouts: int, history: History) -> None:
        """Record that an actor can be in a state after a history; queue the node if that is news."""
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
        """Let an actor receive all messages that were not tried; return the judgement if this decides it."""
        if not (messages := self.possible(position, node)):
            return None
        history = self.histories[position][node]
        for number in self.heard(history, messages):
            try:
                broken = self.deliver(position, node, number)
            except CheckError as error:
                # Perhaps this message cannot reach the actor, so this is not a verdict.
                self.error = self.error or str(error)
                continue
            if broken:
                if Past(history).is_vague_about(broken):
                    return self.not_judged(f"{broken.actor} goes on with {broken.said.id}, not its latest number")
                return self.witness(position) or self.not_judged(
                    f"{broken.actor} may break {broken.rule.name}, but none of the paths that were tried shows that"
                )
        return None

    def confirm(self, judgement: Judgement) -> None:
        """Raise CheckError if an actor that has broken a rule on a path does not do so a second time."""
        if judgement.broken and judgement.received:
            position = self.cluster.positions[judgement.broken.actor]
            begin_afresh(self.cluster)
            self.cluster.forget_steps()
            again = self.witness(position)
            if not again or str(again.broken) != str(judgement.broken):
                raise not_deterministic(self.cluster, position, f"once {judgement.broken}, and once not")

    def witness(self, position: int) -> Judgement | None:
        """Return how an actor breaks a rule on a path from its start, if it does on one of the shortest paths."""
        paths, seen = deque([self.starts[position]]), set[object]()
        while paths and len(seen) < MOST_PATHS:
            state, timeouts, history = paths.popleft()
            for number in self.heard(history, self.sent(position, timeouts)):
                before = history.after_receiving(self.cluster.messages[number])
                with suppress(CheckError):
                    after, _, path, broken = self.react(position, state, number, before)
                    if broken:
                        received = self.cluster.delivered(position, state, number)
                        return Judgement(self.model, self.num_states, broken, received)
                    left = timeouts & ~(1 << number)
                    if (key := (after, left, path.heard, path.said)) not in seen:
                        seen.add(key)
                        paths.append((after, left, path))
        return None

    def heard(self, history: History, messages: int) -> Iterator[int]:
        """Yield the messages in a set that can exist beside a history."""
        past = Past(history)
        for number in numbers(messages):
            heard = self.statement(number)
            if not heard or not past.rules_out(heard):
                yield number

    def sent(self, position: int, timeouts: int) -> int:
        """Return the messages that may reach an actor with these remaining timeouts."""
        restarts = self.cluster.start.pending & ~self.cluster.timeouts
        return self.cluster.first_timeout((self.said | restarts | timeouts) & self.cluster.to[position])

    def possible(self, position: int, node: Node) -> int:
        """Return the untried messages that may reach an actor and have an effect on it; mark them as tried."""
        (state, timeouts, *_), _ = node
        sent = self.sent(position, timeouts)
        new = sent & ~self.tried[position][node] & ~self.cluster.ineffective.get((position, state), 0)
        self.tried[position][node] |= sent
        return new

    @cached_method
    def statement(self, number: int) -> Statement | None:
        """Return a message as a statement, or None if no rule applies to it."""
        return statement(self.cluster.messages[number])

    def deliver(self, position: int, node: Node, number: int) -> Broken | None:
        """Let an actor receive a message, and record the result; return the rule that it breaks, if any."""
        (state, timeouts, *_), _ = node
        after, said, history, broken = self.react(position, state, number, self.histories[position][node])
        if broken or (after == state and not said):
            return broken
        self.reach(position, after, timeouts & ~(1 << number), history)
        if news := self.or_failed(said) & ~self.said:
            self.said |= news
            recipients = {self.cluster.positions[self.cluster.messages[at].recipient] for at in numbers(news)}
            self.queue += [(recipient, other) for recipient in recipients for other in self.histories[recipient]]
        return None

    def or_failed(self, said: int) -> int:
        """Return messages and, if FAIL is delivered, the FAIL of an acceptor that fails on a request among them."""
        messages = [self.cluster.messages[number] for number in numbers(said)] if self.model.fail else []
        requests = [each for each in messages if isinstance(each, (Prepare, Propose))]
        return said | self.cluster.bits(Fail(each.recipient, each.sender, each.id) for each in requests)

    def react(
        self, position: int, state: int, number: int, history: History
    ) -> tuple[int, int, History, Broken | None]:
        """Return an actor's next state, what it says, its history, and the rule that it breaks, if any."""
        after, said = self.cluster.step(position, state, number)
        if after == state and not said:
            return after, said, history, None
        if heard := self.statement(number):
            history = history.after_hearing(heard)
        answers = [one for at in numbers(said) if (one := self.statement(at))]
        return after, said, *speak(history, [*answers, *self.learned(position, after)])


class Past:
    """Messages that cannot exist beside the history of an actor as long as all actors keep the rules."""

    def __init__(self, history: History) -> None:
        self.history = history
        known = history.heard | history.said
        self.proposals = {one.proposal.id: one.proposal for one in known if one.proposal and one.kind is not Learned}
        self.prepared = {said.id for said in history.may_have_said if said.kind is Prepare}
        self.proposed = {said.proposal for said in history.may_have_said if said.kind is Propose}

    def rules_out(self, heard: Statement) -> bool:
        """Return whether a message cannot exist beside this history."""
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
        """Return whether this actor is the one that uses a number."""
        return self.history.users.get(number) == self.history.name

    def is_vague_about(self, broken: Broken) -> bool:
        """Return whether P2 may only seem broken: a merged history does not keep the promises for earlier numbers."""
        number = broken.said.id
        is_earlier = number != self.history.number or number < max(self.prepared, default=number)
        return broken.rule.name == "P2" and number in self.prepared and is_earlier
