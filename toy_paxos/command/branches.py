"""The story of a check as lanes; that of a changed rule beside what right actors do with the same deliveries."""

from collections.abc import Sequence

from toy_paxos.checking import Report
from toy_paxos.command.lanes import COUNT_WIDTH, Lanes, Picture, drawn, glyphs, too_narrow
from toy_paxos.command.rows import Row, short_name, words_of
from toy_paxos.command.verdict import story_lines
from toy_paxos.command.words import Line
from toy_paxos.event import Delivery, Event, Wants
from toy_paxos.message import Message, Restart, Timeout


def story_lanes(report: Report, width: int | None) -> list[Line]:
    """The story of a check as lanes; as lines where lanes do not fit."""
    lanes = lanes_of(report, width)
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(report)]
    return drawn(report.story, lanes, report.model.num_acceptors, "{:3.0f}")


def lanes_of(report: Report, width: int | None) -> Lanes:
    """A lane for everybody in a story."""
    names = [event.proposer for event in report.story if isinstance(event, Wants)]
    names += [f"acceptor-{number}" for number in range(report.model.num_acceptors)]
    return Lanes(names, width, COUNT_WIDTH)


def branch_lanes(report: Report, remedy: str, width: int | None) -> list[Line]:
    """The story of a changed rule (``-``) beside what right actors do with the same deliveries (``+``).

    What both do is drawn once.
    """
    lanes = lanes_of(report, None if width is None else width - len("- "))
    if not lanes.pitch:
        return [*too_narrow(lanes, width), *story_lines(report)]
    wrong, right = (Picture(lanes, glyphs(), report.model.num_acceptors) for _ in range(2))
    groups, right_groups = by_delivery(report.story), by_delivery(report.right_story)
    lines = [line.after("", "  ") for line in lanes.heading()]
    missing = [Row(f"missing: {remedy}", "bad")]
    for number, group in groups.items():
        right_group = right_groups.get(number, [])
        if group == right_group:
            lines += [line.after("", "  ") for line in side(wrong, group)]
            side(right, right_group)
            continue
        lines += [line.after("bad", "- ") for line in side(wrong, group, reacts=True)]
        lines += [line.after("good", "+ ") for line in other_side(right, group, right_group)]
        # Said once, where the branches part.
        lines += [line.after("", "  ") for row in missing for line in wrong.lines(row, "")]
        missing = []
    return lines


def by_delivery(story: Sequence[Event]) -> dict[float, list[Event]]:
    """The events of a story by the delivery that they follow from."""
    groups: dict[float, list[Event]] = {}
    for event in story:
        groups.setdefault(event.time, []).append(event)
    return groups


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
            lines += picture.lines(row, f"{event.time:3.0f}")
    return lines


def other_side(picture: Picture, wrong: Sequence[Event], right: Sequence[Event]) -> list[Line]:
    """What right actors do where wrong ones do something else; perhaps nobody says what was delivered there."""
    message = said_in(wrong)
    if not right and message and not isinstance(message, Timeout):
        return picture.lines(Row(f"nobody says {words_of(message)}", "good"), f"{wrong[0].time:3.0f}")
    return side(picture, right, reacts=True, is_bare=bool(right) and said_in(right) == message)


def reaction(event: Delivery) -> str:
    """What the recipient of a message says to it."""
    name = short_name(event.message.recipient)
    if isinstance(event.message, Restart):
        return f"{name} remembers all"
    return f"{name} says {words_of(event.answers[0])}" if event.answers else f"{name} says nothing"
