"""Events in words, a line for each, and what a run says around them.

A line is made of spans, each a style and a text. What a style looks like is the terminal's business; a pipe joins the
texts. Nothing here wraps, writes, or knows where the events come from.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from toy_paxos import __version__
from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Violation,
    Wants,
    said_by,
)
from toy_paxos.message import Accept, Fail, Message, Promise, Propose, Restart
from toy_paxos.simulation import Outcome, Round, Settings, Statistics, Times
from toy_paxos.story import Configuration

Span = tuple[str, str]
"""The name of a style, and a text; a style ``proposer-0`` is the hue of that proposer."""


class Line:
    """Some spans, and the text that they make."""

    __slots__ = ("spans", "text")

    def __init__(self, spans: Sequence[Span], text: str) -> None:
        self.spans = spans
        self.text = text

    def after(self, style: str, text: str) -> "Line":
        """The line with something before it."""
        return Line(((style, text), *self.spans), text + self.text)

    def then(self, style: str, text: str) -> "Line":
        """The line with something behind it."""
        return Line((*self.spans, (style, text)), self.text + text)


class DeliveryLine(Line):
    """The line of a delivery: its spans are made when a terminal asks for them, for a pipe needs only its text.

    ``about`` is what :func:`delivery_spans` takes, ``before`` and ``behind`` are the spans around that.
    """

    __slots__ = ("about", "before", "behind")

    def __init__(self, before: Span, about: tuple[Any, ...], behind: Span) -> None:
        self.before = before
        self.about = about
        self.behind = behind
        self.text = f"{before[1]}{delivery_text(about)}{behind[1]}"

    @property
    def spans(self) -> Sequence[Span]:  # type: ignore[override]
        """All its spans; a value is in the style of what is said before it."""
        spans = delivery_spans(*self.about)
        style, words = self.behind
        return (self.before, *spans, (style or spans[-1][0], words)) if words else (self.before, *spans)


def line(*spans: Span) -> Line:
    """The line that some spans make."""
    return Line(spans, "".join([text for _, text in spans]))


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
            f"toy-paxos {__version__}: {plural(settings.num_proposers, 'proposer')}, "
            f"{plural(settings.num_acceptors, 'acceptor')}, {failures}"
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
        return [line((f"{outcome_style(finished)} heading", outcome)), *self.way_back(finished)]

    def way_back(self, finished: Round) -> list[Line]:
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
            return [words for event in finished.events if (words := self.event(event))]
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
        """One event, after its time if there is a clock; with direct calls a tally says more than a quorum."""
        if self.settings.network:
            # With % for the sake of speed: an f-string takes half as long again.
            return event_line(event, self.width, ("time", "%8.1f ms  " % event.time))  # noqa: UP031
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
        """Each outcome with its share, what is expected or what the network did, and how to replay the run."""
        settings = self.settings
        text = [f"{plural(statistics.messages, 'message')} in {speed(statistics)}"]
        shares = [
            share_line(label, statistics.outcomes[outcome], statistics.rounds)
            for outcome, label in self.outcomes.items()
        ]
        if settings.network:
            simulated = "" if self.is_real else "simulated "
            mean = "-" if statistics.attempts_mean is None else f"{statistics.attempts_mean:.2f}"
            shares += [
                share_line("duels", statistics.duels, statistics.rounds),
                f"attempts a round: mean {mean}, max {statistics.attempts_max:,}",
                f"{plural(statistics.adoptions, 'adoption')}, {statistics.lost:,} lost and "
                f"{plural(statistics.duplicates, 'duplicate message')}",
                f"{simulated}time until chosen: {times_words(statistics.until_chosen)}",
                f"{simulated}time until learned: {times_words(statistics.until_learned)}",
            ]
        else:
            shares.insert(1, f"  {'expected':<28}{settings.expected_consensus_rate:>9.2%}")
            text.append(
                f"expected: P(Binomial({settings.num_acceptors}, {settings.both_phases_prob:.4g})"
                f" >= {settings.configuration.accept_quorum}), a majority fails neither phase"
            )
        lines = [
            line(),
            line(("heading", f"--- {plural(statistics.rounds, 'round')} of toy-paxos ---")),
            *(line(("", words)) for words in shares + text),
        ]
        if statistics.no_replay:
            lines.append(line(("notable", f"seed {settings.seed}, no replay: {statistics.no_replay}")))
        elif not self.is_real:
            lines.append(line(("command", f"seed {settings.seed}, replay: {statistics.replay_command}")))
        return lines


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

# What nobody has told may have happened.
REAL_OUTCOMES = {
    Outcome.CONSENSUS: "consensus",
    Outcome.CHOSEN_NOT_LEARNED: "chosen, never learned",
    Outcome.NOT_CHOSEN: "none known as chosen",
    Outcome.VIOLATED: "safety violated",
}


def outcome_style(finished: Round) -> str:
    """Green is an agreement that somebody knows of, red is anything else."""
    return "good" if finished.outcome is Outcome.CONSENSUS else "bad"


def wishes_lines(heading: str, wishes: Mapping[str, str]) -> list[Line]:
    """Who wants what, a line for each proposer, the first after a heading."""
    lines = []
    for name, value in wishes.items():
        lines.append(line(("heading", heading), (f"{name} heading", name), ("heading", f" wants {printable(value)}")))
        heading = " " * len(heading)
    return lines


# Events


def event_line(event: Event, route_width: int, before: Span = ("", "")) -> Line | None:
    """One event in words, after its time or a margin; routes are padded to a width.

    None for what goes without saying: a wish, which stands above the events, and the clock's TIMEOUT, since the
    attempt that it leads to is an event of its own.
    """
    if not isinstance(event, Delivery):
        follows = what_follows(event)
        return follows and follows.after(*before)
    message = event.message
    kind = message.type
    if kind == "TIMEOUT":
        return None
    value, accepted = said_by(message)
    denial = event.denial
    promised = event.promised if denial == "refused" else None
    sender, recipient, fate = message.sender, message.recipient, event.fate
    about = kind, sender, recipient, message.id, fate, denial, promised, accepted is None, route_width
    behind = ("", "")
    if value is not None:
        behind = ("", f" {printable(value)}")
    elif accepted:
        behind = ("notable", f", accepted {accepted.id} {printable(accepted.value)}")
    return DeliveryLine(before, about, behind)


def count_lines(events: Iterable[Event], width: int) -> list[Line]:
    """Events in the words of a run, each after the number of deliveries so far; routes are padded to a width."""
    told = (event_line(event, width, ("time", f"{event.time:4.0f}  ")) for event in events)
    return [words for words in told if words]


def message_words(message: Message) -> str:
    """Who says what to whom, as the line of its delivery has it."""
    words = event_line(Delivery(0, message), 0)
    assert words
    return words.text


def what_follows(event: Event) -> Line | None:
    """An event that is no delivery, in words."""
    match event:
        case Wants():
            return None
        case Crash():
            unsent = f" before it can send {event.unsent} to {event.recipient}" if event.unsent else ""
            return about(event.proposer, "bad", f"crashes{unsent}")
        case AcceptorCrash():
            return about(event.acceptor, "bad", "crashes, and loses what is on its way to it")
        case TimedOut(last=True):
            attempts = plural(event.attempt, "attempt")
            return about(event.proposer, "bad", f"gives up after {attempts}, no majority for {event.id} in time")
        case TimedOut():
            return about(event.proposer, "bad", f"times out, no majority for {event.id} in time")
        case Attempt():
            return about(event.proposer, "notable", f"tries again, attempt {event.attempt} under {event.id}")
        case Quorum():
            names = ", ".join(event.acceptors)
            return about(event.proposer, "notable", f"has a quorum of promises for {event.id}: {names}")
        case Adoption():
            source = f"what {event.acceptor} accepted under {event.accepted_id}"
            return about(event.proposer, "notable", f"adopts {source}: {printable(event.value)}")
        case Chosen():
            words = f"CHOSEN, for a majority has accepted proposal {event.id}: {printable(event.value)}"
            return line(("good heading", words))
        case Learned():
            return about(event.proposer, "good heading", f"learns {printable(event.value)}")
        case Violation():
            return line(("bad heading", f"SAFETY VIOLATED, {printable(event.words)}"))
    raise TypeError(event)


def about(actor: str, style: str, words: str) -> Line:
    """What befalls an actor or what it does, with the actor in its own hue."""
    return line((actor, actor), (style, f" {words}"))


@lru_cache(maxsize=2**16)
def delivery_text(about: tuple[Any, ...]) -> str:
    """The text of a delivery up to its value; worth remembering, for most of what a run says comes again."""
    return "".join([text for _, text in delivery_spans(*about)])


def delivery_spans(
    type: str,
    sender: str,
    recipient: str,
    id: int,
    fate: Fate,
    denial: str | None,
    promised: int | None,
    nothing_accepted: bool,
    route_width: int,
) -> Sequence[Span]:
    """A delivery up to its value: who says what to whom, and what became of it."""
    if type == Restart.type:
        return (recipient, recipient), ("notable", " restarts")
    padding = " " * (route_width - len(f"{sender} -> {recipient}"))
    marks = marks_of(fate, denial, promised)
    what = f"{type:<7} {id}"
    if type == Promise.type and nothing_accepted:
        what += ", nothing accepted"
    style = "routine" if marks and fate is not Fate.DUPLICATE else MESSAGE_STYLES.get(type, "routine")
    route = (sender, sender), ("", " -> "), (recipient, recipient), ("", f"{padding} ")
    return *route, ("mark", marks), (style, what)


def marks_of(fate: Fate, denial: str | None, promised: int | None) -> str:
    """What became of a message, if that is not what one expects: ``lost: ``, ``refused, promised 2: ``."""
    marks = [] if fate is Fate.DELIVERED else [str(fate)]
    if denial:
        marks.append(denial if promised is None else f"{denial}, promised {promised}")
    return f"{', '.join(marks)}: " if marks else ""


MESSAGE_STYLES = {Propose.type: "proposal", Accept.type: "good", Fail.type: "bad"}


def route_width(configuration: Configuration) -> int:
    """How long the longest sender and recipient are."""
    return len(f"{configuration.proposers[-1]} -> {configuration.acceptors[-1]}")


# Figures


def share_line(label: str, number: int, rounds: int) -> str:
    """In how many rounds something was so, and their share."""
    share = f"{number / rounds:>9.2%}" if rounds else ""
    return f"{label:<21} {number:>8,}{share}"


def times_words(times: Times) -> str:
    """The middle and the tail of some times."""
    if not times.counts:
        return "-"
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


def plural(count: int, noun: str) -> str:
    """``1 round``, ``2 rounds``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@lru_cache(maxsize=2**10)
def printable(value: str) -> str:
    """A value that cannot wreck its line, and can be read back: backslashes and control characters are escaped."""
    return tame(value.replace("\\", "\\\\"))


def tame(words: str) -> str:
    """Words that do nothing to a terminal: control characters, and what no encoding has, are escaped."""
    if words.isprintable():
        return words
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


ESCAPE = re.compile(r"\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def read_back(printed: str) -> str:
    """The value that is printed like that."""
    return ESCAPE.sub(lambda escape: escape[0].encode().decode("unicode_escape"), printed)
