"""What people and programs get to see: plain data in, text out. It decides nothing about Paxos.

A display returns what is to be written, and writes nothing itself: :class:`TextDisplay` in plain words, a
line a message, :class:`JsonDisplay` as JSON Lines, an object an event. Here is what they say of direct calls.
"""

import json
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from toy_paxos import __version__
from toy_paxos.message import Accept, Message, Promise, Propose
from toy_paxos.proposer import Proposer, majority
from toy_paxos.result import Outcome, Round, Statistics, Totals
from toy_paxos.settings import Settings

OUTCOME_LABELS = {
    Outcome.CONSENSUS: "consensus",
    Outcome.NO_PROMISE_QUORUM: "no quorum of promises",
    Outcome.NO_ACCEPT_QUORUM: "no quorum of accepts",
}

R_contra = TypeVar("R_contra", contravariant=True)
S_contra = TypeVar("S_contra", contravariant=True)


class Display(Protocol[R_contra, S_contra]):
    """Turns rounds of one kind, and the statistics of one kind, into what is to be written."""

    def start(self) -> str:
        """Return what to write before the first round."""

    def round(self, finished: R_contra) -> str:
        """Return what to write of one round."""

    def summary(self, statistics: S_contra) -> str:
        """Return what to write after the last round."""


class TextDisplay:
    """Plain words, a line a message, never wrapped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._route_width = len(f"  proposer-0 -> acceptor-{settings.num_acceptors - 1}")

    def start(self) -> str:
        """Who takes part, and the seed."""
        return (
            f"toy-paxos {__version__}: 1 proposer, {plural(self.settings.num_acceptors, 'acceptor')}, "
            f"failure probability {self.settings.acceptor_failure_prob!r}, seed {self.settings.seed}\n"
        )

    def round(self, finished: Round) -> str:
        """A wish, two phases message by message, each with its tally, and an outcome."""
        proposer, transcript = finished.proposer, finished.transcript
        phase_2 = finished.types.index("PROPOSE" if proposer.proposal else "TERMINATE")
        lines = ["", f"Round {finished.number}: {proposer.name} wants {printable(proposer.value)}"]
        lines += map(self._message, transcript[:phase_2])
        lines.append(tally(finished.promises, "promised", proposer))
        lines += map(self._message, transcript[phase_2:])
        if proposer.proposal:
            lines.append(tally(finished.accepts, "accepted", proposer))
        lines.append(f"Round {finished.number}: {outcome_words(finished)}\n")
        return "\n".join(lines)

    def _message(self, message: Message) -> str:
        head = message_head(message.type, message.sender, message.recipient, message.id, self._route_width)
        return head + details(message)

    def summary(self, statistics: Statistics) -> str:
        """Each outcome with its share, the expected rate of consensus, and how to replay the run."""
        settings = self.settings
        lines = summary_heading(statistics)
        for outcome, label in OUTCOME_LABELS.items():
            lines.append(share_line(label, statistics.outcomes[outcome], statistics.rounds))
            if outcome is Outcome.CONSENSUS:
                lines.append(f"  {'expected':<28}{settings.expected_consensus_rate:>9.2%}")
        law = (
            f"expected: P(Binomial({settings.num_acceptors}, {settings.both_phases_prob:.4g})"
            f" >= {majority(settings.num_acceptors)}), a majority fails neither phase"
        )
        return "\n".join(lines + summary_ending(statistics, law))


class JsonDisplay:
    """JSON Lines: one object an event, and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def start(self) -> str:
        """The ``start`` event."""
        return json_line(
            event="start",
            version=__version__,
            seed=self.settings.seed,
            num_acceptors=self.settings.num_acceptors,
            acceptor_failure_prob=self.settings.acceptor_failure_prob,
        )

    def round(self, finished: Round) -> str:
        """A ``message`` event for each message delivered, then the ``round`` event."""
        number = finished.number
        lines = [f"{message_event(number, message)}}}\n" for message in finished.transcript]
        lines.append(
            json_line(
                event="round",
                round=number,
                proposal=finished.proposer.value,
                outcome=finished.outcome,
                value=finished.proposer.learned,
                promises=finished.promises,
                accepts=finished.accepts,
            )
        )
        return "".join(lines)

    def summary(self, statistics: Statistics) -> str:
        """The ``summary`` event."""
        return json_line(
            event="summary",
            rounds=statistics.rounds,
            consensus=statistics.outcomes[Outcome.CONSENSUS],
            no_promise_quorum=statistics.outcomes[Outcome.NO_PROMISE_QUORUM],
            no_accept_quorum=statistics.outcomes[Outcome.NO_ACCEPT_QUORUM],
            messages=statistics.messages,
            consensus_rate=statistics.consensus_rate,
            expected_consensus_rate=self.settings.expected_consensus_rate,
            elapsed_s=statistics.elapsed_s,
        )


# One encoder for all lines: json.dumps would make a new one for each.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_line(**event: Any) -> str:
    """An event as a line of its own."""
    return ENCODER.encode(event) + "\n"


def message_event(number: int, message: Message) -> str:
    """The ``message`` event of a round, but for the brace at its end: there may be more to tell."""
    return f'{{"event":"message","round":{number},{message_keys(message)}'


def message_keys(message: Message) -> str:
    """What a message says, as JSON without braces."""
    value, accepted_id = None, None
    if isinstance(message, (Propose, Accept)):
        value = message.value
    elif isinstance(message, Promise) and message.accepted:
        accepted_id, value = message.accepted
    return json_keys(message.type, message.sender, message.recipient, message.id, value, accepted_id)


@lru_cache(maxsize=2**16)
def json_keys(type: str, sender: str, recipient: str, id: int, value: str | None, accepted_id: int | None) -> str:
    """The part of an object that comes again every round; worth remembering, as for lines of words below."""
    said = {
        "type": type,
        "sender": sender,
        "recipient": recipient,
        "id": id,
        "value": value,
        "accepted_id": accepted_id,
    }
    return ENCODER.encode(said)[1:-1]


@lru_cache(maxsize=2**16)
def message_head(type: str, sender: str, recipient: str, id: int, route_width: int) -> str:
    """The part of a line that comes again every round; worth remembering, for lines are what a run makes."""
    route = f"  {sender} -> {recipient}"
    return f"{route:<{route_width}} {type:<7} {id}"


def details(message: Message) -> str:
    """What a message says beyond its number: a value, or what its sender accepted before."""
    if isinstance(message, (Propose, Accept)):
        return f" {printable(message.value)}"
    if isinstance(message, Promise):
        if not message.accepted:
            return ", nothing accepted"
        return f", accepted {message.accepted.id} {printable(message.accepted.value)}"
    return ""


def tally(count: int, verb: str, proposer: Proposer) -> str:
    """How many acceptors went along in one phase, and whether that is enough."""
    verdict = "quorum" if count >= proposer.quorum else "no quorum"
    return f"  {count} of {len(proposer.acceptors)} {verb}, {proposer.quorum} needed: {verdict}"


def outcome_words(finished: Round) -> str:
    """The value that was agreed on, or which quorum was missed by how many."""
    quorum = finished.proposer.quorum
    match finished.outcome:
        case Outcome.CONSENSUS:
            return f"consensus on {printable(finished.proposer.learned or '')}"
        case Outcome.NO_PROMISE_QUORUM:
            return f"no consensus, {plural(quorum - finished.promises, 'promise')} short of a quorum"
        case Outcome.NO_ACCEPT_QUORUM:
            return f"no consensus, {plural(quorum - finished.accepts, 'accept')} short of a quorum"


def summary_heading(totals: Totals[Any]) -> list[str]:
    """How a summary begins."""
    return ["", f"--- {plural(totals.rounds, 'round')} of toy-paxos ---"]


def share_line(label: str, number: int, rounds: int) -> str:
    """In how many rounds something was so, and their share."""
    share = f"{number / rounds:>9.2%}" if rounds else ""
    return f"{label:<21} {number:>8,}{share}"


def summary_ending(totals: Totals[Any], *notes: str) -> list[str]:
    """How a summary ends: speed, what there is to note, and the way back."""
    return [
        f"{plural(totals.messages, 'message')} in {speed(totals)}",
        *notes,
        f"seed {totals.settings.seed}, replay: {totals.replay_command}\n",
    ]


def running_line(totals: Totals[Any]) -> str:
    """One line about a run that goes on."""
    rate = "-" if totals.consensus_rate is None else f"{totals.consensus_rate:.2%}"
    if not totals.settings.network:
        rate += f" (expected {totals.settings.expected_consensus_rate:.2%})"
    return (
        f"toy-paxos: {plural(totals.rounds, 'round')}, consensus {rate}, "
        f"{plural(totals.messages, 'message')} in {speed(totals)}"
    )


def speed(totals: Totals[Any]) -> str:
    """How long it took, and how fast that was."""
    elapsed = totals.elapsed_s
    rate = f", {totals.rounds / elapsed:,.1f} rounds/s" if elapsed else ""
    return f"{elapsed:.2f} s{rate}"


def plural(count: int, noun: str) -> str:
    """``1 round``, ``2 rounds``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def printable(value: str) -> str:
    """A value that cannot wreck its line: control characters and the like are escaped."""
    if value.isprintable():
        return value
    # Backslashes too, so that two values never look the same.
    escaped = (c.encode("unicode_escape").decode() if c == "\\" or not c.isprintable() else c for c in value)
    return "".join(escaped)
