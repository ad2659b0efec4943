"""Merge the events of several processes into one story.

The story keeps the order of each process, and no message is received before it is sent. Several orders may satisfy
that; clocks, which cannot be compared between machines, are not needed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from toy_paxos.event import Delivery, Event, says
from toy_paxos.message import Message
from toy_paxos.remote import CannotError


def merge_logs(told: Mapping[str, Sequence[Event]], round: int, cause: str) -> Iterator[Event]:
    """Yield all events of a round. Of the next events that can have happened, the earliest by its own time comes first.

    A message whose sending no process tells can be received at any time: the log of its sender may be missing.
    Raises CannotError, with its possible cause, if a message would be received before it was sent.
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
            raise CannotError(f"round {round}: {' and '.join(left)} contradict each other: {cause}")
        process = min(ready, key=lambda process: left[process][-1].time)
        event = left[process].pop()
        if not left[process]:
            del left[process]
        said.update(key(message) for message in says(event))
        if isinstance(event, Delivery):
            heard[key(event.message)] += 1
        yield event


def key(message: Message) -> str:
    """Return a key that is equal for equal messages; messages are mutable, and so not hashable."""
    return repr(message)
