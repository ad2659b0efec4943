"""The story of a check as lanes; that of a changed rule beside what correct actors do with the same deliveries."""

from collections.abc import Sequence
from itertools import groupby

from toy_paxos.event import Delivery, Event
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.story import Story
from toy_paxos.view.lanes import COUNT_WIDTH, Lanes, Picture, drawn, glyphs, too_narrow
from toy_paxos.view.rows import Row, short_name, spoken
from toy_paxos.view.verdict import story_lines
from toy_paxos.view.words import Line


def story_lanes(story: Story, width: int | None) -> list[Line]:
    """The story of a check as lanes; as lines where lanes do not fit."""
    lanes = Lanes(story.configuration, width, COUNT_WIDTH)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    return drawn(story.events, lanes, "{:3.0f}")


def branch_lanes(story: Story, correct: Story, missed: int, remedy: str, width: int | None) -> list[Line]:
    """The story of a changed rule (``-``) beside what correct actors do with the same deliveries (``+``).

    What both do is drawn once. The ``remedy`` stands where the rule is ``missed``, after that delivery.
    """
    lanes = Lanes(story.configuration, None if width is None else width - len("- "), COUNT_WIDTH)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(story)]
    wrong, right = (Picture(lanes, glyphs()) for _ in range(2))
    lines = [line.after("", "  ") for line in lanes.heading()]
    # The events of a story by the delivery that they follow from.
    groups, right_groups = (
        {time: [*group] for time, group in groupby(its.events, lambda event: event.time)} for its in (story, correct)
    )
    for is_unsaid, run in groupby(groups.items(), key=lambda item: item[0] not in right_groups):
        if is_unsaid:
            lines += unsaid(wrong, right, [group for _, group in run])
            continue
        for number, group in run:
            lines += both(wrong, right, group, right_groups[number])
            if number == missed:
                lines += [line.after("", "  ") for line in wrong.lines(Row(f"missing: {remedy}", "bad"), "")]
    return lines


def said_in(group: Sequence[Event]) -> Message | None:
    """The message that is delivered in a group of events."""
    return next((event.message for event in group if isinstance(event, Delivery)), None)


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
                if not picture.shows_state:
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
    messages = [message for group in run if (message := said_in(group)) and not isinstance(message, Timeout)]
    if messages:
        first, last = run[0][0].time, run[-1][0].time
        words = spoken(messages[0])[0] if len(run) == 1 else f"any of {first:.0f} to {last:.0f}"
        row = Row(f"nobody says {words}", "good")
        lines += [line.after("good", "+ ") for line in right.lines(row, f"{first:3.0f}")]
    return lines


def reaction(event: Delivery) -> str:
    """What the recipient of a message says to it."""
    name = short_name(event.message.recipient)
    if isinstance(event.message, Restart):
        return f"{name} remembers all"
    return f"{name} says {spoken(event.answers[0])[0]}" if event.answers else f"{name} says nothing"
