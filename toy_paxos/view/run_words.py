"""What a run says: who takes part, its rounds event by event, and a summary."""

from collections.abc import Callable, Sequence
from dataclasses import fields

from toy_paxos import __version__
from toy_paxos.event import Delivery, Event, Quorum
from toy_paxos.round import Outcome, Round, Statistics, Times
from toy_paxos.settings import Settings
from toy_paxos.view.words import Line, event_line, line, plural, printable, route_width, sizes_words, wishes_lines


class Words:
    """What a run says: who takes part, each round event by event, and a summary.

    ``change`` says which rule is changed, or whose actors take part, if they are not those of Paxos.
    """

    def __init__(self, settings: Settings, change: str = "") -> None:
        self.settings = settings
        self.change = change
        self.is_real = settings.seed is None
        self.width = route_width(settings.configuration)

    def start(self) -> list[Line]:
        """Who takes part, the seed, and what can go wrong."""
        settings, network = self.settings, self.settings.network
        silent = ", silently" if network and network.failure_mode == "silent" else ""
        probability = settings.acceptor_failure_prob
        failures = "" if probability is None else f"failure probability {probability!r}{silent}, "
        first = (
            f"toy-paxos {__version__}: {sizes_words(settings.configuration)}, {failures}"
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
        """Who wants what, every event, and the outcome."""
        return [*self.heading(finished), *self.story(finished), *self.ending(finished)]

    def heading(self, finished: Round) -> list[Line]:
        """Who wants what."""
        return [line(), *wishes_lines(f"Round {finished.number}: ", finished.wishes)]

    def ending(self, finished: Round) -> list[Line]:
        """The outcome, and how to see the round again if safety is lost."""
        outcome = f"Round {finished.number}: {self.outcome(finished)}"
        return [line((f"{outcome_style(finished)} heading", outcome)), *self.replay_lines(finished)]

    def replay_lines(self, finished: Round) -> list[Line]:
        """How to see a round again in which safety is lost."""
        if finished.outcome is not Outcome.VIOLATED:
            return []
        if self.is_real:
            return [line(("command", "To see it again: toy-paxos play FILE, with the first lines and this round"))]
        again = f"To see it again: {self.settings.command} --round {finished.number}"
        return [line(("notable", f"No replay: {finished.no_replay}") if finished.no_replay else ("command", again))]

    def story(self, finished: Round) -> list[Line]:
        """What happened, a line for each event; with direct calls, a tally after each phase."""
        if self.settings.network:
            width = self.width
            # With % for the sake of speed: an f-string takes half as long again.
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
        """One event of direct calls; a tally says more than a quorum."""
        return None if isinstance(event, Quorum) else event_line(event, self.width, ("", "  "))

    def tally(self, finished: Round, verb: str) -> list[Line]:
        """How many acceptors promised or accepted, unless they were not asked to."""
        if verb == "accepted" and finished.outcome is Outcome.NO_PROMISE_QUORUM:
            return []
        number = finished.facts.promises if verb == "promised" else finished.facts.accepts
        configuration = self.settings.configuration
        quorum = configuration.promise_quorum if verb == "promised" else configuration.accept_quorum
        words = f"  {number} of {self.settings.num_acceptors} {verb}, {quorum} needed: "
        return [line(("", words), ("good", "quorum") if number >= quorum else ("bad", "no quorum"))]

    def outcome(self, finished: Round) -> str:
        """What was agreed on, or why nothing was, as far as anybody can know."""
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

    @property
    def outcomes(self) -> dict[Outcome, str]:
        """All that can come of a round, in a few words each."""
        return REAL_OUTCOMES if self.is_real else NETWORK_OUTCOMES if self.settings.network else DIRECT_OUTCOMES

    def summary(self, statistics: Statistics) -> list[Line]:
        """Each outcome with its share, what is expected or what the network did, and how to replay the run.

        Of one round, which still is to be seen on the screen, it is only the outcome.
        """
        settings, heading = self.settings, f"{plural(statistics.rounds, 'round')} of toy-paxos"
        if statistics.rounds == 1:
            (outcome,) = statistics.outcomes.elements()
            heading += f": {self.outcomes[outcome]}"
            if not settings.network:
                what = "" if outcome is Outcome.CONSENSUS else "consensus "
                heading += f" ({what}expected in {settings.expected_consensus_rate:.2%} of rounds)"
        lines = [line(), line(("heading", f"--- {heading} ---"))]
        if statistics.rounds != 1:
            lines += [line(("", words)) for words in self.table(statistics)]
        if statistics.no_replay:
            lines.append(line(("notable", f"seed {settings.seed}, no replay: {statistics.no_replay}")))
        elif not self.is_real:
            # What a class of the user's draws, reads or keeps on its own is not seen in all rounds.
            is_ours = not settings.actors or settings.actors.startswith("--break")
            known = "" if is_ours else ", if the actors are deterministic"
            lines.append(line(("command", f"seed {settings.seed}, replay{known}: {statistics.replay_command}")))
        return lines

    def table(self, statistics: Statistics) -> list[str]:
        """What the rounds add up to; what has never happened is left out, unless it is a violation of safety."""
        settings, rounds = self.settings, statistics.rounds
        always = (Outcome.VIOLATED,) if settings.network else (Outcome.CONSENSUS,)
        shares = [
            share_line(label, number, rounds)
            for outcome, label in self.outcomes.items()
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
    """The words of a run, as ``write`` turns lines into text."""

    def __init__(self, words: Words, write: Callable[[Sequence[Line]], str]) -> None:
        self.words = words
        self.write = write

    def start(self) -> str:
        """Return what to write before the first round."""
        return self.write(self.words.start())

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""
        return self.write(self.words.round(finished))

    def heading(self, finished: Round) -> str:
        """Return what stands before the events of a round."""
        return self.write(self.words.heading(finished))

    def event(self, number: int, event: Event) -> str:
        """Return what is said of one event."""
        words = self.words.event(event)
        return self.write([words] if words else [])

    def tally(self, finished: Round, verb: str) -> str:
        """Return how many acceptors promised or accepted."""
        return self.write(self.words.tally(finished, verb))

    def ending(self, finished: Round) -> str:
        """Return what stands after the events of a round."""
        return self.write(self.words.ending(finished))

    def summary(self, statistics: Statistics) -> str:
        """Return what to write after the last round."""
        return self.write(self.words.summary(statistics))


DIRECT_OUTCOMES = {
    Outcome.CONSENSUS: "consensus",
    Outcome.NO_PROMISE_QUORUM: "no quorum of promises",
    Outcome.NO_ACCEPT_QUORUM: "no quorum of accepts",
}

NETWORK_OUTCOMES = {
    Outcome.CONSENSUS: "consensus",
    Outcome.CHOSEN_NOT_LEARNED: "chosen, never learned",
    Outcome.NOT_CHOSEN: "no value chosen",
    Outcome.ALL_CRASHED: "all proposers crashed",
    Outcome.VIOLATED: "safety violated",
}

# In real time, an event that no log tells may have happened all the same.
REAL_OUTCOMES = NETWORK_OUTCOMES | {Outcome.NOT_CHOSEN: "none known as chosen"}
del REAL_OUTCOMES[Outcome.ALL_CRASHED]


def expected_words(settings: Settings) -> str:
    """The law of the rate of consensus."""
    number, configuration = settings.num_acceptors, settings.configuration
    promises, accepts = configuration.promise_quorum, configuration.accept_quorum
    if promises > accepts:
        return f"P(at least {promises} of {number} promise, and at least {accepts} of those accept)"
    quorum = "quorum" if configuration.for_proposers else "majority"
    return f"P(Binomial({number}, {settings.both_phases_prob:.4g}) >= {accepts}), a {quorum} fails neither phase"


def outcome_style(finished: Round) -> str:
    """Green is an agreement that a proposer knows of, red is anything else."""
    return "good" if finished.outcome is Outcome.CONSENSUS else "bad"


def share_line(label: str, number: int, rounds: int) -> str:
    """In how many rounds something was so, and their share."""
    share = f"{number / rounds:>9.2%}" if rounds else ""
    return f"{label:<21} {number:>8,}{share}"


def times_words(times: Times) -> str:
    """The middle and the tail of some times."""
    return f"median {times.percentile(50):,} ms, 95th percentile {times.percentile(95):,} ms"


def running_line(statistics: Statistics) -> str:
    """One line about a run that goes on."""
    rate = "-" if statistics.consensus_rate is None else f"{statistics.consensus_rate:.2%}"
    if not statistics.settings.network:
        rate += f" (expected {statistics.settings.expected_consensus_rate:.2%})"
    return (
        f"toy-paxos: {plural(statistics.rounds, 'round')}, consensus {rate}, "
        f"{plural(statistics.messages, 'message')} in {speed(statistics)}"
    )


def speed(statistics: Statistics) -> str:
    """How long it took, and how fast that was."""
    elapsed = statistics.elapsed_s
    rate = f", {statistics.rounds / elapsed:,.1f} rounds/s" if elapsed else ""
    return f"{elapsed:.2f} s{rate}"
