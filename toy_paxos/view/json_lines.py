"""Events as JSON Lines, an object for each event and nothing else, for programs."""

import json
from functools import lru_cache
from typing import Any

from toy_paxos import __version__
from toy_paxos.event import Delivery, Event, Violation, said_by
from toy_paxos.simulation import Round, Settings, Statistics, Times
from toy_paxos.view.words import DIRECT_OUTCOMES, NETWORK_OUTCOMES

FORMAT = 1
"""What is raised when a program that reads the lines has to be changed."""

# One encoder for all lines: json.dumps would make a new one for each.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class JsonLines:
    """What a run says, as JSON Lines."""

    def __init__(self, settings: Settings, rule: str | None = None) -> None:
        self.settings = settings
        self.rule = rule

    def start(self) -> str:
        """The ``start`` event."""
        settings = self.settings
        network = {"values": settings.values, **settings.network_values} if settings.network else {}
        return json_line(
            event="start",
            format=FORMAT,
            version=__version__,
            seed=settings.seed,
            num_acceptors=settings.num_acceptors,
            acceptor_failure_prob=settings.acceptor_failure_prob,
            **network,
            **({"place": settings.place} if settings.place else {}),
            **({"changed_rule": self.rule, "actors": settings.actors or None} if settings.network else {}),
        )

    def round(self, finished: Round) -> str:
        """An object for each thing that happened, then the ``round`` event."""
        number, no_replay = finished.number, finished.no_replay
        return "".join([self.event(number, event, no_replay) for event in finished.events]) + self.ending(finished)

    def heading(self, finished: Round) -> str:
        """Return nothing."""
        return ""

    def tally(self, finished: Round, verb: str) -> str:
        """Return nothing."""
        return ""

    def event(self, number: int, event: Event, no_replay: str = "") -> str:
        """An object for one event of a round, which for some reason may not be replayed."""
        beginning = f'"round":{number}'
        if not self.settings.network:
            return event_object(event, beginning)
        times = f',"t_ms":{round(event.time, 3)!r}'
        if isinstance(event, Delivery):
            times += f',"sent_ms":{round(event.sent, 3)!r}'
        if isinstance(event, Violation) and self.settings.seed is not None:
            replay = None if no_replay else f"{self.settings.command} --round {number}"
            times += f',"replay":{ENCODER.encode(replay)}'
        return event_object(event, beginning, times)

    def ending(self, finished: Round) -> str:
        """The ``round`` event."""
        facts = finished.facts
        values = list(finished.wishes.values())
        round_event: dict[str, Any] = {"event": "round", "round": finished.number, "proposal": values[0]}
        if self.settings.network:
            round_event["proposals"] = values
        round_event |= {
            "outcome": finished.outcome,
            "value": finished.value,
            "promises": facts.promises,
            "accepts": facts.accepts,
        }
        if self.settings.network:
            round_event |= {
                "attempts": facts.attempts,
                "duel": facts.is_duel,
                "adoptions": facts.adoptions,
                "chosen_ms": facts.chosen and round(facts.chosen.time, 3),
                "learned_ms": facts.learned and round(facts.learned.time, 3),
            }
        return json_line(**round_event)

    def summary(self, statistics: Statistics) -> str:
        """The ``summary`` event."""
        network = bool(self.settings.network)
        figures: dict[str, Any] = {"event": "summary", "rounds": statistics.rounds}
        for outcome in NETWORK_OUTCOMES if network else DIRECT_OUTCOMES:
            figures[outcome.replace("-", "_")] = statistics.outcomes[outcome]
        figures["messages"] = statistics.messages
        if network:
            figures |= {
                "lost": statistics.lost,
                "duplicates": statistics.duplicates,
                "duels": statistics.duels,
                "adoptions": statistics.adoptions,
                "attempts_mean": statistics.attempts_mean,
                "attempts_max": statistics.attempts_max,
                "chosen_ms": times_object(statistics.until_chosen),
                "learned_ms": times_object(statistics.until_learned),
            }
        figures["consensus_rate"] = statistics.consensus_rate
        if not network:
            figures["expected_consensus_rate"] = self.settings.expected_consensus_rate
        return json_line(**figures, elapsed_s=statistics.elapsed_s)


# What a proposer says first, and has learned before it has heard of anybody, is for the watch alone.
UNTOLD = {"says", "learned"}


def times_object(times: Times) -> dict[str, int | None]:
    """The middle and the tail of some times."""
    return {"median": times.percentile(50), "p95": times.percentile(95)}


def encoded(value: str) -> str:
    """A value as JSON, without its quotes."""
    return ENCODER.encode(value)[1:-1]


def json_line(**event: Any) -> str:
    """An event as a line of its own."""
    return ENCODER.encode(event) + "\n"


def event_object(event: Event, beginning: str, ending: str = "") -> str:
    """An event as a line of its own, with more keys after its kind and at its end, in JSON already."""
    if isinstance(event, Delivery):
        return f'{{"event":"message",{beginning},{delivery_keys(event)}{ending}}}\n'
    # The slots of a kind of event are its own fields; the time is that of every event.
    told = {name: getattr(event, name) for name in event.__slots__ if name not in UNTOLD}
    return f'{{"event":"{event.event}",{beginning},{ENCODER.encode(told)[1:-1]}{ending}}}\n'


def delivery_keys(event: Delivery) -> str:
    """What a delivery has to say, as JSON without braces."""
    message = event.message
    value, accepted = said_by(message)
    if accepted:
        said = f'"value":{text(accepted.value)},"accepted_id":{accepted.id}'
    else:
        said = f'"value":{text(value)},"accepted_id":null'
    after = "null"
    if event.promised is not None:
        id, stored = event.accepted or (None, None)
        after = f'{{"promised":{event.promised},"accepted_id":{id or "null"},"accepted_value":{text(stored)}}}'
    elif event.learned is not None:
        after = f'{{"learned":{text(event.learned)}}}'
    head = message_keys(message.type, message.sender, message.recipient, message.id)
    return f'{head},{said},"fate":"{event.fate}","denial":{text(event.denial)},"after":{after}'


# Most of what is said comes again, and is worth remembering.


@lru_cache(maxsize=2**16)
def message_keys(type: str, sender: str, recipient: str, id: int) -> str:
    """Who says what to whom, under which number."""
    return ENCODER.encode({"type": type, "sender": sender, "recipient": recipient, "id": id})[1:-1]


@lru_cache(maxsize=2**10)
def text(value: str | None) -> str:
    """A text, or null."""
    return ENCODER.encode(value)
