"""A story as rows for a picture: each has an arrow or marks on lanes, words, and the new state of an acceptor."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from toy_paxos.event import (
    AcceptorCrash,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Quorum,
    Violation,
    Wants,
    said_by,
)
from toy_paxos.message import Accept, Message, Propose, Restart, Timeout
from toy_paxos.safety import Ballots
from toy_paxos.story import Configuration
from toy_paxos.view.words import marks_of, printable, tame, violation_words, what_follows


@dataclass(slots=True)
class Row:
    """One row: words, an arrow or marks on the lanes of the named actors, and the state of an acceptor."""

    words: str
    style: str
    arrow: Delivery | None = None
    marks: dict[str, str] | None = None
    state: str = ""
    state_style: str = ""


class Rows:
    """The rows of a story, event by event, and the state of the actors so far."""

    def __init__(self, configuration: Configuration) -> None:
        self.short = {name: short_name(name) for name in configuration.names}
        self.proposers = configuration.proposers
        self.num_acceptors = len(configuration.acceptors)
        self.held: dict[str, tuple[int, object]] = {}
        self.accepted: dict[str, str | None] = {}
        self.gone: set[str] = set()
        # All proposals that are chosen. Of these, a story tells only the first, and the first with another value.
        self.chosen: list[Chosen] = []
        self.ballots = Ballots(configuration.accept_quorum)
        self.quorums: list[Quorum] = []
        self.values: dict[str, str] = {}
        # The number of times that a lane has changed its look.
        self.changes = 0

    def of(self, event: Event) -> Sequence[Row]:
        """Return the rows of an event, perhaps none."""
        if isinstance(event, Delivery):
            return [] if isinstance(event.message, Timeout) else [self.delivery(event)]
        return [*self.what_follows(event)]

    def what_follows(self, event: Event) -> Iterator[Row]:
        """Yield the rows of an event other than a delivery."""
        match event:
            case Wants():
                self.value_style(event.value)
            case Quorum():
                yield from self.quorum(event)
            case Chosen():
                self.chosen.append(event)
                words = f"CHOSEN {event.id}, accepted by {self.names(event.acceptors)}: {printable(event.value)}"
                yield Row(words, "good heading", marks=dict.fromkeys(event.acceptors, "chosen"))
                for quorum in self.quorums:
                    if quorum.id > event.id and not set(quorum.acceptors) & set(event.acceptors):
                        yield self.in_both(event, quorum)
            case Violation():
                marks = dict.fromkeys(event.acceptors, "chosen")
                yield Row(violation_words(event), "bad heading", marks=marks)
                if event.acceptors and self.chosen:
                    yield self.in_both(self.chosen[0], event)
            case _:
                told = what_follows(event, self.name)
                # These events are told in two spans: the actor, and what it does.
                (actor, short), (style, words) = told
                if isinstance(event, (Crash, AcceptorCrash)):
                    self.gone.add(actor)
                    self.changes += 1
                yield Row(short + words, style, marks={actor: event.event.removeprefix("acceptor-")})

    def name(self, actor: str) -> str:
        """Return the short name of an actor, or "?" for a name that the user's own actors have invented."""
        return self.short.get(actor, "?")

    def names(self, actors: Iterable[str]) -> str:
        """Return the short names of some actors."""
        return " ".join(map(self.name, actors))

    def quorum(self, event: Quorum) -> Iterator[Row]:
        """Yield a quorum of promises, and which acceptors it shares with the quorum of the latest chosen proposal."""
        self.quorums.append(event)
        proposer, number = self.short[event.proposer], len(event.acceptors)
        words = f"{proposer} has {number} of {self.num_acceptors} promises for {event.id}"
        yield Row(words, "notable", marks=dict.fromkeys(event.acceptors, "quorum"))
        # A correct proposer adopts the value of the highest-numbered one.
        if before := [chosen for chosen in self.chosen if chosen.id <= event.id]:
            yield self.in_both(max(before, key=lambda chosen: chosen.id), event)

    def in_both(self, chosen: Chosen, later: Quorum | Chosen | Violation) -> Row:
        """Return which acceptors a quorum that has accepted a proposal shares with a later quorum of either kind."""
        promised = isinstance(later, Quorum)
        shared = [name for name in chosen.acceptors if name in later.acceptors]
        marks = dict.fromkeys(later.acceptors, "quorum") if promised and not shared else {}
        if not (promised and shared):
            marks |= dict.fromkeys(chosen.acceptors, "chosen")
        quorums = (
            f"{self.names(chosen.acceptors)} accepted {chosen.id}, "
            f"{self.names(later.acceptors)} {'promised' if promised else 'accepted'} {later.id}"
        )
        who = f"{self.names(shared) or 'none'} {'are' if len(shared) > 1 else 'is'}"
        style = "notable" if promised and shared else "bad"
        return Row(f"{who} in both: {quorums}", style, marks=marks | dict.fromkeys(shared, "shared"))

    def delivery(self, event: Delivery) -> Row:
        """Return a message with its arrow, or a restart, and the state of the recipient if that is new."""
        message = event.message
        if isinstance(message, Restart):
            row = Row(f"{self.short[message.recipient]} restarts", "notable", None, {message.recipient: "restart"})
            if message.recipient in self.gone:
                self.gone.remove(message.recipient)
                self.changes += 1
        else:
            words, value = spoken(message)
            # A message without a value has the hue of the proposer whose number it names.
            whose = message.sender if message.sender in self.proposers else message.recipient
            style = "bad" if message.type == "FAIL" else whose if value is None else self.value_style(value)
            row = Row(words, style)
            if message.sender in self.short and message.recipient in self.short:
                row.arrow = event
            else:
                # The user's own actors may invent names, which have no lane.
                row.words = f"{printable(message.sender)} -> {printable(message.recipient)} {row.words}"
            if event.denial or event.fate is not Fate.DELIVERED:
                promised = event.promised if event.denial != "failed" else None
                row.words = marks_of(event.fate, event.denial, promised) + row.words
        for answer in event.answers:
            if isinstance(answer, Accept):
                proposal = self.ballots.add(answer)
                if proposal and self.chosen:
                    self.chosen.append(Chosen(event.time, *proposal, tuple(self.ballots.acceptors[proposal])))
                if event.promised is None:
                    # If an acceptor does not show what it has accepted, its ACCEPT still tells.
                    self.note_accepted(message.recipient, answer.value)
        state = event.promised, event.accepted
        if event.promised is not None and self.held.get(message.recipient, (0, None)) != state:
            self.note_state(event, row)
        return row

    def note_state(self, event: Delivery, row: Row) -> None:
        """Note the new state of an acceptor, and show it in the row."""
        name = event.message.recipient
        assert event.promised is not None
        self.held[name] = event.promised, event.accepted
        row.state = f"{self.short[name]} = {event.promised}"
        if event.accepted:
            row.state += f" {event.accepted.id}:{printable(event.accepted.value)}"
            row.state_style = self.value_style(event.accepted.value)
        self.note_accepted(name, event.accepted.value if event.accepted else None)

    def note_accepted(self, name: str, value: str | None) -> None:
        """Note the value that an acceptor has accepted, which its lane shows."""
        if value != self.accepted.get(name):
            self.accepted[name] = value
            self.changes += 1

    def value_style(self, value: str) -> str:
        """Return the hue of a value."""
        return self.values.setdefault(value, f"value-{len(self.values)}")

    def lane_style(self, name: str) -> str:
        """Return the hue of the value that an acceptor has accepted, or "" without one and while it is down."""
        value = None if name in self.gone else self.accepted.get(name)
        return "" if value is None else self.value_style(value)


def short_name(name: str) -> str:
    """Return ``p0`` for ``proposer-0``, ``a12`` for ``acceptor-12``."""
    kind, _, number = name.rpartition("-")
    return f"{kind[:1]}{number}"


def spoken(message: Message) -> tuple[str, str | None]:
    """Return the words of a message in short, and the value that it is about."""
    value, accepted = said_by(message)
    words = f"{tame(message.type)} {message.id}"
    if accepted:
        return f"{words} ({accepted.id} {printable(accepted.value)})", accepted.value
    if value is None:
        return words, None
    return f"{words} {printable(value)}", value if isinstance(message, (Propose, Accept)) else None
