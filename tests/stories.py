"""Stories to look at: random rounds over the network, awkward values, and what becomes of changed rules."""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from itertools import islice

from hypothesis import strategies as st
from once import once

from toy_paxos.checking import CHANGED_RULES, Model, Report, check_rule
from toy_paxos.checking.climb import climb
from toy_paxos.event import Event, Wants
from toy_paxos.round import Round
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration, Note, Story

# What would do harm somewhere, if it were not escaped.
AWKWARD = [
    "</script>",
    "<b>",
    "]]>",
    "#;",
    "a&amp;b",
    "'\"",
    "%%{init}%%",
    "\x00\n\x1b",
    "日本語",
    "😀",
    "--> <!--",
    "$x",
    "v" * 90,
]

probabilities = st.sampled_from([0.0, 0.1, 0.3])
networks = st.builds(
    Network,
    num_proposers=st.integers(1, 4),
    failure_mode=st.sampled_from(["reply", "silent"]),
    message_loss_prob=probabilities,
    message_duplication_prob=probabilities,
    proposer_failure_prob=st.sampled_from([0.0, 0.05]),
    max_attempts=st.integers(1, 3),
)
runs = st.builds(
    Settings,
    num_acceptors=st.integers(1, 5),
    acceptor_failure_prob=probabilities,
    seed=st.integers(0, 10**6),
    values=st.sampled_from(AWKWARD).map(lambda value: (value,)),
    network=networks | st.none(),
)


def told(events: Sequence[Event], title: str, num_acceptors: int, notes: Sequence[Note] = ()) -> Story:
    """These events as a story."""
    num_proposers = sum(isinstance(event, Wants) for event in events)
    return Story(Configuration.of(num_proposers, num_acceptors), events, title, notes)


def first_round(run: Settings) -> Round:
    """The first round of a run."""
    return next(islice(play_rounds(run), 1))


@cache
def report_of(rule: str) -> Report:
    """What the checker finds of a changed rule in the cluster that shows it: many tests look at that from some side."""
    return once(f"report of {rule}", lambda: check_rule(CHANGED_RULES[rule], CHANGED_RULES[rule].model))


@cache
def climbed() -> dict[Model, Report]:
    """What the checker finds of the correct actors in all clusters of the climb."""
    return {report.model: report for report in once("the whole climb", lambda: list(climb()))}


def broken_story(rule: str) -> tuple[list[Event], int]:
    """The story of a changed rule, and among how many acceptors it plays."""
    report = report_of(rule)
    return deepcopy(list(report.story.events)), report.model.num_acceptors
