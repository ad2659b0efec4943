"""Events in words, one line for each.

A line consists of spans: each is a text and the name of its style. ``terminal.py`` decides what a style looks like; a
pipe takes only the text. Nothing here wraps or writes lines, or knows where the events come from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toy_paxos.event import (
    AcceptorCrash,
    Adoption,
    Attempt,
    Chosen,
    Crash,
    Delivery,
    Departure,
    Event,
    Fate,
    Learned,
    Quorum,
    TimedOut,
    Unheard,
    Violation,
    Wants,
    plural,
    said_by,
)
from toy_paxos.message import Accept, Fail, Message, Promise, Propose, Restart
from toy_paxos.proposer import majority
from toy_paxos.safety import PROMISES_RISE
from toy_paxos.story import Configuration, Story

Span = tuple[str, str]
"""The name of a style, and a text. The style ``proposer-0`` is the hue of that proposer."""


@dataclass(slots=True)
class Line:
    """Spans, and the text that they make together."""

    spans: Sequence[Span]
    text: str

    def with_suffix(self, style: str, text: str) -> "Line":
        """Return the line with a span after it."""
        return Line((*self.spans, (style, text)), self.text + text)


def line(*spans: Span) -> Line:
    """Return the line of these spans."""
    return Line(spans, "".join([text for _, text in spans]))


def wishes_lines(heading: str, wishes: Mapping[str, str]) -> list[Line]:
    """Return what each proposer wants, a line for each, the first after a heading."""
    lines = []
    for name, value in wishes.items():
        lines.append(line(("heading", heading), (f"{name} heading", name), ("heading", f" wants {printable(value)}")))
        heading = " " * len(heading)
    return lines


def event_line(event: Event, route_width: int, before: Span = ("", "")) -> Line | None:
    """Return an event in words after its time or a margin, with its route padded to a width.

    Return None for a wish, which stands above the events, and for a TIMEOUT, because the attempt that follows from it
    is a separate event.
    """
    if not isinstance(event, Delivery):
        follows = what_follows(event)
        return line(before, *follows) if follows else None
    message = event.message
    kind = message.type
    if kind == "TIMEOUT":
        return None
    value, accepted = said_by(message)
    denial = event.denial
    promised = event.promised if denial and denial != "failed" else None
    sender, recipient, fate = message.sender, message.recipient, event.fate
    spans, text = delivery_words(
        kind, sender, recipient, message.id, fate, denial, promised, accepted is None, route_width
    )
    if value is not None:
        ending = spans[-1][0], f" {printable(value)}"
    elif accepted:
        ending = "notable", f", accepted {accepted.id} {printable(accepted.value)}"
    else:
        return Line((before, *spans), before[1] + text)
    return Line((before, *spans, ending), f"{before[1]}{text}{ending[1]}")


def story_lines(story: Story) -> list[Line]:
    """Return the events of a story in words, each after the number of deliveries so far."""
    width = route_width(story.configuration)
    told = (event_line(event, width, ("time", f"{event.time:4.0f}  ")) for event in story.events)
    return [words for words in told if words]


def message_words(message: Message) -> str:
    """Return a message with its sender and recipient, in the words of its delivery."""
    words = event_line(Delivery(0, message), 0)
    assert words
    return words.text


def what_follows(event: Event, name: Callable[[str], str] = str) -> Sequence[Span]:
    """Return an event other than a delivery in words; ``name`` returns how they name an actor."""

    def about(actor: str, style: str, words: str) -> Sequence[Span]:
        return (actor, name(actor)), (style, f" {words}")

    match event:
        case Quorum():
            names = ", ".join(map(name, event.acceptors))
            return about(event.proposer, "notable", f"has a quorum of promises for {event.id}: {names}")
        case Chosen():
            words = f"CHOSEN, for a quorum has accepted proposal {event.id}: {printable(event.value)}"
            return (("good heading", words),)
        case Learned():
            return about(event.proposer, "good heading", f"learns {printable(event.value)}")
        case Adoption():
            source = f"what {name(event.acceptor)} accepted under {event.accepted_id}"
            return about(event.proposer, "notable", f"adopts {source}: {printable(event.value)}")
        case TimedOut():
            end = f"gives up after {plural(event.attempt, 'attempt')}" if event.last else "times out"
            return about(event.proposer, "bad", f"{end}, no quorum for {event.id} in time")
        case Attempt():
            return about(event.proposer, "notable", f"tries again, attempt {event.attempt} under {event.id}")
        case Crash():
            unsent = f" before it can send {event.unsent} to {name(event.recipient)}" if event.unsent else ""
            return about(event.proposer, "bad", f"crashes{unsent}")
        case AcceptorCrash():
            return about(event.acceptor, "bad", "crashes, and loses what is on its way to it")
        case Violation():
            words = violation_words(event)
            if event.acceptors:
                words += f", under {event.id}, accepted by {', '.join(map(name, event.acceptors))}"
            return (("bad heading", words),)
        case Departure():
            return about(event.actor, "bad", f"breaks {event.rule}: {printable(event.words)}")
        case Unheard():
            return about(event.actor, "routine", f"says {printable(event.words)}")
        case Wants():
            return ()
    raise TypeError(event)


def violation_words(event: Violation) -> str:
    """Return which property is lost; a falling promise alone does not make a second value chosen."""
    return f"{'INVARIANT' if event.property == PROMISES_RISE.name else 'SAFETY'} VIOLATED, {printable(event.words)}"


@lru_cache(maxsize=2**16)
def delivery_words(
    type: str,
    sender: str,
    recipient: str,
    id: int,
    fate: Fate,
    denial: str | None,
    promised: int | None,
    nothing_accepted: bool,
    route_width: int,
) -> tuple[Sequence[Span], str]:
    """Return the spans of a delivery up to its value, and their text; cached, because most deliveries recur."""
    if type == Restart.type:
        return ((recipient, recipient), ("notable", " restarts")), f"{recipient} restarts"
    padding = " " * (route_width - len(f"{sender} -> {recipient}"))
    marks = marks_of(fate, denial, promised)
    what = f"{tame(type):<7} {id}"
    if type == Promise.type and nothing_accepted:
        what += ", nothing accepted"
    style = "routine" if marks and fate is not Fate.DUPLICATE else MESSAGE_STYLES.get(type, "routine")
    route = (sender, sender), ("", " -> "), (recipient, recipient), ("", f"{padding} ")
    return (*route, ("mark", marks), (style, what)), f"{sender} -> {recipient}{padding} {marks}{what}"


def marks_of(fate: Fate, denial: str | None, promised: int | None) -> str:
    """Return what became of a message unless it simply arrived: ``lost: ``, ``refused, promised 2: ``."""
    if fate is Fate.LOST and denial:
        return f"lost ({printable(denial)}): "
    marks = [] if fate is Fate.DELIVERED else [str(fate)]
    if denial:
        marks.append(denial if promised is None else f"{denial}, promised {promised or 'nothing'}")
    return f"{', '.join(marks)}: " if marks else ""


MESSAGE_STYLES = {Propose.type: "proposal", Accept.type: "good", Fail.type: "bad"}


def route_width(configuration: Configuration) -> int:
    """Return the width of the longest sender and recipient."""
    return len(f"{configuration.proposers[-1]} -> {configuration.acceptors[-1]}")


def sizes_words(sizes: Mapping[str, Any]) -> str:
    """Return the numbers of actors; unless quorums are majorities, also their sizes and whether two can be disjoint."""
    promises, accepts = sizes["quorums"]
    words = f"{plural(sizes['num_proposers'], 'proposer')}, {plural(sizes['num_acceptors'], 'acceptor')}"
    if promises == accepts == majority(sizes["num_acceptors"]):
        return words
    words += f", quorums of {promises} and {accepts}"
    return words if promises + accepts > sizes["num_acceptors"] else f"{words} that need not meet"


@lru_cache(maxsize=2**10)
def printable(value: str) -> str:
    """Return a value with backslashes and control characters escaped; :func:`read_back` is the inverse."""
    return tame(value.replace("\\", "\\\\"))


def tame(words: str) -> str:
    """Return words with all characters escaped that are not printable, because they could control a terminal."""
    if words.isprintable():
        return words
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


ESCAPE = r"\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"


def read_back(printed: str) -> str:
    """Return the value that :func:`printable` has escaped."""
    return re.sub(ESCAPE, lambda escape: escape[0].encode().decode("unicode_escape"), printed)
