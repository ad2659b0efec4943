"""A round in real time: a delivery loop over the same proposers that calls acceptors in other processes.

All calls of a proposer begin at once, and their answers arrive in one queue, so one thread is enough. A call that is
not answered in time ends as well. As soon as too many calls have failed (refused, lost or late), the proposer backs
off, and tries again after a random pause.

If a call gets no answer, nobody knows whether it was handled: the story tells it as lost.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, Queue

from toy_paxos.actor import ProposingActor
from toy_paxos.event import AcceptorCrash, Delivery, Event, Fate, TimedOut, begin, hand_over
from toy_paxos.message import Message, Propose, Restart, Terminate, Timeout
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import from_handled, to_wire
from toy_paxos.remote.records import Log
from toy_paxos.remote.rpc import Call, CallError, Client, is_late, reason
from toy_paxos.remote.supervisor import Change
from toy_paxos.settings import Network
from toy_paxos.story import Configuration


@dataclass
class Party:
    """A proposer in a round, and the state of its current requests; ``resumes`` is when its pause ends, in ms."""

    actor: ProposingActor
    value: str
    log: Log
    id: int = 1
    events: list[Event] = field(default_factory=list)
    requests: Sequence[Message] = ()
    failed: int = 0
    is_late: bool = False
    attempts: int = 1
    resumes: float | None = None
    gave_up: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it has learned, or given up."""
        return self.gave_up or self.actor.learned is not None


@dataclass
class RealRound:
    """One round of a run, by some proposers of this process; ``newest`` is the latest round that an acceptor named.

    ``newest_run`` is the latest run that one named for which this run is over. Of the network only the timeout, the
    backoff and the number of attempts count. ``changes`` returns which acceptors were killed or came back since the
    round before, as far as this process knows.
    """

    client: Client
    run: int
    number: int
    configuration: Configuration
    parties: Sequence[Party]
    network: Network
    draw: Callable[[], float]
    changes: Callable[[], Sequence[Change]] = list
    # Not a SimpleQueue: before Python 3.13 a signal can make its timeouts last for ever.
    ended: Queue[Callable[[], None]] = field(default_factory=Queue)
    outstanding: int = 0
    handled: dict[str, list[tuple[int, int, Delivery]]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    newest: int = 0
    newest_run: int = 0

    @property
    def now(self) -> float:
        """How long the round has lasted, in milliseconds."""
        return (time.monotonic() - self.began) * 1000

    def play(self) -> dict[str, list[Event]]:
        """Play to the end; return what each process did, as far as this process knows."""
        for party in self.parties:
            wants = begin(party.actor, party.value, self.now)
            self.tell(party, wants)
            self.send(party, wants.says)
        while waiting := [party for party in self.parties if not party.is_done]:
            for party in waiting:
                if not self.outstanding and party.resumes is None:
                    # Nothing more will come: a proposer of another class may wait for more answers than there are.
                    party.is_late = True
                    self.back_off(party)
            pauses = [party.resumes for party in waiting if party.resumes is not None]
            if pauses or self.outstanding:
                self.listen(until=min(pauses, default=None))
            for party in waiting:
                if party.resumes is not None and party.resumes <= self.now:
                    party.resumes = None
                    party.attempts += 1
                    self.deliver(party, Timeout("clock", party.actor.name, party.id))
        # Late answers belong to the story, unless they take as long again as the round itself.
        until = 2 * self.now
        while self.outstanding and self.now < until:
            self.listen(until)
        changes = [change._replace(time=max(0, change.time - self.began) * 1000) for change in self.changes()]
        return {party.actor.name: party.events for party in self.parties} | {
            name: acceptor_events(name, self.handled.get(name, []), changes) for name in self.configuration.acceptors
        }

    def tell(self, party: Party, event: Event) -> None:
        """Log what happens to a proposer, before anything is sent."""
        party.events.append(event)
        party.log.add(self.run, self.number, event)

    def send(self, party: Party, messages: Sequence[Message]) -> None:
        """Begin the calls to all recipients at once."""
        if messages and not isinstance(messages[0], Terminate):
            party.requests, party.failed, party.is_late = messages, 0, False
            party.id = messages[0].id
        for message in messages:
            envelope = wire.Envelope(run=self.run, round=self.number, message=to_wire(message))
            call = self.client.call(message.recipient, envelope, self.network.timeout / 1000)
            finish = partial(self.finish, party, message, self.now, call)
            self.outstanding += 1
            if call:
                call.add_done_callback(lambda _, finish=finish: self.ended.put(finish))
            else:
                self.ended.put(finish)

    def listen(self, until: float | None) -> None:
        """Wait for the end of a call, or until a time of the round."""
        try:
            finish = self.ended.get(timeout=None if until is None else max(0, until - self.now) / 1000)
        except Empty:
            return
        self.outstanding -= 1
        finish()

    def finish(self, party: Party, request: Message, sent: float, call: Call | None) -> None:
        """Handle the end of a call, with or without an answer."""
        is_current = any(request is current for current in party.requests)
        answers: Sequence[Message] = ()
        try:
            answers = self.answers(request, sent, call)
        except (*CallError, ValueError) as error:
            party.is_late |= is_current and is_late(error)
            # Not logged: the acceptor may have handled the call.
            why = reason(error, self.network.timeout)
            party.events.append(Delivery(self.now, request, Fate.LOST, sent, denial=why))
        if is_current and not (answers and answers[0].type in ("PROMISE", "ACCEPT")):
            party.failed += 1
        for answer in answers:
            self.deliver(party, answer)
        is_second_phase = any(isinstance(current, Propose) for current in party.requests)
        quorum = self.configuration.accept_quorum if is_second_phase else self.configuration.promise_quorum
        if party.failed > len(self.configuration.acceptors) - quorum:
            self.back_off(party)

    def answers(self, request: Message, sent: float, call: Call | None) -> Sequence[Message]:
        """Return what an acceptor answered; raises CallError, or ValueError for an answer that does not fit."""
        if not call:
            raise ValueError("its address is not known")
        handled = call.result()
        self.newest = max(self.newest, handled.newest)
        event = from_handled(handled, request)
        if not handled.step:
            self.newest_run = max(self.newest_run, handled.newest_run)
            raise ValueError("the round is over" if handled.newest else "the run is over")
        event.time, event.sent = self.now, sent
        self.handled.setdefault(request.recipient, []).append((handled.starts, handled.step, event))
        return event.answers

    def deliver(self, party: Party, message: Message) -> None:
        """Let a proposer receive a message, and send what it answers."""
        now = self.now
        event = hand_over(party.actor, message, now, now, proposes=True)
        if party.gave_up:
            event.answers = ()
        self.tell(party, event)
        self.send(party, event.answers)

    def back_off(self, party: Party) -> None:
        """End an attempt that cannot succeed: give up, or begin a pause, which grows with each attempt."""
        if party.is_done or party.resumes is not None:
            return
        party.gave_up = party.attempts == self.network.max_attempts
        if party.gave_up or party.is_late:
            told = TimedOut(self.now, party.actor.name, party.attempts, party.id, party.gave_up)
            self.tell(party, told)
        if not party.gave_up:
            party.resumes = self.now + party.attempts * self.network.backoff * self.draw()


def acceptor_events(
    name: str, handled: Sequence[tuple[int, int, Delivery]], changes: Sequence[Change] = ()
) -> list[Event]:
    """Return what an acceptor did, in its order, with its crashes and restarts.

    An acceptor that has answered in two of its lives was restarted in between, even if no change says so.
    """
    events: dict[tuple[int, float], Event] = {(starts, step): event for starts, step, event in handled}
    lives = sorted({starts for starts, _ in events})
    restarts = dict.fromkeys(lives[1:], math.inf)
    for change in changes:
        if change.name == name and change.is_up:
            restarts[change.starts] = change.time
        elif change.name == name:
            events[change.starts, math.inf] = AcceptorCrash(change.time, name)
    for starts, back in restarts.items():
        events[starts, 0] = Delivery(back, Restart("power", name, starts - 1), sent=back)
    story = [events[place] for place in sorted(events)]
    time = math.inf
    for event in reversed(story):
        # An answer, which tells of an event, can arrive later than that to the next one.
        event.time = time = min(event.time, time)
        if isinstance(event, Delivery):
            event.sent = min(event.sent, time)
    return story
