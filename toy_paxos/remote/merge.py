"""One story from what each process tells: each in its own order, and nothing heard before it is said.

There may be several such orders. That of the clock is not needed, and between machines nobody knows it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from toy_paxos.event import Delivery, Event, says
from toy_paxos.message import Message


class ContradictionError(Exception):
    """No order is possible: somebody heard what was said only afterwards."""


def merge(told: Mapping[str, Sequence[Event]]) -> Iterator[Event]:
    """The events of all processes, each time the earliest one by its own time that can have happened by then.

    What nobody tells of having said can be heard at any time: its teller may be missing. Raises ContradictionError.
    """
    to_say = Counter(key(message) for events in told.values() for event in events for message in says(event))
    said, heard = Counter[str](), Counter[str]()

    def can_happen(event: Event) -> bool:
        if not isinstance(event, Delivery):
            return True
        words = key(event.message)
        return heard[words] < said[words] or heard[words] >= to_say[words]

    left = {process: list(reversed(events)) for process, events in told.items() if events}
    while left:
        ready = [process for process, events in left.items() if can_happen(events[-1])]
        if not ready:
            raise ContradictionError(f"{' and '.join(left)} contradict each other")
        process = min(ready, key=lambda process: left[process][-1].time)
        event = left[process].pop()
        if not left[process]:
            del left[process]
        said.update(key(message) for message in says(event))
        if isinstance(event, Delivery):
            heard[key(event.message)] += 1
        yield event


def key(message: Message) -> str:
    """The same for messages that say the same; messages themselves can be changed, and so be no keys."""
    return repr(message)


def settle(events: Sequence[Event]) -> None:
    """Let no event of a process be later than those that follow it: it is known later than it happened."""
    for later, earlier in pairwise(reversed(events)):
        earlier.time = min(earlier.time, later.time)
