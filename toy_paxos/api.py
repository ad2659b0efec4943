"""The API for Python: random rounds, a check of every execution, and stories to play again.

``import toy_paxos`` offers its names, and imports this module when one of them is used. The arguments are those of the
command line; invalid ones raise ValueError or TypeError.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args, get_type_hints

from toy_paxos import checking
from toy_paxos.acceptor import Acceptor
from toy_paxos.actor import Actor, ProposingActor
from toy_paxos.actor_registry import ActorRegistry
from toy_paxos.checking import CHANGED_RULES, MAX_STATES, ChangedRule, CheckError, Game, Judgement, Model, Report
from toy_paxos.event import plural
from toy_paxos.proposer import Proposer, Quorums
from toy_paxos.round import Round as PlayedRound
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.story import Configuration
from toy_paxos.story import Story as PlainStory
from toy_paxos.view.files import file_of
from toy_paxos.view.verdict import counterexample
from toy_paxos.view.words import printable, sizes_words

MakeAcceptor = Callable[[str], Actor] | type | str
MakeProposer = Callable[[str, str, Sequence[str], int, int], ProposingActor] | type | str
"""Functions or classes that make actors, classes of another shape, or what the command line takes: FILE.py:CLASS."""


class Story(PlainStory):
    """A story that shows itself: as a drawing in a notebook, as lines by ``text()``, as a document by ``svg()``.

    >>> story = next(rounds(3, 0, seed=2)).story
    >>> story
    <Story: Round 1, seed 2: consensus; 16 events>
    >>> print(story.text())  # doctest: +ELLIPSIS
    # Round 1, seed 2: consensus
    toy-paxos ...: 1 proposer, 3 acceptors
    <BLANKLINE>
    proposer-0 wants 😙
       1  proposer-0 -> acceptor-0 PREPARE 1
       2  proposer-0 -> acceptor-1 PREPARE 1
    ...
    >>> story.svg().startswith("<svg ")
    True
    """

    def __repr__(self) -> str:
        return f"<Story: {self.title or sizes_words(self.configuration.sizes)}; {plural(len(self.events), 'event')}>"

    def text(self) -> str:
        """Return the story as lines, which :func:`play` can read."""
        return file_of(".txt", self)

    def svg(self) -> str:
        """Return the story as an SVG document; raise ValueError if it is too large for a drawing."""
        return file_of(".svg", self)

    def _repr_html_(self) -> str | None:
        """Return the drawing for a notebook, or None if the story is too large for one."""
        try:
            return self.svg()
        except ValueError:
            return None


@dataclass(frozen=True)
class Round:
    """A finished round of a run with this seed; ``value`` is the chosen value, or None.

    >>> print(next(rounds(3, 0, seed=2)))
    Round(number=1, seed=2, wishes={'proposer-0': '😙'}, outcome='consensus', value='😙', messages=12)
    """

    number: int
    seed: int
    wishes: Mapping[str, str]
    outcome: str
    value: str | None
    messages: int
    played: PlayedRound = field(repr=False, compare=False)

    @cached_property
    def story(self) -> Story:
        """The story of the round."""
        title = f"Round {self.number}, seed {self.seed}: {self.outcome}"
        return Story(**vars(replace(self.played.story, title=title)))


def rounds(
    num_acceptors: int = 5,
    acceptor_failure_prob: float = 0.1,
    *,
    quorums: Quorums | None = None,
    seed: int | None = None,
    values: Iterable[str] = (),
    acceptor: MakeAcceptor | None = None,
    proposer: MakeProposer | None = None,
    **network: Any,
) -> Iterator[Round]:
    """Return endless rounds: those that the command ``toy-paxos`` plays with the same options and seed.

    ``network`` takes the fields of :class:`toy_paxos.settings.Network`. If one of them is given, or another actor, the
    network is simulated; otherwise calls are direct. Without a seed, a random one is used.

    >>> from itertools import islice
    >>> [round.outcome for round in islice(rounds(3, 0.3, seed=1), 4)]
    ['no-accept-quorum', 'no-accept-quorum', 'no-accept-quorum', 'consensus']
    >>> next(rounds(seed=7, num_proposers=2, message_loss_prob=0.2, values=["apple", "pear"])).value
    'pear'
    """
    options = {name: network_option(name, value) for name, value in network.items()}
    actors = given_actors(acceptor, proposer)
    simulated = Network(**options) if options or actors else None
    drawn = random.SystemRandom().getrandbits(32) if seed is None else number("seed", seed, int)
    settings = Settings(
        number("num_acceptors", num_acceptors, int, 1, 10_000),
        number("acceptor_failure_prob", acceptor_failure_prob, float, 0, 1),
        drawn,
        checked_values(values, simulated.num_proposers if simulated else 1),
        simulated,
        quorums=checked_quorums(quorums, num_acceptors),
        **actors,
    )
    return (
        Round(each.number, drawn, each.wishes, each.outcome.value, each.value, each.messages, each)
        for each in played(settings)
    )


def played(settings: Settings) -> Iterator[PlayedRound]:
    """Yield rounds; raise ValueError if actors of other classes fail or return something invalid."""
    if (settings.acceptor, settings.proposer) == (Acceptor, Proposer):
        yield from play_rounds(settings, actors=ActorRegistry())
        return
    from toy_paxos.command.options import Refused
    from toy_paxos.command.user_code import guarded

    with wrong_arguments(Refused):
        yield from play_rounds(guarded(settings), actors=ActorRegistry())


@dataclass(frozen=True, repr=False)
class Verdict:
    """The result of a check, with a report on each cluster that was searched.

    ``word`` is ``safe``, ``violated``, ``stuck`` (a proposer that keeps trying never learns), ``not-alive`` (no value
    can be chosen, or one never, and no proposer is stuck) or ``unknown`` (a search was not completed, or a rule is
    broken, so that larger clusters may not be safe). ``judgement`` says whether each actor alone keeps the rules in
    many clusters.

    >>> check(num_acceptors=2, num_proposers=1)  # doctest: +ELLIPSIS
    <Verdict: safe, 1 cluster, ... states>
    """

    reports: Sequence[Report]
    rule: ChangedRule | None = None
    judgement: Judgement | None = None

    def __repr__(self) -> str:
        states = plural(sum(report.states for report in self.reports), "state")
        violation = f", {printable(self.violation)}" if self.violation else ""
        judged = self.judgement if self.judgement and self.judgement.kept else None
        rules = f"; rules kept in {plural(judged.clusters, 'cluster')}" if judged else ""
        return f"<Verdict: {self.word}{violation}, {plural(len(self.reports), 'cluster')}, {states}{rules}>"

    def __bool__(self) -> bool:
        """Whether it is safe, so that ``assert check(...)`` means what it says."""
        return self.safe

    @property
    def word(self) -> str:
        """The verdict in one word."""
        if not self.judgement:
            return self.reports[0].verdict
        return str(checking.summary(self.reports, self.judgement)["verdict"])

    @property
    def safe(self) -> bool:
        """Whether nothing violates a property, and each value can be chosen, as far as that is known."""
        return self.word == "safe"

    @property
    def violation(self) -> str | None:
        """The violation in words, or None."""
        return self.reports[-1].violation

    @property
    def reason(self) -> str | None:
        """What the command prints after ``Reason:``, or None.

        >>> check(rule="skips-phase-1").reason
        'at the start, proposer-0 breaks P2: it proposes under 1 with 0 promises for 1; a quorum is 2 of 3'
        """
        report = checking.most_telling(self.reports)
        is_of_all = self.judgement and not report.story.events
        found = checking.summary(self.reports, self.judgement) if is_of_all else report.found
        return found["reason"]  # type: ignore[no-any-return]

    @cached_property
    def story(self) -> Story | None:
        """The story of a counterexample, or None. It is a shortest one, unless it was found by chance."""
        report = checking.most_telling(self.reports)
        if not report.story.events:
            return None
        rule, found = self.rule, report.model.sizes | report.found
        told, change = (rule.told, rule.change) if rule else (None, "")
        return Story(**vars(counterexample(report.story, report.correct_story, found, told, change)))


def check(
    *,
    num_acceptors: int | None = None,
    num_proposers: int | None = None,
    max_attempts: int | None = None,
    restarts: int | None = None,
    quorums: Quorums | None = None,
    fail: bool = False,
    rule: str | None = None,
    acceptor: MakeAcceptor | None = None,
    proposer: MakeProposer | None = None,
    max_states: int | None = None,
) -> Verdict:
    """Explore every execution of small clusters, as ``toy-paxos check`` does.

    With a size, ``fail`` or ``rule`` (the name of a changed rule), it explores one cluster. Otherwise it climbs from
    small clusters to larger ones, up to the first violation. It takes seconds, but minutes for actors with many
    states: then give a size, or fewer ``max_states``.

    >>> check(num_acceptors=3, num_proposers=2).safe
    True
    >>> verdict = check(rule="skips-phase-1")
    >>> verdict.violation
    'a second value is chosen: value-1'
    >>> verdict.story
    <Story: skips-phase-1: a second value is chosen: value-1; 11 events>
    """
    sizes: dict[str, Any] = {
        name: number(name, size, int, 0 if name == "restarts" else 1, 9)
        for name, size in given(
            num_acceptors=num_acceptors, num_proposers=num_proposers, max_attempts=max_attempts, restarts=restarts
        ).items()
    }
    actors = given_actors(acceptor, proposer)
    if rule not in (None, *CHANGED_RULES):
        from toy_paxos.command.options import suggestion

        hint = suggestion(str(rule), CHANGED_RULES) or f" Choose one of {', '.join(CHANGED_RULES)}."
        raise ValueError(f"unknown rule {rule!r}.{hint}")
    changed = CHANGED_RULES[rule] if rule else None
    if changed and actors:
        raise ValueError("a rule brings its own actors: leave out acceptor and proposer")
    most = None if max_states is None else number("max_states", max_states, int, 1, 10**9)
    with wrong_arguments(CheckError):
        if not (sizes or quorums or fail or changed):
            results = [*checking.check_actors(**actors, max_states=most or MAX_STATES)]
            judgement = next((result for result in results if isinstance(result, Judgement)), None)
            return Verdict([result for result in results if isinstance(result, Report)], judgement=judgement)
        model = replace(changed.model if changed else Model(), **sizes, **actors)
        model = replace(model, fail=model.fail or fail, quorums=checked_quorums(quorums, model.num_acceptors))
        if changed:
            return Verdict([checking.check_rule(changed, model, most or MAX_STATES)], changed)
        return Verdict([checking.check_one(model, most)])


def play(
    story: PlainStory | str,
    *,
    acceptor: MakeAcceptor | None = None,
    proposer: MakeProposer | None = None,
    strict: bool = True,
) -> Story:
    """Play the moves of a story again, on new actors, as ``toy-paxos play`` does; return the new story.

    It takes a story, its text (lines, or JSON Lines), or the name of a story that comes with the program. Unless actors
    are given, it uses those of the changed rule that the story names, or correct ones. Raises ValueError for the first
    line that cannot be played. If not ``strict``, it replaces a message that no actor has sent by one that differs only
    in its content, and skips lines that still cannot be played.

    >>> play("adoption")
    <Story: 2 proposers, 3 acceptors; 21 events>

    >>> story = next(rounds(3, 0.3, seed=1)).story
    >>> play(story).text().splitlines()[1:] == story.text().splitlines()[2:]
    True
    >>> from toy_paxos.proposer import Proposer
    >>> play(check(rule="skips-phase-1").story, proposer=Proposer)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: line ...: this message was not sent: proposer-0 -> acceptor-0 PROPOSE 1 value-0; ...
    """
    from toy_paxos.command.options import shortened, suggestion
    from toy_paxos.command.stories import StoryError, play_story, read_story, shipped

    if isinstance(story, PlainStory):
        story = Story(**vars(story)).text()
    if not isinstance(story, str):
        raise TypeError(f"story must be a story or its text, not a value of type {type(story).__name__}")
    actors, stories = given_actors(acceptor, proposer), shipped()
    if story not in stories and len(story.split()) == 1:
        hint = f"{suggestion(story, stories)} 'toy-paxos play list' lists the stories by name"
        raise ValueError(f"no story has the name {shortened(story)}.{hint}")
    with wrong_arguments(CheckError, StoryError):
        read = read_story(stories.get(story) or story.encode())
        if read.actors and not actors:
            raise ValueError(f"this story was played by other actors, {read.actors}: give acceptor or proposer")
        rule = CHANGED_RULES[read.rule] if read.rule and not actors else None
        game = Game(read.cluster(rule.model if rule else Model(**actors)))
        play_story(read, game, game.make if strict else game.make_alike)
    about = {"first_number": game.model.first_number, "changed_rule": rule and rule.name}
    return Story(game.model.configuration, game.events, about=about, change=rule.change if rule else "")


# Arguments


def given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}


def given_actors(acceptor: Any, proposer: Any) -> dict[str, Any]:
    """Return functions that make the given actors, by role; raise ValueError if something cannot make any."""
    actors = given(acceptor=acceptor, proposer=proposer)
    role: Literal["acceptor", "proposer"]
    for role, actor in actors.items():  # type: ignore[assignment]
        if isinstance(actor, str):
            from toy_paxos.command.actors import named_actor
            from toy_paxos.command.options import Refused

            with wrong_arguments(Refused):
                actors[role] = named_actor(actor, role)
        elif not callable(actor):
            raise TypeError(f"{role} must be a class, a function or a text, not {actor!r}")
        elif isinstance(actor, type):
            from toy_paxos.adapt import adapted

            actors[role] = adapted(actor, role)
    return actors


@contextmanager
def wrong_arguments(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds into ValueError, but Ctrl-C in the code of an actor into what it was."""
    try:
        yield
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        if isinstance(error, kinds):
            raise ValueError(str(error)) from error
        raise


def number(name: str, value: Any, kind: type[float], low: float = -math.inf, high: float = math.inf) -> Any:
    """Return a number of this kind in a range; raise TypeError or ValueError for anything else."""
    if isinstance(value, str) or not hasattr(value, "__index__" if kind is int else "__float__"):
        raise TypeError(f"{name} must be a {'whole ' if kind is int else ''}number, not {value!r}")
    if not low <= (converted := kind(value)) <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:,.15g}, not {value!r}")
    return converted


def checked_quorums(quorums: Any, num_acceptors: int) -> Quorums | None:
    """Return the quorums, if any; raise TypeError or ValueError if they are invalid."""
    if quorums is None:
        return None
    if not isinstance(quorums, (tuple, list)) or [*map(type, quorums)] != [int, int]:
        raise TypeError(f"quorums must be a pair of whole numbers, not {quorums!r}")
    pair = quorums[0], quorums[1]
    # This raises ValueError for impossible quorums.
    Configuration.of(1, num_acceptors, pair)
    return pair


def network_option(name: str, value: Any) -> Any:
    """Return the value of a field of the network; raise TypeError or ValueError if it is invalid."""
    kinds = get_type_hints(Network)
    if name not in kinds:
        raise TypeError(f"unknown option {name!r}: the network has {', '.join(kinds)}")
    if kinds[name] in (int, float):
        return number(name, value, kinds[name], *Network.__dataclass_fields__[name].metadata["range"])
    if value not in (choices := get_args(kinds[name])):
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")
    return value


def checked_values(values: Iterable[str], num_proposers: int) -> tuple[str, ...]:
    """Return the values as a tuple; raise TypeError or ValueError if they are invalid."""
    listed = [values] if isinstance(values, str) or not isinstance(values, Iterable) else [*values]
    if listed == [values] or not all(isinstance(value, str) for value in listed):
        raise TypeError(f"values must be a list of texts, not {values!r}")
    if "" in listed:
        raise ValueError("a value must not be empty")
    if len(listed) > num_proposers:
        raise ValueError(f"{len(listed)} values need num_proposers={len(listed)} or more")
    return tuple(listed)
