"""What people and programs get to see of rounds over the simulated network."""

from dataclasses import asdict
from typing import Any

from toy_paxos import __version__
from toy_paxos.display import (
    details,
    json_line,
    message_event,
    plural,
    printable,
    share_line,
    summary_ending,
    summary_heading,
)
from toy_paxos.network import Adoption, Attempt, Crash, Delivery, Event, Fate, Learned, TimedOut
from toy_paxos.network_result import NetworkOutcome, NetworkRound, NetworkStatistics, Times
from toy_paxos.safety import Chosen, Violation
from toy_paxos.settings import Network, Settings

OUTCOME_LABELS = {
    NetworkOutcome.CONSENSUS: "consensus",
    NetworkOutcome.CHOSEN_NOT_LEARNED: "chosen, never learned",
    NetworkOutcome.NOT_CHOSEN: "no value chosen",
    NetworkOutcome.ALL_CRASHED: "all proposers crashed",
    NetworkOutcome.VIOLATED: "safety violated",
}


class NetworkTextDisplay:
    """Plain words, a line an event, with the simulated time before it."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self.settings = settings
        self.network = network
        last_proposer, last_acceptor = network.num_proposers - 1, settings.num_acceptors - 1
        self._route_width = len(f"proposer-{last_proposer} -> acceptor-{last_acceptor}")

    def start(self) -> str:
        """Who takes part, the seed, and what can go wrong."""
        settings, network = self.settings, self.network
        silent = ", silently" if network.failure_mode == "silent" else ""
        return (
            f"toy-paxos {__version__}: {plural(network.num_proposers, 'proposer')}, "
            f"{plural(settings.num_acceptors, 'acceptor')}, "
            f"failure probability {settings.acceptor_failure_prob!r}{silent}, seed {settings.seed}\n"
            f"network: loss {network.message_loss_prob!r}, "
            f"duplication {network.message_duplication_prob!r}, "
            f"proposers crash {network.proposer_failure_prob!r}, "
            f"timeout {network.timeout:.15g} ms, backoff {network.backoff:.15g} ms, "
            f"{plural(network.max_attempts, 'attempt')}\n"
        )

    def round(self, finished: NetworkRound) -> str:
        """Who wants what, every event with its time, and the outcome."""
        heading = f"Round {finished.number}: "
        lines = [""]
        for name, value in finished.proposals.items():
            lines.append(f"{heading}{name} wants {printable(value)}")
            heading = " " * len(heading)
        lines += [f"{event.t_ms:8.1f} ms  {event_words(event, self._route_width)}" for event in finished.events]
        lines.append(f"Round {finished.number}: {outcome_words(finished)}")
        if finished.violation:
            lines.append(f"To see it again: {self.settings.command} --round {finished.number}")
        return "\n".join(lines) + "\n"

    def summary(self, statistics: NetworkStatistics) -> str:
        """Each outcome with its share, what the network did, and how to replay the run."""
        rounds = statistics.rounds
        lines = summary_heading(statistics)
        for outcome, label in OUTCOME_LABELS.items():
            lines.append(share_line(label, statistics.outcomes[outcome], rounds))
        lines.append(share_line("duels", statistics.duels, rounds))
        mean = "-" if statistics.attempts_mean is None else f"{statistics.attempts_mean:.2f}"
        lines += [
            f"attempts a round: mean {mean}, max {statistics.attempts_max:,}",
            f"{plural(statistics.adoptions, 'adoption')}, {statistics.lost:,} lost and "
            f"{plural(statistics.duplicates, 'duplicate message')}",
            f"simulated time until chosen: {times_words(statistics.until_chosen)}",
            f"simulated time until learned: {times_words(statistics.until_learned)}",
        ]
        return "\n".join(lines + summary_ending(statistics))


class NetworkJsonDisplay:
    """JSON Lines: one object an event, and nothing else."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self.settings = settings
        self.network = network

    def start(self) -> str:
        """The ``start`` event."""
        return json_line(
            event="start",
            version=__version__,
            seed=self.settings.seed,
            num_acceptors=self.settings.num_acceptors,
            acceptor_failure_prob=self.settings.acceptor_failure_prob,
            values=self.settings.values,
            **asdict(self.network),
        )

    def round(self, finished: NetworkRound) -> str:
        """An object for each thing that happened, then the ``round`` event."""
        lines = [self._event(finished.number, event) for event in finished.events]
        values = list(finished.proposals.values())
        lines.append(
            json_line(
                event="round",
                round=finished.number,
                proposal=values[0],
                proposals=values,
                outcome=finished.outcome,
                value=finished.value,
                promises=finished.promises,
                accepts=finished.accepts,
                attempts=finished.attempts,
                duel=finished.is_duel,
                adoptions=finished.adoptions,
                chosen_ms=finished.chosen and round(finished.chosen.t_ms, 3),
                learned_ms=finished.learned and round(finished.learned.t_ms, 3),
            )
        )
        return "".join(lines)

    def _event(self, number: int, event: Event) -> str:
        t_ms = round(event.t_ms, 3)
        if isinstance(event, Delivery):
            return f'{message_event(number, event.message)},"t_ms":{t_ms!r},"fate":"{event.fate}"}}\n'
        shown: dict[str, Any] = {"event": event.event, "round": number} | asdict(event) | {"t_ms": t_ms}
        if isinstance(event, Violation):
            shown["replay"] = f"{self.settings.command} --round {number}"
        return json_line(**shown)

    def summary(self, statistics: NetworkStatistics) -> str:
        """The ``summary`` event."""
        outcomes = {outcome.replace("-", "_"): statistics.outcomes[outcome] for outcome in NetworkOutcome}
        return json_line(
            event="summary",
            rounds=statistics.rounds,
            **outcomes,
            messages=statistics.messages,
            lost=statistics.lost,
            duplicates=statistics.duplicates,
            duels=statistics.duels,
            adoptions=statistics.adoptions,
            attempts_mean=statistics.attempts_mean,
            attempts_max=statistics.attempts_max,
            chosen_ms=times_event(statistics.until_chosen),
            learned_ms=times_event(statistics.until_learned),
            consensus_rate=statistics.consensus_rate,
            elapsed_s=statistics.elapsed_s,
        )


def outcome_words(finished: NetworkRound) -> str:
    """What was agreed on, or why nothing was, as far as anybody can know."""
    value = printable(finished.value or "")
    match finished.outcome:
        case NetworkOutcome.CONSENSUS:
            return f"consensus on {value}"
        case NetworkOutcome.CHOSEN_NOT_LEARNED:
            return f"chosen, but no proposer has learned it: {value}"
        case NetworkOutcome.ALL_CRASHED:
            return "all proposers crashed, no value is chosen"
        case NetworkOutcome.NOT_CHOSEN:
            return "no value is chosen"
        case NetworkOutcome.VIOLATED:
            return "safety is violated"


def times_words(times: Times) -> str:
    """The middle and the tail of some times."""
    if not times.counts:
        return "-"
    return f"median {times.percentile(50):,} ms, 95th percentile {times.percentile(95):,} ms"


def times_event(times: Times) -> dict[str, int | None]:
    """The middle and the tail of some times."""
    return {"median": times.percentile(50), "p95": times.percentile(95)}


def event_words(event: Event, route_width: int) -> str:
    """One event in words, without its time; routes are padded to a width."""
    match event:
        case Delivery(message=message, fate=fate):
            route = f"{message.sender} -> {message.recipient}"
            mark = "" if fate is Fate.DELIVERED else f"{fate}: "
            what = f"{mark}{message.type:<7} {message.id}{details(message)}"
            return f"{route:<{route_width}} {what}"
        case Crash():
            return f"{event.proposer} crashes before it can send {event.unsent} to {event.recipient}"
        case TimedOut(last=True):
            attempts = plural(event.attempt, "attempt")
            return f"{event.proposer} gives up after {attempts}, no majority for {event.id} in time"
        case TimedOut():
            return f"{event.proposer} times out, no majority for {event.id} in time"
        case Attempt():
            return f"{event.proposer} tries again, attempt {event.attempt} under {event.id}"
        case Adoption():
            source = f"what {event.acceptor} accepted under {event.accepted_id}"
            return f"{event.proposer} adopts {source}: {printable(event.value)}"
        case Chosen():
            return f"CHOSEN, for a majority has accepted proposal {event.id}: {printable(event.value)}"
        case Learned():
            return f"{event.proposer} learns {printable(event.value)}"
        case Violation():
            return f"SAFETY VIOLATED, {printable(event.words)}"
    raise TypeError(event)
