"""A story read back: what ``toy-paxos``, ``check`` or ``play`` have printed, as lines or as JSON Lines.

A story names its cluster, says who wants what, and then tells what the network did, a line for each move. What follows
from the moves (somebody adopts, learns, a value is chosen) is skipped: whoever plays them again will see.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from toy_paxos.checking import RULES, Game, Model, Move, WrongMoveError
from toy_paxos.checking.game import Kind, NobodySaidError
from toy_paxos.command.options import shortened
from toy_paxos.message import BETWEEN_ACTORS, Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate
from toy_paxos.view.words import message_words, read_back

T = TypeVar("T")

MOST_LINES, MOST_BYTES = 10_000, 10_000_000
"""How long a story may be; longer ones are taken for something else."""

PICTURE = "that is a picture: a story is lines, or JSON Lines (leave out --diagram)"


class StoryError(Exception):
    """A line of a story cannot be read or played; the words say which one, and why."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")


class Numbered(NamedTuple):
    """A move of a story, and the number of the line that tells it."""

    line: int
    move: Move


@dataclass
class Story:
    """A cluster, and the moves made in it; ``rule`` is the name of the rule that is changed.

    ``comments`` stand after so many moves, -1 before all else. ``actors`` are the user's own ones, which have to be
    named again: nothing is imported because a story says so.
    """

    sizes: dict[str, Any] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    rule: str | None = None
    actors: str = ""
    moves: list[Numbered] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    has_ended: bool = False

    def cluster(self, model: Model) -> Model:
        """That model, with the sizes and wishes of the story, and as many attempts and restarts as it takes."""
        sizes = {"max_attempts": 1, "restarts": 0, **self.sizes}
        counts = {kind: Counter(told.move.actor for told in self.moves if told.move.kind == kind) for kind in LIMITED}
        for kind, (size, first) in LIMITED.items():
            sizes[size] = max([sizes[size], *[first + count for count in counts[kind].values()]])
        return replace(model, **sizes, wishes=tuple(self.wishes.values()))


# Which moves are limited by which size, and how many of it there are without any such move.
LIMITED: dict[Kind, tuple[str, int]] = {"timeout": ("max_attempts", 1), "restart": ("restarts", 0)}


def read_story(data: bytes) -> Story:
    """The story in some bytes; raises StoryError for the first line that is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoryError(data[: error.start].count(b"\n") + 1, "that is no text") from error
    if len(data) > MOST_BYTES:
        raise StoryError(1, f"a story has at most {MOST_BYTES:,} bytes")
    lines = text.removesuffix("\n").split("\n")
    is_json = next((line for line in lines if line.strip()), "").startswith("{")
    read = read_object if is_json else read_line
    story = Story()
    for number, line in enumerate(lines, start=1):
        if number > MOST_LINES:
            raise StoryError(number, f"a story has at most {MOST_LINES:,} lines")
        try:
            move = read(story, line.removesuffix("\r"))
        except (WrongMoveError, KeyError, TypeError, ValueError, AttributeError) as error:
            words = error if isinstance(error, WrongMoveError) else f"no event of a story: {shortened(line)}"
            raise StoryError(number, str(words)) from error
        if move:
            story.moves.append(Numbered(number, move))
    try:
        check_cluster(story)
    except WrongMoveError as error:
        raise StoryError(len(lines), f"it ends here, and {error}") from error
    return story


# The least and the most of each; nothing that was printed goes beyond.
RANGES = {
    "num_proposers": (1, 79),
    "num_acceptors": (1, 10_000),
    "max_attempts": (1, 1_000),
    "restarts": (0, 1_000),
    "first_number": (1, 1_000),
}


def check_cluster(story: Story) -> None:
    """Raise WrongMoveError unless it is known how large the cluster is, and who wants what."""
    if not {"num_proposers", "num_acceptors"} <= story.sizes.keys():
        raise WrongMoveError("no line before has said how many proposers and acceptors there are")
    for size, (least, most) in RANGES.items():
        if type(number := story.sizes.get(size, 1)) is not int or not least <= number <= most:
            raise WrongMoveError(f"the cluster has {shortened(number)} for {size}: it can have {least} to {most:,}")
    if not story.wishes:
        raise WrongMoveError("it tells of no round, no counterexample and no game")
    expected = [f"proposer-{at}" for at in range(story.sizes["num_proposers"])]
    if missing := [name for name in expected if name not in story.wishes]:
        raise WrongMoveError(f"no line before has said what {missing[0]} wants")
    if strangers := [name for name in story.wishes if name not in expected]:
        raise WrongMoveError(f"there is no {strangers[0]} here")


def play_story(story: Story, game: Game, make: Callable[[Move], object]) -> None:
    """Make all the moves of a story in a game; raises StoryError for the first line whose move cannot be made."""
    for told in story.moves:
        try:
            make(told.move)
        except WrongMoveError as error:
            raise StoryError(told.line, why_not(game, error)) from error


# How many messages are named where others would do.
SOME = 6


def why_not(game: Game, error: WrongMoveError) -> str:
    """Why a move cannot be made; if nobody has said that, what its recipient could receive instead."""
    if not isinstance(error, NobodySaidError):
        return str(error)
    recipient = error.message.recipient
    others = [message_words(message) for _, message in game.in_flight() if message.recipient == recipient]
    named = "; ".join(others[:SOME]) or "nothing"
    more = f"; and {len(others) - SOME} more" if len(others) > SOME else ""
    return f"nobody has said that: {message_words(error.message)}; in flight to {recipient}: {named}{more}"


# Lines


def begin_story(story: Story, heading: str) -> None:
    """Take the sizes from the first line of a run, a check or a game."""
    if story.sizes or story.wishes:
        raise WrongMoveError("another story begins here: give one of them")
    take_sizes(story, heading)


def begin_cluster(story: Story, words: str) -> None:
    """Take the sizes of the next cluster of a climb, and none of the last one."""
    story.sizes.clear()
    take_sizes(story, words)


def take_sizes(story: Story, words: str) -> None:
    """Note the sizes of a cluster, as far as the words name any."""
    for number, noun in re.findall(r"([\d,]+) (proposer|acceptor|attempt|restart)s?\b", words):
        story.sizes[SIZES[noun]] = int(number.replace(",", ""))
    story.sizes["fail"] = "FAIL delivered" in words
    if found := re.search(r", numbers from (\d+)", words):
        story.sizes["first_number"] = int(found[1])


SIZES = {
    "proposer": "num_proposers",
    "acceptor": "num_acceptors",
    "attempt": "max_attempts",
    "restart": "restarts",
}


def take_rule(story: Story, name: str) -> None:
    """Note the rule that is changed."""
    if name not in RULES:
        raise WrongMoveError(f"there is no rule {shortened(name)}")
    story.rule = name


def take_actors(story: Story, named: str) -> None:
    """Note that somebody's own actors have played."""
    story.actors = named


def take_wish(story: Story, name: str, value: str) -> None:
    """Note what a proposer wants."""
    note_wish(story, name, read_back(value))


def note_wish(story: Story, name: str, value: str) -> None:
    """Note what a proposer wants, once."""
    if name in story.wishes:
        raise WrongMoveError("a second round begins here: a story is one, which --round K shows")
    story.wishes[name] = value


def end_story(story: Story) -> None:
    """Skip whatever comes: figures and verdicts."""
    story.has_ended = True


def skip(story: Story, *_: str) -> None:
    """Skip what is no move."""


def refuse_picture(story: Story) -> None:
    """Refuse lanes."""
    raise WrongMoveError(PICTURE)


def delivery(story: Story, sender: str, recipient: str, words: str) -> Move:
    """A message that is delivered, fails or is lost."""
    marks, said = "", words
    if words.split(" ")[0] not in BETWEEN_ACTORS and ": " in words:
        # What follows the first colon may be a value with another one in it.
        marks, _, said = words.partition(": ")
    return move_of(marks.split(", "), message_of(sender, recipient, said))


def move_of(marks: list[str], message: Message) -> Move:
    """What became of a message, as a move."""
    return Move("drop" if "lost" in marks else "fail" if "failed" in marks else "deliver", message)


def message_of(sender: str, recipient: str, said: str) -> Message:
    """The message that is printed like that."""
    for kind, form in FORMS_OF_MESSAGES.items():
        if found := form.fullmatch(said):
            id, *rest = found.groups()
            if kind is Promise:
                accepted = Proposal(int(rest[0]), read_back(rest[1])) if rest[0] else None
                return Promise(sender, recipient, int(id), accepted)
            message: Message = kind(sender, recipient, int(id), *map(read_back, rest))
            return message
    raise WrongMoveError(f"no message that is known here: {shortened(said)}")


FORMS_OF_MESSAGES: dict[Any, re.Pattern[str]] = {
    Prepare: re.compile(r"PREPARE (\d+)"),
    Promise: re.compile(r"PROMISE (\d+), (?:nothing accepted|accepted (\d+) (.*))"),
    Propose: re.compile(r"PROPOSE (\d+) (.*)"),
    Accept: re.compile(r"ACCEPT  (\d+) (.*)"),
    Fail: re.compile(r"FAIL    (\d+)"),
    Terminate: re.compile(r"TERMINATE (\d+)"),
}


def crash(story: Story, proposer: str, type: str | None, recipient: str | None) -> Move:
    """A proposer that crashes, perhaps in the midst of what it says."""
    return Move("crash", actor=proposer, unsent=(type or "", recipient or ""))


def give_up(story: Story, proposer: str) -> Move:
    """A proposer that tries no more."""
    return Move("give up", actor=proposer)


def timeout(story: Story, proposer: str) -> Move:
    """A proposer that is told to try again."""
    return Move("timeout", actor=proposer)


def restart(story: Story, acceptor: str) -> Move:
    """An acceptor that restarts."""
    return Move("restart", actor=acceptor)


P, A = r"(proposer-\d+)", r"(acceptor-\d+)"

# Each form of a line, and what it says; the first that fits counts.
FORMS: list[tuple[re.Pattern[str], Callable[..., Move | None]]] = [
    (re.compile(pattern), says)
    for pattern, says in (
        (r"(toy-paxos \S+(?: check| play)?: .*)", begin_story),
        (r"network: .*, ([\d,]+ attempts?)", take_sizes),
        (r"(?:VIOLATED|ok|\?\?)  (\d.*)", begin_cluster),
        (r"Changed rule, (\S+): .*", take_rule),
        (r"Actors: (.*)", take_actors),
        (rf"(?:Round [\d,]+:)? *{P} wants (.+)", take_wish),
        (rf"{P} +-> +{A} +(.*)", delivery),
        (rf"{A} +-> +{P} +(.*)", delivery),
        (rf"{P} crashes(?: before it can send (?:anything to anybody|(\S+) to (\S+)))?", crash),
        (rf"{P} gives up after .*", give_up),
        (rf"{P} tries again, attempt .*", timeout),
        (rf"{A} restarts", restart),
        (rf"{A} crashes, and loses what is on its way to it", skip),
        (rf"{P} (?:times out|has a quorum|adopts|learns)\b.*", skip),
        (r"(?:CHOSEN|SAFETY VIOLATED), .*", skip),
        (r"\d+ of \d+ (?:promised|accepted), .*", skip),
        (r"(?:Round \d+: |Safety is lost in |The game is won in ).*", skip),
        (r"(?:To see it again|No replay): .*", skip),
        (r"(?:--- |What is missing: |VIOLATED: |SAFE |UNKNOWN: |NOT |ok   ).*", end_story),
        (r"[\d,]+ (?:states?|delivery|deliveries), .*", end_story),
        (r" *(?:p0|p a|p p)\b.*", refuse_picture),
    )
]

# What stands before an event: simulated time, the number of a delivery, or the margin of direct calls.
BEFORE = re.compile(r" *\d+\.\d ms {2}| *\d+ {2}(?=\S)| {2}(?=\S)")


def read_line(story: Story, line: str) -> Move | None:
    """What one line of text says, if it is a move; raises WrongMoveError if it says nothing that is known."""
    if line.startswith("#"):
        story.comments.setdefault(len(story.moves) if story.sizes else -1, []).append(line)
    if not line.strip() or line.startswith("#"):
        return None
    if story.has_ended:
        if line.startswith("toy-paxos "):
            begin_story(story, line)
        return None
    words = BEFORE.sub("", line, count=1) if BEFORE.match(line) else line
    for form, says in FORMS:
        if found := form.fullmatch(words):
            return says(story, *found.groups())
    raise WrongMoveError(f"no line of a story: {shortened(line)}")


# JSON Lines


def read_object(story: Story, line: str) -> Move | None:
    """What one line of JSON says, if it is a move; raises WrongMoveError if it is none."""
    if not line.strip():
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WrongMoveError(f"no JSON: {shortened(line)}") from error
    says = EVENTS.get(told["event"])
    return says(story, told) if says else None


def sizes_told(story: Story, told: Mapping[str, Any]) -> None:
    """The sizes of a cluster, and which rule is changed, or whose actors have played."""
    if told["event"] != "cluster" and (story.sizes or story.wishes):
        raise WrongMoveError("another story begins here: give one of them")
    if "num_acceptors" in told:
        names = (*SIZES.values(), "fail", "first_number")
        story.sizes = {"num_proposers": 1} | {name: told[name] for name in names if name in told}
    if told.get("changed_rule"):
        take_rule(story, told["changed_rule"])
    elif told.get("actors"):
        take_actors(story, str(told["actors"]))


def wish_told(story: Story, told: Mapping[str, Any]) -> None:
    """What a proposer wants."""
    note_wish(story, a(str, told["proposer"]), a(str, told["value"]))


def message_told(story: Story, told: Mapping[str, Any]) -> Move:
    """What became of a message, be it one of the clock's or of the power switch's."""
    sender, recipient = a(str, told["sender"]), a(str, told["recipient"])
    if told["type"] == "TIMEOUT":
        return Move("timeout", actor=recipient)
    if told["type"] == "RESTART":
        return Move("restart", actor=recipient)
    kind, value, accepted_id = BETWEEN_ACTORS[told["type"]], told["value"], told["accepted_id"]
    about: list[Any] = [a(str, value)] if kind in (Propose, Accept) else []
    if kind is Promise:
        about = [None if accepted_id is None else Proposal(a(int, accepted_id), a(str, value))]
    message = kind(sender, recipient, a(int, told["id"]), *about)
    return move_of([told["fate"], told["denial"]], message)


def timeout_told(story: Story, told: Mapping[str, Any]) -> Move | None:
    """That a proposer gives up; that it waits no longer is no move until it is told to try again."""
    return Move("give up", actor=a(str, told["proposer"])) if told["last"] else None


def crash_told(story: Story, told: Mapping[str, Any]) -> Move:
    """That a proposer crashes, perhaps in the midst of what it says."""
    return crash(story, a(str, told["proposer"]), a(str, told["unsent"]), a(str, told["recipient"]))


def a(kind: type[T], value: object) -> T:
    """A value of that kind; raises TypeError if it is of another."""
    if type(value) is not kind:
        raise TypeError(value)
    return value


EVENTS: dict[str, Callable[[Story, Mapping[str, Any]], Move | None]] = {
    "start": sizes_told,
    "check": sizes_told,
    "cluster": sizes_told,
    "wants": wish_told,
    "message": message_told,
    "timeout": timeout_told,
    "crash": crash_told,
}
