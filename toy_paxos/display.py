"""What people and programs get to see: plain data in, text out. It decides nothing about Paxos.

Three displays say the same thing: :class:`TextDisplay` in plain words, a line a message;
:class:`TerminalDisplay` in the same words, coloured and wrapped by rich; :class:`JsonDisplay` as JSON
Lines, an object an event. Each returns what is to be written, and writes nothing itself.
"""

import json
import shutil
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from toy_paxos import __version__
from toy_paxos.message import Accept, Message, Promise, Propose
from toy_paxos.proposer import Proposer, majority
from toy_paxos.result import Outcome, Round, Settings, Statistics

if TYPE_CHECKING:
    from rich.text import Text

OUTCOME_LABELS = {
    Outcome.CONSENSUS: "consensus",
    Outcome.NO_PROMISE_QUORUM: "no quorum of promises",
    Outcome.NO_ACCEPT_QUORUM: "no quorum of accepts",
}


class Display(Protocol):
    """Turns what happened into what is to be written to standard output."""

    def start(self) -> str:
        """Return what to write before the first round."""

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""

    def summary(self, statistics: Statistics) -> str:
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
        lines = ["", f"Round {finished.number}: {proposer.name} wants {proposer.value}"]
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
        settings, rounds = self.settings, statistics.rounds
        lines = ["", f"--- {plural(rounds, 'round')} of toy-paxos ---"]
        for outcome, label in OUTCOME_LABELS.items():
            number = statistics.outcomes[outcome]
            share = f"{number / rounds:>9.2%}" if rounds else ""
            lines.append(f"{label:<21} {number:>8,}{share}")
            if outcome is Outcome.CONSENSUS:
                lines.append(f"  {'expected':<28}{settings.expected_consensus_rate:>9.2%}")
        lines += [
            f"{plural(statistics.messages, 'message')} in {speed(statistics)}",
            f"expected: P(Binomial({settings.num_acceptors}, {settings.both_phases_prob:.4g})"
            f" >= {majority(settings.num_acceptors)}), a majority fails neither phase",
            f"seed {settings.seed}, replay: {replay_command(statistics)}",
        ]
        return "\n".join(lines) + "\n"


class TerminalDisplay(TextDisplay):
    """The same words, coloured by what they mean, and wrapped between words."""

    # Looked for from the start of a line, so that no value can imitate them.
    STYLES = (
        (r"^toy-paxos .*|^--- .*|^Round \d+: \S+ wants .*", "bold"),
        (r"^Round \d+: consensus.*", "bold green"),
        (r"^Round \d+: no consensus.*", "bold red"),
        (r"^  \d+ of .*: ((?P<green>quorum)|(?P<red>no quorum))$", ""),
        (r"^  \S+ -> \S+ +((PREPARE|TERMINATE|PROMISE) \d+(, nothing accepted$)?)?", "dim"),
        (r"^  \S+ -> \S+ +((?P<cyan>PROPOSE.*)|(?P<green>ACCEPT.*)|(?P<red>FAIL.*))", ""),
        (r"^  \S+ -> \S+ +PROMISE \d+(?P<yellow>, accepted .*)", ""),
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        # Here and not above: pipes, --json, --help and errors must not pay for the import.
        from rich.console import Console

        # Lines are wrapped below. The width given here is only to keep rich from finding out another one:
        # it takes COLUMNS=0 at its word and prints nothing.
        self._console = Console(highlight=False, width=80)

    def start(self) -> str:
        """Who takes part, and the seed."""
        return self._styled(super().start())

    def round(self, finished: Round) -> str:
        """A wish, two phases message by message, each with its tally, and an outcome."""
        return self._styled(super().round(finished))

    def summary(self, statistics: Statistics) -> str:
        """Each outcome with its share, the expected rate of consensus, and how to replay the run."""
        *lines, replay = super().summary(statistics).splitlines(keepends=True)
        # A command must survive being copied from the screen: the terminal may break its line, we may not.
        return self._styled("".join(lines)) + replay

    def _styled(self, words: str) -> str:
        from rich.text import Text

        text = Text(words, end="")
        for pattern, style in self.STYLES:
            text.highlight_regex(f"(?m){pattern}", style)
        if self._console.file.isatty():
            text = self._wrapped(text, shutil.get_terminal_size().columns)
        with self._console.capture() as capture:
            self._console.print(text, soft_wrap=True, end="")
        return capture.get()

    def _wrapped(self, text: "Text", width: int) -> "Text":
        """Break lines that are too long between words, and indent what follows."""
        lines: list[Text] = []
        for line in text.split("\n", allow_blank=True):
            if line.cell_len <= width:
                lines.append(line)
                continue
            first, *rest = line.wrap(self._console, width)
            continuation = line.blank_copy(" ").join(rest).wrap(self._console, max(1, width - 4))
            for part in continuation:
                part.pad_left(4)
            lines += [first, *continuation]
        for line in lines:
            line.rstrip()
        return text.blank_copy("\n").join(lines)


class JsonDisplay:
    """JSON Lines: one object an event, and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def start(self) -> str:
        """The ``start`` event."""
        return self._line(
            event="start",
            version=__version__,
            seed=self.settings.seed,
            num_acceptors=self.settings.num_acceptors,
            acceptor_failure_prob=self.settings.acceptor_failure_prob,
        )

    def round(self, finished: Round) -> str:
        """A ``message`` event for each message delivered, then the ``round`` event."""
        lines = [self._message(finished.number, message) for message in finished.transcript]
        lines.append(
            self._line(
                event="round",
                round=finished.number,
                proposal=finished.proposer.value,
                outcome=finished.outcome,
                value=finished.proposer.learned,
                promises=finished.promises,
                accepts=finished.accepts,
            )
        )
        return "".join(lines)

    def _message(self, number: int, message: Message) -> str:
        value, accepted_id = None, None
        if isinstance(message, (Propose, Accept)):
            value = message.value
        elif isinstance(message, Promise) and message.accepted:
            accepted_id, value = message.accepted
        return self._line(
            event="message",
            round=number,
            type=message.type,
            sender=message.sender,
            recipient=message.recipient,
            id=message.id,
            value=value,
            accepted_id=accepted_id,
        )

    def summary(self, statistics: Statistics) -> str:
        """The ``summary`` event."""
        return self._line(
            event="summary",
            rounds=statistics.rounds,
            consensus=statistics.outcomes[Outcome.CONSENSUS],
            no_promise_quorum=statistics.outcomes[Outcome.NO_PROMISE_QUORUM],
            no_accept_quorum=statistics.outcomes[Outcome.NO_ACCEPT_QUORUM],
            messages=statistics.messages,
            consensus_rate=statistics.consensus_rate,
            expected_consensus_rate=statistics.settings.expected_consensus_rate,
            elapsed_s=statistics.elapsed_s,
        )

    def _line(self, **event: Any) -> str:
        return self._encoder.encode(event) + "\n"


@lru_cache(maxsize=2**16)
def message_head(type: str, sender: str, recipient: str, id: int, route_width: int) -> str:
    """The part of a line that comes again every round; worth remembering, for lines are what a run makes."""
    route = f"  {sender} -> {recipient}"
    return f"{route:<{route_width}}  {type:<7} {id}"


def details(message: Message) -> str:
    """What a message says beyond its number: a value, or what its sender accepted before."""
    if isinstance(message, (Propose, Accept)):
        return f" {message.value}"
    if isinstance(message, Promise):
        if not message.accepted:
            return ", nothing accepted"
        return f", accepted {message.accepted.id} {message.accepted.value}"
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
            return f"consensus on {finished.proposer.learned}"
        case Outcome.NO_PROMISE_QUORUM:
            return f"no consensus, {plural(quorum - finished.promises, 'promise')} short of a quorum"
        case Outcome.NO_ACCEPT_QUORUM:
            return f"no consensus, {plural(quorum - finished.accepts, 'accept')} short of a quorum"


def running_line(statistics: Statistics) -> str:
    """One line about a run that goes on."""
    observed = statistics.consensus_rate
    return (
        f"toy-paxos: {plural(statistics.rounds, 'round')}, "
        f"consensus {'-' if observed is None else f'{observed:.2%}'} "
        f"(expected {statistics.settings.expected_consensus_rate:.2%}), "
        f"{plural(statistics.messages, 'message')} in {speed(statistics)}"
    )


def speed(statistics: Statistics) -> str:
    """How long it took, and how fast that was."""
    elapsed = statistics.elapsed_s
    rate = f", {statistics.rounds / elapsed:,.1f} rounds/s" if elapsed else ""
    return f"{elapsed:.2f} s{rate}"


def plural(count: int, noun: str) -> str:
    """``1 round``, ``2 rounds``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def replay_command(statistics: Statistics) -> str:
    """The command that shows the same rounds again."""
    settings = statistics.settings
    command = (
        f"toy-paxos --num-acceptors {settings.num_acceptors} "
        f"--acceptor-failure-prob {settings.acceptor_failure_prob!r} --seed {settings.seed}"
    )
    if statistics.first > 1:
        return f"{command} --round {statistics.first}"
    return f"{command} --rounds {statistics.rounds}" if statistics.rounds else command
