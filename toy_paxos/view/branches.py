"""The story of a check as lanes; that of a changed rule beside what correct actors do with the same deliveries."""

import math
from collections.abc import Sequence
from itertools import groupby

from toy_paxos.event import Chosen, Delivery, Event
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.story import Note, Story
from toy_paxos.view.lanes import COUNT_WIDTH, Lanes, Picture, drawn, glyphs, too_narrow
from toy_paxos.view.rows import Row, short_name, spoken
from toy_paxos.view.words import Line, printable, story_lines

# How wide a PROMISE and what a proposer says to it are.
WORDS_AND_REACTION = 51


def story_lanes(story: Story, width: int | None) -> list[Line]:
    """The story of a check as lanes; as lines where lanes do not fit."""
    lanes = Lanes(story.configuration, width, COUNT_WIDTH)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    return drawn(story.events, lanes, "{:3.0f}")


def branch_lanes(story: Story, correct: Story, width: int | None) -> list[Line]:
    """The story of a changed rule (``-``) beside what correct actors do with the same deliveries (``+``).

    What both do is drawn once.
    """
    lanes = Lanes(story.configuration, None if width is None else width - len("- "), COUNT_WIDTH, WORDS_AND_REACTION)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    wrong, right = (Picture(lanes, glyphs()) for _ in range(2))
    lines = [line.after("", "  ") for line in lanes.heading()]
    groups, right_groups = by_delivery(story), by_delivery(correct)
    for is_unsaid, run in groupby(groups.items(), key=lambda item: item[0] not in right_groups):
        if is_unsaid:
            lines += unsaid(wrong, right, [group for _, group in run])
            continue
        for number, group in run:
            lines += both(wrong, right, group, right_groups[number])
    end = Row(stays_chosen(correct), "good heading")
    return [*lines, *(line.after("good", "+ ") for line in right.lines(end, ""))]


def branch_notes(story: Story, correct: Story) -> tuple[float, list[Note]]:
    """From which delivery on correct actors do something else, and what is to be said of their story from there on."""
    groups, right_groups = by_delivery(story), by_delivery(correct)
    differing = {time: group for time, group in groups.items() if time and right_groups.get(time) != group}
    first = min(differing)
    notes: list[Note] = [(first - 1, f"Correct actors, from delivery {first:.0f} on:", "good heading")]
    for is_unsaid, run in groupby(differing.items(), key=lambda item: item[0] not in right_groups):
        if is_unsaid:
            unheard = [group for _, group in run]
            notes.append((unheard[0][0].time, unsaid_words(unheard), "good"))
            continue
        for time, group in run:
            wrong, right = delivery_in(group), delivery_in(right_groups[time])
            if not wrong or not right or wrong.message != right.message or right.denial:
                continue
            if wrong.answers != right.answers or isinstance(right.message, Restart):
                notes.append((time, reaction(right), "good"))
    notes.append((math.inf, stays_chosen(correct), "good heading"))
    return first, [note for note in notes if note[1]]


def by_delivery(story: Story) -> dict[float, list[Event]]:
    """The events of a story by the delivery that they follow from."""
    return {time: [*group] for time, group in groupby(story.events, lambda event: event.time)}


def stays_chosen(correct: Story) -> str:
    """How the story of correct actors ends."""
    chosen = next((event for event in correct.events if isinstance(event, Chosen)), None)
    return f"{printable(chosen.value)} stays chosen" if chosen else "no value is chosen"


def delivery_in(group: Sequence[Event]) -> Delivery | None:
    """The delivery in a group of events."""
    return next((event for event in group if isinstance(event, Delivery)), None)


def said_in(group: Sequence[Event]) -> Message | None:
    """The message that is delivered in a group of events."""
    return delivery.message if (delivery := delivery_in(group)) else None


def side(picture: Picture, group: Sequence[Event], reacts: bool = False, is_bare: bool = False) -> list[Line]:
    """The lines for a delivery and what follows from it; perhaps with what its recipient says to it.

    Bare, they show nothing but that.
    """
    lines: list[Line] = []
    for event in group:
        for row in picture.rows.of(event):
            if reacts and isinstance(event, Delivery):
                row.state = row.state or reaction(event)
                if is_bare:
                    row.words, row.arrow, row.marks = "", None, None
                if not picture.lanes.has_state:
                    row.words = ", ".join(words for words in (row.words, row.state) if words)
            lines += picture.lines(row, f"{event.time:3.0f}")
    return lines


def both(wrong: Picture, right: Picture, group: Sequence[Event], right_group: Sequence[Event]) -> list[Line]:
    """The lines for a delivery to incorrect and to correct actors: once if they look the same, lanes and all."""
    is_same = group == right_group
    lines = side(wrong, group, reacts=not is_same)
    is_bare = not is_same and said_in(group) == said_in(right_group)
    right_lines = side(right, right_group, reacts=not is_same, is_bare=is_bare)
    if [line.text for line in lines] == [line.text for line in right_lines]:
        return [line.after("", "  ") for line in lines]
    return [*(line.after("bad", "- ") for line in lines), *(line.after("good", "+ ") for line in right_lines)]


def unsaid(wrong: Picture, right: Picture, run: Sequence[Sequence[Event]]) -> list[Line]:
    """The lines for consecutive deliveries of what correct actors do not say."""
    lines = [line.after("bad", "- ") for group in run for line in side(wrong, group, reacts=True)]
    if words := unsaid_words(run):
        lines += [line.after("good", "+ ") for line in right.lines(Row(words, "good"), f"{run[0][0].time:3.0f}")]
    return lines


def unsaid_words(run: Sequence[Sequence[Event]]) -> str:
    """That correct actors say nothing of what consecutive deliveries bring, if those are messages."""
    messages = [message for group in run if (message := said_in(group)) and not isinstance(message, Timeout)]
    if not messages:
        return ""
    first, last = run[0][0].time, run[-1][0].time
    return f"nobody says {spoken(messages[0])[0] if len(run) == 1 else f'any of {first:.0f} to {last:.0f}'}"


def reaction(event: Delivery) -> str:
    """What the recipient of a message says to it."""
    name = short_name(event.message.recipient)
    if isinstance(event.message, Restart):
        return f"{name} remembers all"
    return f"{name} says {spoken(event.answers[0])[0]}" if event.answers else f"{name} says nothing"
