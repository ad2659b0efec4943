"""A run in words: its settings, its rounds event by event, and a summary."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import ParamSpec

from toy_paxos import __version__
from toy_paxos.event import Delivery, Event, Quorum, plural
from toy_paxos.round import Outcome, Round, Statistics, Times
from toy_paxos.settings import Settings
from toy_paxos.view.words import Line, event_line, line, printable, route_width, sizes_words, wishes_lines

About = ParamSpec("About")


class Words:
    """A run as lines: its settings, each round event by event, and a summary.

    ``change`` says which rule is changed or which other actors take part, if any.
    """

    def __init__(self, settings: Settings, change: str = "") -> None:
        self.settings = settings
        self.change = change
        self.is_real = settings.seed is None
        self.width = route_width(settings.configuration)

    def start(self) -> list[Line]:
        """Return the lines before the first round: the actors, the seed, and what can go wrong."""
        settings, network = self.settings, self.settings.network
        silent = ", silently" if network and network.failure_mode == "silent" else ""
        probability = settings.acceptor_failure_prob
        failures = "" if probability is None else f"failure probability {probability!r}{silent}, "
        first = (
            f"toy-paxos {__version__}: {sizes_words(settings.configuration.sizes)}, {failures}"
            f"{'real time, no seed' if self.is_real else f'seed {settings.seed}'}"
        )
        lines = [line(("heading", first))]
        if network:
            tellers = {field.name: field.metadata["told"] for field in fields(network)}
            known = [tell(value) for name, value in settings.network_values.items() if (tell := tellers[name])]
            lines.append(line(("", f"network: {', '.join([settings.place] * self.is_real + known)}")))
        if self.change:
            lines.append(line(("", self.change)))
        return lines

    def round(self, finished: Round) -> list[Line]:
        """Return all lines of a round."""
        return [*self.heading(finished), *self.story(finished), *self.ending(finished)]

    def heading(self, finished: Round) -> list[Line]:
        """Return the lines above the events of a round: what the proposers want."""
        return [line(), *wishes_lines(f"Round {finished.number}: ", finished.wishes)]

    def ending(self, finished: Round) -> list[Line]:
        """Return the outcome of a round, and how to replay it if safety is lost."""
        outcome = f"Round {finished.number}: {self.outcome(finished)}"
        return [line((f"{outcome_style(finished)} heading", outcome)), *self.replay_lines(finished)]

    def replay_lines(self, finished: Round) -> list[Line]:
        """Return how to replay a round in which safety is lost; nothing for another round."""
        if finished.outcome is not Outcome.VIOLATED:
            return []
        if self.is_real:
            words = f"save the first lines and this round in FILE, then run: toy-paxos play FILE {self.settings.actors}"
            return [line(("command", f"To see it again: {words.rstrip()}"))]
        again = f"To see it again: {self.settings.command} --round {finished.number}"
        return [line(("notable", f"No replay: {finished.no_replay}") if finished.no_replay else ("command", again))]

    def story(self, finished: Round) -> list[Line]:
        """Return a line for each event; with direct calls, also a tally after each phase."""
        if self.settings.network:
            width = self.width
            # An f-string would take half as long again.
            told = [event_line(event, width, ("time", "%8.1f ms  " % event.time)) for event in finished.events]  # noqa: UP031
            return [words for words in told if words]
        lines: list[Line] = []
        phase_1 = True
        for event in finished.events:
            if phase_1 and isinstance(event, Delivery) and event.message.type in ("PROPOSE", "TERMINATE"):
                phase_1 = False
                lines += self.tally(finished, "promised")
            if words := self.event(event):
                lines.append(words)
        return lines + self.tally(finished, "accepted")

    def event(self, event: Event) -> Line | None:
        """Return the line of an event of direct calls; a quorum has none, because the tally tells it."""
        return None if isinstance(event, Quorum) else event_line(event, self.width, ("", "  "))

    def tally(self, finished: Round, verb: str) -> list[Line]:
        """Return how many acceptors promised or accepted, unless they were not asked to accept."""
        if verb == "accepted" and finished.outcome is Outcome.NO_PROMISE_QUORUM:
            return []
        number = finished.facts.promises if verb == "promised" else finished.facts.accepts
        configuration = self.settings.configuration
        quorum = configuration.promise_quorum if verb == "promised" else configuration.accept_quorum
        words = f"  {number} of {self.settings.num_acceptors} {verb}, {quorum} needed: "
        return [line(("", words), ("good", "quorum") if number >= quorum else ("bad", "no quorum"))]

    def outcome(self, finished: Round) -> str:
        """Return what was agreed on, or why nothing was, as far as that is known."""
        match finished.outcome:
            case Outcome.CONSENSUS:
                return f"consensus on {printable(finished.value or '')}"
            case Outcome.NO_PROMISE_QUORUM:
                missing = plural(finished.configuration.promise_quorum - finished.facts.promises, "promise")
                return f"no consensus, {missing} short of a quorum"
            case Outcome.NO_ACCEPT_QUORUM:
                missing = plural(finished.configuration.accept_quorum - finished.facts.accepts, "accept")
                return f"no consensus, {missing} short of a quorum"
            case Outcome.CHOSEN_NOT_LEARNED:
                return f"chosen, but no proposer has learned it: {printable(finished.value or '')}"
            case Outcome.ALL_CRASHED:
                return "all proposers crashed, no value is chosen"
            case Outcome.NOT_CHOSEN:
                return "no value is known to be chosen" if self.is_real else "no value is chosen"
            case Outcome.VIOLATED:
                return "safety is violated"

    def label(self, outcome: Outcome) -> str:
        """Return an outcome in a few words."""
        # In real time, an event that no log has may still have happened.
        return "no value known to be chosen" if self.is_real and outcome is Outcome.NOT_CHOSEN else LABELS[outcome]

    def summary(self, statistics: Statistics) -> list[Line]:
        """Return each outcome with its share, what is expected or what the network did, and how to replay the run.

        After a single round, whose lines are still on the screen, there is only its outcome.
        """
        settings, heading = self.settings, f"{plural(statistics.rounds, 'round')} of toy-paxos"
        if statistics.rounds == 1:
            (outcome,) = statistics.outcomes.elements()
            heading += f": {self.label(outcome)}"
            if not settings.network:
                what = "" if outcome is Outcome.CONSENSUS else "consensus "
                heading += f" ({what}expected in {settings.expected_consensus_rate:.2%} of rounds)"
        lines = [line(), line(("heading", f"--- {heading} ---"))]
        if statistics.rounds != 1:
            lines += [line(("", words)) for words in self.table(statistics)]
        if statistics.no_replay:
            lines.append(line(("notable", f"seed {settings.seed}, no replay: {statistics.no_replay}")))
        elif not self.is_real:
            # The rounds that were played cannot show that a class of the user is deterministic.
            is_ours = not settings.actors or settings.actors.startswith("--break")
            known = "" if is_ours else ", if the actors are deterministic"
            lines.append(line(("command", f"seed {settings.seed}, replay{known}: {statistics.replay_command}")))
        return lines

    def table(self, statistics: Statistics) -> list[str]:
        """Return the totals of all rounds, without those that are 0, except for violations of safety."""
        settings, rounds = self.settings, statistics.rounds
        always = (Outcome.VIOLATED,) if settings.network else (Outcome.CONSENSUS,)
        shares = [
            share_line(self.label(outcome), number, rounds)
            for outcome in Outcome
            if (number := statistics.outcomes[outcome]) or outcome in always
        ]
        text = [f"{plural(statistics.messages, 'message')} in {speed(statistics)}"]
        if not settings.network:
            shares.insert(1, f"  {'expected':<28}{settings.expected_consensus_rate:>9.2%}")
            return [*shares, *text, f"expected: {expected_words(settings)}"]
        if statistics.duels:
            shares.append(share_line("duels", statistics.duels, rounds))
        if statistics.attempts:
            shares.append(f"attempts a round: mean {statistics.attempts_mean:.2f}, max {statistics.attempts_max:,}")
        counts = {
            "adoption": statistics.adoptions,
            "lost message": statistics.lost,
            "duplicate message": statistics.duplicates,
        }
        shares += [", ".join(words)] if (words := [plural(n, what) for what, n in counts.items() if n]) else []
        if statistics.acceptor_crashes:
            shares.append(f"crashes of acceptors: {statistics.acceptor_crashes:,}")
        simulated = "" if self.is_real else "simulated "
        for what, times in (("chosen", statistics.until_chosen), ("learned", statistics.until_learned)):
            shares += [f"{simulated}time until {what}: {times_words(times)}"] if times else []
        return shares + text


class InWords:
    """The words of a run as text; ``write`` turns lines into text."""

    def __init__(self, words: Words, write: Callable[[Sequence[Line]], str]) -> None:
        self.words = words
        self.write = write
        self.start = self.written(words.start)
        self.round = self.written(words.round)
        self.heading = self.written(words.heading)
        self.tally = self.written(words.tally)
        self.ending = self.written(words.ending)
        self.summary = self.written(words.summary)

    def written(self, tell: Callable[About, Sequence[Line]]) -> Callable[About, str]:
        """Return a function that returns the lines of ``tell`` as text."""
        return lambda *about, **more: self.write(tell(*about, **more))

    def event(self, number: int, event: Event) -> str:
        """Return the text of one event."""
        words = self.words.event(event)
        return self.write([words] if words else [])


LABELS = {
    Outcome.CONSENSUS: "consensus",
    Outcome.NO_PROMISE_QUORUM: "no quorum of promises",
    Outcome.NO_ACCEPT_QUORUM: "no quorum of accepts",
    Outcome.CHOSEN_NOT_LEARNED: "chosen, never learned",
    Outcome.NOT_CHOSEN: "no value chosen",
    Outcome.ALL_CRASHED: "all proposers crashed",
    Outcome.VIOLATED: "safety violated",
}


def expected_words(settings: Settings) -> str:
    """Return the law of the rate of consensus."""
    number, configuration = settings.num_acceptors, settings.configuration
    promises, accepts = configuration.promise_quorum, configuration.accept_quorum
    if promises > accepts:
        return f"P(at least {promises} of {number} promise, and at least {accepts} of those accept)"
    quorum = "quorum" if configuration.for_proposers else "majority"
    return f"P(Binomial({number}, {settings.both_phases_prob:.4g}) >= {accepts}), a {quorum} fails neither phase"


def outcome_style(finished: Round) -> str:
    """Return "good" for a value that a proposer has learned, "bad" for any other outcome."""
    return "good" if finished.outcome is Outcome.CONSENSUS else "bad"


def share_line(label: str, number: int, rounds: int) -> str:
    """Return a number of rounds with its label and its share of all rounds."""
    share = f"{number / rounds:>9.2%}" if rounds else ""
    return f"{label} {number:>{29 - len(label)},}{share}"


def times_words(times: Times) -> str:
    """Return the median and the 95th percentile of some times."""
    return f"median {times.percentile(50):,} ms, 95th percentile {times.percentile(95):,} ms"


def running_line(statistics: Statistics) -> str:
    """Return one line about a run that is not finished."""
    rate = "-" if statistics.consensus_rate is None else f"{statistics.consensus_rate:.2%}"
    if not statistics.settings.network:
        rate += f" (expected {statistics.settings.expected_consensus_rate:.2%})"
    return (
        f"toy-paxos: {plural(statistics.rounds, 'round')}, consensus {rate}, "
        f"{plural(statistics.messages, 'message')} in {speed(statistics)}"
    )


def speed(statistics: Statistics) -> str:
    """Return the elapsed time and the rounds per second."""
    elapsed = statistics.elapsed_s
    rate = f", {statistics.rounds / elapsed:,.1f} rounds/s" if elapsed else ""
    return f"{elapsed:.2f} s{rate}"
