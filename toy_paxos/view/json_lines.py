"""A run, a story or a search as JSON Lines, one object for each event."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from toy_paxos import __version__
from toy_paxos.event import Event, Violation
from toy_paxos.event_json import FORMAT, event_line, json_line, keys_of
from toy_paxos.round import Outcome, Round, Statistics, Times
from toy_paxos.settings import Network, Settings
from toy_paxos.story import Story
from toy_paxos.view.files import lines
from toy_paxos.view.verdict import Found


class JsonLines:
    """A run as JSON Lines; keys that do not apply to direct calls or to real processes are null."""

    def __init__(self, settings: Settings, rule: str | None = None) -> None:
        self.settings = settings
        self.rule = rule

    def start(self) -> str:
        """Return the ``start`` event."""
        settings = self.settings
        network = dict.fromkeys([field.name for field in fields(Network)]) | settings.network_values
        return head(
            "start",
            seed=settings.seed,
            **settings.configuration.sizes,
            acceptor_failure_prob=settings.acceptor_failure_prob,
            values=settings.values,
            **{name: value for name, value in network.items() if name != "num_proposers"},
            place=settings.place or None,
            changed_rule=self.rule,
            actors=settings.actors or None,
        )

    def round(self, finished: Round) -> str:
        """Return the events of a round, then the ``round`` event."""
        number, no_replay = finished.number, finished.no_replay
        return "".join([self.event(number, event, no_replay) for event in finished.events]) + self.ending(finished)

    def heading(self, finished: Round) -> str:
        """Return nothing."""
        return ""

    def tally(self, finished: Round, verb: str) -> str:
        """Return nothing."""
        return ""

    def event(self, number: int, event: Event, no_replay: str = "") -> str:
        """Return an event of a round; ``no_replay`` says why the round cannot be replayed, or is empty."""
        replay = ""
        if isinstance(event, Violation):
            can_replay = self.settings.seed is not None and not no_replay
            replay = "," + keys_of(replay=f"{self.settings.command} --round {number}" if can_replay else None)
        return event_line(event, f'"round":{number}', is_timed=bool(self.settings.network), ending=replay)

    def ending(self, finished: Round) -> str:
        """Return the ``round`` event."""
        facts, is_timed = finished.facts, self.settings.network
        values = list(finished.wishes.values())
        return json_line(
            event="round",
            round=finished.number,
            proposal=values[0],
            proposals=values,
            outcome=finished.outcome,
            value=finished.value,
            promises=facts.promises,
            accepts=facts.accepts,
            attempts=facts.attempts,
            duel=facts.is_duel,
            adoptions=facts.adoptions,
            chosen_ms=round(facts.chosen.time, 3) if is_timed and facts.chosen else None,
            learned_ms=round(facts.learned.time, 3) if is_timed and facts.learned else None,
        )

    def summary(self, statistics: Statistics) -> str:
        """Return the ``summary`` event."""
        is_direct = not self.settings.network
        only_direct = Outcome.NO_PROMISE_QUORUM, Outcome.NO_ACCEPT_QUORUM
        outcomes = {
            outcome.replace("-", "_"): statistics.outcomes[outcome]
            if outcome is Outcome.CONSENSUS or (outcome in only_direct) == is_direct
            else None
            for outcome in Outcome
        }
        counts = "lost", "duplicates", "acceptor_crashes", "duels", "adoptions", "attempts_mean", "attempts_max"
        network = {name: getattr(statistics, name) for name in counts} | {
            "chosen_ms": times_object(statistics.until_chosen),
            "learned_ms": times_object(statistics.until_learned),
        }
        return json_line(
            event="summary",
            rounds=statistics.rounds,
            **outcomes,
            messages=statistics.messages,
            **dict.fromkeys(network) if is_direct else network,
            consensus_rate=statistics.consensus_rate,
            expected_consensus_rate=self.settings.expected_consensus_rate if is_direct else None,
            elapsed_s=statistics.elapsed_s,
        )


def head(event: str, **keys: Any) -> str:
    """Return the first line, which names the format."""
    return json_line(event=event, format=FORMAT, version=__version__, **keys)


def times_object(times: Times) -> dict[str, int | None]:
    """Return the median and the 95th percentile of some times."""
    return {"median": times.percentile(50), "p95": times.percentile(95)}


# Stories, and the results of a search


def story_json(story: Story) -> str:
    """Return a story: a ``start`` event, then its events."""
    return head("start", **story.configuration.sizes, title=story.title, **story.about) + events_json(story)


def events_json(story: Story) -> str:
    """Return the events of a story; without a clock, the time of each is its step."""
    is_timed = story.has_clock
    return "".join(
        event_line(event, f'"step":{"null" if is_timed else f"{event.time:.0f}"}', is_timed) for event in story.events
    )


def start_json(sizes: Found, rule: str | None, actors: str) -> str:
    """Return the ``check`` event; ``sizes`` is empty for many clusters, ``actors`` are the options that name them."""
    return head("check", **sizes, changed_rule=rule, actors=actors or None)


def verdict_json(found: Found, story: Story) -> str:
    """Return the events of a counterexample, then the ``verdict`` event, which also has the story as text."""
    return events_json(story) + json_line(event="verdict", **found, story=lines(story) if story.events else None)


def rules_json(rules: Iterable[Found]) -> str:
    """Return a ``rule`` event for each changed rule."""
    return "".join(json_line(event="rule", **{key: rule[key] for key in ("name", "fate", "summary")}) for rule in rules)
