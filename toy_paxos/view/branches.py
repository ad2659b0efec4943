"""A story as lanes; the story of a changed rule beside that of correct actors with the same deliveries.

The two stories are compared delivery by delivery. Where they are the same they are drawn once; where they differ, the
incorrect actors are marked ``-`` and the correct ones ``+``:

       14  │   │   │<──●   ┃   ┃   PROMISE 3 (1 value-0)
    -  15  │   │   │<──╂───╂───●   PROMISE 3 (2 value-1)     p2 says PROPOSE 3 value-0
    +  15  │   │   │   ┃   ┃   ┃                             p2 says PROPOSE 3 value-1
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from toy_paxos.event import Chosen, Delivery, Event
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.story import Note, Story
from toy_paxos.view.lanes import COUNT_WIDTH, Lanes, Picture, drawn, glyphs, too_narrow
from toy_paxos.view.rows import Row, short_name, spoken
from toy_paxos.view.words import Line, printable, story_lines

# The width of a PROMISE and of the reaction of its proposer.
WORDS_AND_REACTION = 51


def story_lanes(story: Story, width: int | None) -> list[Line]:
    """Return a story as lanes; as lines where lanes do not fit."""
    lanes = Lanes(story.configuration, width, COUNT_WIDTH)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    return drawn(story.events, lanes, "{:3.0f}")


def branch_lanes(story: Story, correct: Story, width: int | None) -> list[Line]:
    """Return the story of a changed rule beside that of correct actors; as lines where lanes do not fit."""
    lanes = Lanes(story.configuration, None if width is None else width - len("- "), COUNT_WIDTH, WORDS_AND_REACTION)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    wrong, right = (Picture(lanes, glyphs()) for _ in range(2))
    lines = marked("  ", lanes.heading())
    for run, right_group in compared(by_delivery(story), by_delivery(correct)):
        lines += both(wrong, right, run[0], right_group) if right_group else unsaid(wrong, right, run)
    end = Row(stays_chosen(correct), "good heading")
    return lines + marked("+ ", right.lines(end, ""))


def marked(mark: str, lines: Sequence[Line]) -> list[Line]:
    """Return lines with the mark of a branch: ``-`` for incorrect actors, ``+`` for correct ones, blank for both."""
    style = {"- ": "bad", "+ ": "good"}.get(mark, "")
    return [Line(((style, mark), *line.spans), mark + line.text) for line in lines]


def branch_notes(story: Story, correct: Story) -> tuple[float, list[Note]]:
    """Return the first delivery after which correct actors differ, and notes for their story from there on."""
    groups, right_groups = by_delivery(story), by_delivery(correct)
    differing = {time: group for time, group in groups.items() if time and right_groups.get(time) != group}
    first = min(differing)
    notes: list[Note] = [(first - 1, f"Correct actors, from delivery {first:.0f} on:", "good heading")]
    for run, right_group in compared(differing, right_groups):
        if not right_group:
            notes.append((run[0][0].time, unsaid_words(run), "good"))
            continue
        wrong, right = delivery_in(run[0]), delivery_in(right_group)
        if not wrong or not right or wrong.message != right.message or right.denial:
            continue
        if wrong.answers != right.answers or isinstance(right.message, Restart):
            notes.append((right.time, reaction(right), "good"))
    notes.append((math.inf, stays_chosen(correct), "good heading"))
    return first, [note for note in notes if note[1]]


Groups = dict[float, Sequence[Event]]
"""The events of a story, grouped by the delivery that they follow from."""


def by_delivery(story: Story) -> Groups:
    """Return the events of a story in groups."""
    return {time: [*group] for time, group in groupby(story.events, lambda event: event.time)}


def compared(groups: Groups, right_groups: Groups) -> Iterator[tuple[list[Sequence[Event]], Sequence[Event]]]:
    """Yield each group with that of correct actors, and runs of groups that correct actors lack with an empty one."""
    for is_unsaid, run in groupby(groups, key=lambda time: time not in right_groups):
        if is_unsaid:
            yield [groups[time] for time in run], []
        else:
            yield from (([groups[time]], right_groups[time]) for time in run)


def stays_chosen(correct: Story) -> str:
    """Return in words which value is chosen at the end of the story of correct actors."""
    chosen = next((event for event in correct.events if isinstance(event, Chosen)), None)
    return f"{printable(chosen.value)} stays chosen" if chosen else "no value is chosen"


def delivery_in(group: Sequence[Event]) -> Delivery | None:
    """Return the delivery in a group of events, if there is one."""
    return next((event for event in group if isinstance(event, Delivery)), None)


def said_in(group: Sequence[Event]) -> Message | None:
    """Return the message that is delivered in a group of events, if there is one."""
    return delivery.message if (delivery := delivery_in(group)) else None


def side(picture: Picture, group: Sequence[Event], reacts: bool = False, is_bare: bool = False) -> list[Line]:
    """Return the lines for a delivery and what follows from it.

    If ``reacts``, they show how the recipient reacts to the message; if ``is_bare``, they do not repeat the message.
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
    """Return the lines for a delivery to incorrect and to correct actors; only once if they look the same."""
    is_same = group == right_group
    lines = side(wrong, group, reacts=not is_same)
    is_bare = not is_same and said_in(group) == said_in(right_group)
    right_lines = side(right, right_group, reacts=not is_same, is_bare=is_bare)
    if [line.text for line in lines] == [line.text for line in right_lines]:
        return marked("  ", lines)
    return marked("- ", lines) + marked("+ ", right_lines)


def unsaid(wrong: Picture, right: Picture, run: Sequence[Sequence[Event]]) -> list[Line]:
    """Return the lines for consecutive deliveries of messages that correct actors do not say."""
    lines = marked("- ", [line for group in run for line in side(wrong, group, reacts=True)])
    if words := unsaid_words(run):
        lines += marked("+ ", right.lines(Row(words, "good"), f"{run[0][0].time:3.0f}"))
    return lines


def unsaid_words(run: Sequence[Sequence[Event]]) -> str:
    """Return in words that correct actors do not say the messages of consecutive deliveries, if there are any."""
    messages = [message for group in run if (message := said_in(group)) and not isinstance(message, Timeout)]
    if not messages:
        return ""
    first, last = run[0][0].time, run[-1][0].time
    unsaid = spoken(messages[0])[0] if len(run) == 1 else f"any of {first:.0f} to {last:.0f}"
    return f"correct actors do not say {unsaid}"


def reaction(event: Delivery) -> str:
    """Return how the recipient of a message reacts to it, in words."""
    name = short_name(event.message.recipient)
    if isinstance(event.message, Restart):
        return f"{name} remembers all"
    return f"{name} says {spoken(event.answers[0])[0]}" if event.answers else f"{name} says nothing"
