"""A run, a story or a search as JSON Lines: one object for each event, and nothing else."""

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
from toy_paxos.view.run_words import DIRECT_OUTCOMES, NETWORK_OUTCOMES
from toy_paxos.view.verdict import Found


class JsonLines:
    """A run as JSON Lines; what direct calls or real processes do not have is null."""

    def __init__(self, settings: Settings, rule: str | None = None) -> None:
        self.settings = settings
        self.rule = rule

    def start(self) -> str:
        """The ``start`` event."""
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
        """An object for one event of a round; ``no_replay`` says why the round cannot be replayed, if that is known."""
        replay = ""
        if isinstance(event, Violation):
            can_replay = self.settings.seed is not None and not no_replay
            replay = "," + keys_of(replay=f"{self.settings.command} --round {number}" if can_replay else None)
        return event_line(event, f'"round":{number}', is_timed=bool(self.settings.network), ending=replay)

    def ending(self, finished: Round) -> str:
        """The ``round`` event."""
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
        """The ``summary`` event."""
        can_end = NETWORK_OUTCOMES if self.settings.network else DIRECT_OUTCOMES
        outcomes = {
            outcome.replace("-", "_"): statistics.outcomes[outcome] if outcome in can_end else None
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
            **network if self.settings.network else dict.fromkeys(network),
            consensus_rate=statistics.consensus_rate,
            expected_consensus_rate=None if self.settings.network else self.settings.expected_consensus_rate,
            elapsed_s=statistics.elapsed_s,
        )


def head(event: str, **keys: Any) -> str:
    """The first line, from which readers know the format."""
    return json_line(event=event, format=FORMAT, version=__version__, **keys)


def times_object(times: Times) -> dict[str, int | None]:
    """The middle and the tail of some times."""
    return {"median": times.percentile(50), "p95": times.percentile(95)}


# Stories, and what a search has found


def story_json(story: Story) -> str:
    """A story: its head, then its events."""
    return head("start", **story.configuration.sizes, title=story.title, **story.about) + events_json(story)


def events_json(story: Story) -> str:
    """The events of a story, each in the step that its time is if there is no clock."""
    is_timed = story.has_clock
    return "".join(
        event_line(event, f'"step":{"null" if is_timed else f"{event.time:.0f}"}', is_timed) for event in story.events
    )


def start_json(sizes: Found, rule: str | None, actors: str) -> str:
    """The ``check`` event, with the sizes of the cluster unless there are many; ``actors`` are the options for them."""
    return head("check", **sizes, changed_rule=rule, actors=actors or None)


def verdict_json(found: Found, story: Story) -> str:
    """The story of a counterexample, a line for each event, then the ``verdict`` event, which has it as text, too."""
    return events_json(story) + json_line(event="verdict", **found, story=lines(story) if story.events else None)


def rules_json(rules: Iterable[Found]) -> str:
    """A ``rule`` event for each changed rule."""
    return "".join(json_line(event="rule", **{key: rule[key] for key in ("name", "fate", "summary")}) for rule in rules)
