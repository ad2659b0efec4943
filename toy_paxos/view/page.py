"""A story as a page to step through."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from toy_paxos.event import Chosen, Crash, Delivery, Event, Fate, Learned, Violation, Wants, says
from toy_paxos.message import Message
from toy_paxos.story import Story
from toy_paxos.view.document import document
from toy_paxos.view.rows import Row, short_name, spoken
from toy_paxos.view.scenes import scenes
from toy_paxos.view.svg import Drawing
from toy_paxos.view.words import printable

# The least scale of the drawing at which its letters are readable.
LEAST_SCALE = 0.8

# The width of the facts beside the drawing; on a narrow page they stand above it.
SIDE = 320

Facts = dict[str, str]
"""The text of places on the page, by their names."""


def page(story: Story) -> str:
    """Return a story as an HTML document under its printable title, opened at the end of the story.

    The story of correct actors, if there is one, comes after that end.
    """
    # The tables have the long names; with short ones, the words of the drawing can be seen on a phone.
    drawing = Drawing(story, long_names=0)
    steps = [*facts_by_step(story)]
    end = drawing.branches[0][-1].step
    last = {fact: escape(told) for step in steps[: end + 1] for fact, told in step.items()}
    tables = table("proposer", story.configuration.proposers, last, "learned")
    if any(isinstance(event, Delivery) and event.promised is not None for event in story.events):
        tables = table("acceptor", story.configuration.acceptors, last, "promised", "accepted") + tables
    return document(
        "page.html",
        escape(story.title),
        steps,
        end=end,
        last=len(steps) - 1,
        **{fact: last.get(fact, "-") for fact in ("words", "chosen", "way")},
        table="\n".join(tables),
        drawing=drawing.document(story.title),
        least=round(drawing.width * LEAST_SCALE),
        side=SIDE,
        beside=round(drawing.width * LEAST_SCALE) + SIDE,
    )


def facts_by_step(story: Story) -> Iterator[Facts]:
    """Yield the facts that are new after each step, from step 0 on."""
    short = {name: short_name(name) for name in story.configuration.names}
    unit = " ms\n" if story.has_clock else ""
    facts: Facts = {}
    step = 0
    known: Facts = {}
    chosen: list[str] = []
    way: list[Message] = []
    for scene in scenes(story):
        if scene.step > step:
            yield facts
            known |= facts
            facts, step = {}, scene.step
            if scene.repeated:
                # The story of correct actors begins anew, and its repeated events tell all facts again.
                facts, chosen, way = {fact: "-" for fact in known if fact != "words"}, [], []
        if "words" not in facts:
            is_correct = scene.branch and not scene.repeated
            facts["words"] = scene.time + unit if unit else "Correct actors:\n" if is_correct else ""
        facts["words"] += "".join(f"{said(row)}\n" for row in scene.rows)
        facts |= new_facts(scene.event)
        if isinstance(scene.event, (Chosen, Violation)) and scene.event.value is not None:
            chosen.append(f"{printable(scene.event.value)}, under {scene.event.id}")
            facts["chosen"] = "; ".join(chosen)
        way = still_on_its_way(way, scene.event)
        facts["way"] = way_words(way, short)
    yield facts


def still_on_its_way(way: Sequence[Message], event: Event) -> list[Message]:
    """Return the messages in flight after an event, given those before it; duplicates are not counted."""
    left = [*way]
    if isinstance(event, Delivery) and event.message in left:
        left.remove(event.message)
    elif isinstance(event, Crash):
        # The messages that a proposer could not send when it crashed are the last ones.
        unsent = [at for at, its in enumerate(left) if (its.type, its.recipient) == (event.unsent, event.recipient)]
        left = left[: unsent[-1]] if unsent else left
    return [*left, *says(event)]


def way_words(way: Sequence[Message], short: Mapping[str, str]) -> str:
    """Return messages in flight, one line for the same message to several actors."""
    lines: dict[str, list[str]] = {}
    for message in way:
        words = f"{spoken(message)[0]}, {short.get(message.sender, '?')} →"
        lines.setdefault(words, []).append(short.get(message.recipient, "?"))
    return "\n".join(f"{words} {' '.join(names)}" for words, names in lines.items()) or "-"


def said(row: Row) -> str:
    """Return the words of a row, a message with its sender and recipient."""
    if not row.arrow:
        return row.words
    message = row.arrow.message
    return f"{message.sender} → {message.recipient}: {row.words}"


def new_facts(event: Event) -> Facts:
    """Return the facts that an event changes: the state of an acceptor, or what a proposer has learned."""
    match event:
        case Wants(proposer=name, learned=value) | Learned(proposer=name, value=value):
            return {f"{name} learned": learned(value)}
        case Delivery() if event.promised is not None:
            id, value = event.accepted or (None, "")
            accepted = f"{id} {printable(value)}" if id else "-"
            name = event.message.recipient
            return {f"{name} promised": str(event.promised or "-"), f"{name} accepted": accepted}
        case Delivery() if event.fate is not Fate.LOST:
            # For an acceptor without visible state this is a fact without a place on the page.
            return {f"{event.message.recipient} learned": learned(event.learned)}
    return {}


def learned(value: str | None) -> str:
    """Return the value that a proposer has learned, or a dash."""
    return "-" if value is None else printable(value)


def table(kind: str, names: Sequence[str], last: Facts, *facts: str) -> list[str]:
    """Return a table of facts about some actors; until a script changes them, they are the last ones."""
    heads = "".join(f"<th>{head}</th>" for head in (kind, *facts))
    rows = []
    for name in names:
        cells = (f'<td data-fact="{name} {fact}">{last.get(f"{name} {fact}", "-")}</td>' for fact in facts)
        rows.append(f"<tr><td>{name}</td>{''.join(cells)}</tr>")
    return [f"<table><tr>{heads}</tr>", *rows, "</table>"]
