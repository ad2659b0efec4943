"""An acceptor as a process: one actor for each round of each run, restored for each call.

Its state is on the disk, and what happened is in its log, before the answer is on its way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from toy_paxos.acceptor import FailingAcceptor
from toy_paxos.event import Delivery, hand_over, stored_by
from toy_paxos.message import Prepare, Propose, Restart, Terminate
from toy_paxos.remote import wire_pb2 as wire
from toy_paxos.remote.codec import from_wire, to_handled
from toy_paxos.remote.limits import number
from toy_paxos.remote.records import Log
from toy_paxos.remote.saved import Maker, state_of
from toy_paxos.remote.store import Store


@dataclass
class Service:
    """Handles the messages to one acceptor.

    It fails each request with a probability, and then answers FAIL. If its state cannot be saved, or an actor fails,
    ``stop`` must end the process before anything is answered.
    """

    maker: Maker
    store: Store
    log: Log
    failure_prob: float
    draw: Callable[[], float]
    stop: Callable[[Exception], NoReturn]
    step: int = 0

    def __post_init__(self) -> None:
        self.name = self.maker.name
        for instance, state in self.store.last:
            # The process may have been killed after it saved this, and before it logged it.
            restart, (promised, accepted) = Restart("power", self.name, 1), stored_by(self.maker.make(state))
            self.log.add(*instance, Delivery(0, restart, promised=promised, accepted=accepted))

    def receive(self, envelope: wire.Envelope) -> wire.Handled:
        """Handle a message, or tell the newest run; raises ValueError if the message is not for this acceptor."""
        newest_run = max(self.store.newest, default=0)
        if not envelope.HasField("message"):
            return wire.Handled(newest_run=newest_run)
        instance = number(envelope.run), number(envelope.round)
        message = from_wire(envelope.message)
        if message.recipient != self.name:
            raise ValueError(f"this is {self.name}, not {message.recipient}")
        if not (isinstance(message, (Prepare, Propose, Terminate)) and message.sender.startswith("proposer-")):
            raise ValueError(f"an acceptor does not take {message.type} from {message.sender}")
        newest = self.store.newest.get(envelope.run, 0)
        if self.store.is_over(instance):
            return wire.Handled(newest=newest, newest_run=newest_run)
        try:
            acceptor = self.maker.make(self.store.states.get(instance))
            before = state_of(acceptor)
            event = hand_over(FailingAcceptor(acceptor, self.failure_prob, self.draw), message, 0, 0)
            if (after := state_of(acceptor)) != before:
                self.store.save(instance, after)
            self.log.add(*instance, event)
        except Exception as error:
            self.stop(error)
        self.step += 1
        handled = to_handled(event)
        handled.starts, handled.step, handled.newest = self.store.starts, self.step, max(newest, envelope.round)
        return handled
