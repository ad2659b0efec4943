"""A story row by row, as every picture shows it: an arrow or marks on lanes, words, and what an acceptor then holds."""

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
from toy_paxos.view.words import marks_of, printable, tame, what_follows


@dataclass(slots=True)
class Row:
    """What stands in one row: words, and on the lanes an arrow, or marks by the names of actors; then a state."""

    words: str
    style: str
    arrow: Delivery | None = None
    marks: dict[str, str] | None = None
    state: str = ""
    state_style: str = ""


class Rows:
    """A story as it is shown, event by event: it remembers what everybody holds."""

    def __init__(self, configuration: Configuration) -> None:
        self.short = {name: short_name(name) for name in configuration.names}
        self.proposers = configuration.proposers
        self.num_acceptors = len(configuration.acceptors)
        self.held: dict[str, tuple[int, object]] = {}
        self.accepted: dict[str, str | None] = {}
        self.gone: set[str] = set()
        # All proposals that are chosen; of those, a story tells only the first, and the first with another value.
        self.chosen: list[Chosen] = []
        self.ballots = Ballots(configuration.accept_quorum)
        self.quorums: list[Quorum] = []
        self.values: dict[str, str] = {}
        # How often a lane has begun to look otherwise.
        self.changes = 0

    def of(self, event: Event) -> Sequence[Row]:
        """What one event shows, perhaps nothing."""
        if isinstance(event, Delivery):
            return [] if isinstance(event.message, Timeout) else [self.delivery(event)]
        return [*self.what_follows(event)]

    def what_follows(self, event: Event) -> Iterator[Row]:
        """What an event other than a delivery shows."""
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
                yield Row(f"SAFETY VIOLATED, {printable(event.words)}", "bad heading", marks=marks)
                if event.acceptors and self.chosen:
                    yield self.in_both(self.chosen[0], event)
            case _:
                told = what_follows(event, self.name)
                # What befalls an actor or what it does begins with the actor, in its own hue.
                (actor, short), (style, words) = told
                if isinstance(event, (Crash, AcceptorCrash)):
                    self.gone.add(actor)
                    self.changes += 1
                yield Row(short + words, style, marks={actor: event.event.removeprefix("acceptor-")})

    def name(self, actor: str) -> str:
        """The short name of an actor; the user's own actors may name others."""
        return self.short.get(actor, "?")

    def names(self, actors: Iterable[str]) -> str:
        """The short names of some actors."""
        return " ".join(map(self.name, actors))

    def quorum(self, event: Quorum) -> Iterator[Row]:
        """A quorum of promises, and which acceptors it shares with the quorum that has accepted before."""
        self.quorums.append(event)
        proposer, number = self.short[event.proposer], len(event.acceptors)
        words = f"{proposer} has {number} of {self.num_acceptors} promises for {event.id}"
        yield Row(words, "notable", marks=dict.fromkeys(event.acceptors, "quorum"))
        # The highest-numbered one is the one that a correct proposer adopts.
        before = [chosen for chosen in self.chosen if chosen.id <= event.id]
        if before:
            yield self.in_both(max(before, key=lambda chosen: chosen.id), event)

    def in_both(self, chosen: Chosen, later: Quorum | Chosen | Violation) -> Row:
        """Which acceptors are in the quorum that has accepted a proposal and in another one, of promises or not."""
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
        """A message with its arrow, or a restart; and what its recipient then holds, if that is new."""
        message = event.message
        if isinstance(message, Restart):
            row = Row(f"{self.short[message.recipient]} restarts", "notable", None, {message.recipient: "restart"})
            if message.recipient in self.gone:
                self.gone.remove(message.recipient)
                self.changes += 1
        else:
            words, value = spoken(message)
            # Without a value, what matters is whose number it is.
            whose = message.sender if message.sender in self.proposers else message.recipient
            style = "bad" if message.type == "FAIL" else whose if value is None else self.value_style(value)
            row = Row(words, style)
            if message.sender in self.short and message.recipient in self.short:
                row.arrow = event
            else:
                # The user's own actors may name actors that have no lane.
                row.words = f"{printable(message.sender)} -> {printable(message.recipient)} {row.words}"
            if event.denial or event.fate is not Fate.DELIVERED:
                promised = event.promised if event.denial == "refused" else None
                row.words = marks_of(event.fate, event.denial, promised) + row.words
        for answer in event.answers:
            if isinstance(answer, Accept):
                proposal = self.ballots.add(answer)
                if proposal and self.chosen:
                    self.chosen.append(Chosen(event.time, *proposal, tuple(self.ballots.acceptors[proposal])))
                if event.promised is None:
                    # An acceptor that does not show what it has accepted still says so.
                    self.note_accepted(message.recipient, answer.value)
        state = event.promised, event.accepted
        if event.promised is not None and self.held.get(message.recipient, (0, None)) != state:
            self.note_state(event, row)
        return row

    def note_state(self, event: Delivery, row: Row) -> None:
        """Remember and show what an acceptor holds now, which is new."""
        name = event.message.recipient
        assert event.promised is not None
        self.held[name] = event.promised, event.accepted
        row.state = f"{self.short[name]} = {event.promised}"
        if event.accepted:
            row.state += f" {event.accepted.id}:{printable(event.accepted.value)}"
            row.state_style = self.value_style(event.accepted.value)
        self.note_accepted(name, event.accepted.value if event.accepted else None)

    def note_accepted(self, name: str, value: str | None) -> None:
        """Remember what an acceptor has accepted, which its lane shows."""
        if value != self.accepted.get(name):
            self.accepted[name] = value
            self.changes += 1

    def value_style(self, value: str) -> str:
        """The hue of a value."""
        return self.values.setdefault(value, f"value-{len(self.values)}")

    def lane_style(self, name: str) -> str:
        """The hue of the value that an acceptor has accepted, if it has, and is not down."""
        value = None if name in self.gone else self.accepted.get(name)
        return "" if value is None else self.value_style(value)


def short_name(name: str) -> str:
    """``p0`` for ``proposer-0``, ``a12`` for ``acceptor-12``."""
    kind, _, number = name.rpartition("-")
    return f"{kind[:1]}{number}"


def spoken(message: Message) -> tuple[str, str | None]:
    """What a message says, briefly, and the value that it is about."""
    value, accepted = said_by(message)
    words = f"{tame(message.type)} {message.id}"
    if accepted:
        return f"{words} ({accepted.id} {printable(accepted.value)})", accepted.value
    if value is None:
        return words, None
    return f"{words} {printable(value)}", value if isinstance(message, (Propose, Accept)) else None
