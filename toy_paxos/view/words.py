"""Events in words, a line for each.

A line is made of spans, each a style and a text. What a style looks like is the terminal's business; a pipe joins the
texts. Nothing here wraps, writes, or knows where the events come from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
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
    said_by,
)
from toy_paxos.message import Accept, Fail, Message, Promise, Propose, Restart
from toy_paxos.proposer import majority
from toy_paxos.story import Configuration, Story

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


def wishes_lines(heading: str, wishes: Mapping[str, str]) -> list[Line]:
    """Who wants what, a line for each proposer, the first after a heading."""
    lines = []
    for name, value in wishes.items():
        lines.append(line(("heading", heading), (f"{name} heading", name), ("heading", f" wants {printable(value)}")))
        heading = " " * len(heading)
    return lines


def event_line(event: Event, route_width: int, before: Span = ("", "")) -> Line | None:
    """One event in words, after its time or a margin; routes are padded to a width.

    None for what goes without saying: a wish, which stands above the events, and the clock's TIMEOUT, since the
    attempt that it leads to is an event of its own.
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
    promised = event.promised if denial == "refused" else None
    sender, recipient, fate = message.sender, message.recipient, event.fate
    about = kind, sender, recipient, message.id, fate, denial, promised, accepted is None, route_width
    behind = ("", "")
    if value is not None:
        behind = ("", f" {printable(value)}")
    elif accepted:
        behind = ("notable", f", accepted {accepted.id} {printable(accepted.value)}")
    return DeliveryLine(before, about, behind)


def story_lines(story: Story) -> list[Line]:
    """The events of a story in the words of a run, each after the number of deliveries so far."""
    width = route_width(story.configuration)
    told = (event_line(event, width, ("time", f"{event.time:4.0f}  ")) for event in story.events)
    return [words for words in told if words]


def message_words(message: Message) -> str:
    """Who says what to whom, as the line of its delivery has it."""
    words = event_line(Delivery(0, message), 0)
    assert words
    return words.text


def what_follows(event: Event, name: Callable[[str], str] = str) -> Sequence[Span]:
    """An event other than a delivery, in words; ``name`` returns what they call an actor."""

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
            words = f"SAFETY VIOLATED, {printable(event.words)}"
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
    what = f"{tame(type):<7} {id}"
    if type == Promise.type and nothing_accepted:
        what += ", nothing accepted"
    style = "routine" if marks and fate is not Fate.DUPLICATE else MESSAGE_STYLES.get(type, "routine")
    route = (sender, sender), ("", " -> "), (recipient, recipient), ("", f"{padding} ")
    return *route, ("mark", marks), (style, what)


def marks_of(fate: Fate, denial: str | None, promised: int | None) -> str:
    """What became of a message, if that is not what one expects: ``lost: ``, ``refused, promised 2: ``."""
    if fate is Fate.LOST and denial:
        return f"lost ({printable(denial)}): "
    marks = [] if fate is Fate.DELIVERED else [str(fate)]
    if denial:
        marks.append(denial if promised is None else f"{denial}, promised {promised}")
    return f"{', '.join(marks)}: " if marks else ""


MESSAGE_STYLES = {Propose.type: "proposal", Accept.type: "good", Fail.type: "bad"}


def route_width(configuration: Configuration) -> int:
    """How long the longest sender and recipient are."""
    return len(f"{configuration.proposers[-1]} -> {configuration.acceptors[-1]}")


def sizes_words(configuration: Configuration) -> str:
    """How many actors take part, and how large quorums are if they are not majorities."""
    sizes = configuration.sizes
    actors = f"{plural(sizes['num_proposers'], 'proposer')}, {plural(sizes['num_acceptors'], 'acceptor')}"
    return actors + quorums_words(sizes)


def quorums_words(sizes: Mapping[str, Any]) -> str:
    """How large quorums are if they are not majorities, and that they need not meet if that is so."""
    promises, accepts = sizes["quorums"]
    number = sizes["num_acceptors"]
    if promises == accepts == majority(number):
        return ""
    words = f", quorums of {promises} and {accepts}"
    return words if promises + accepts > number else f"{words} among {plural(number, 'acceptor')} need not meet"


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


ESCAPE = r"\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"


def read_back(printed: str) -> str:
    """The value that is printed like that."""
    return re.sub(ESCAPE, lambda escape: escape[0].encode().decode("unicode_escape"), printed)
