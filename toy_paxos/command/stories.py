"""A story read back: what ``toy-paxos``, ``check`` or ``play`` have printed, as lines or as JSON Lines.

A story names its cluster, says who wants what, and then tells what the network did, a line for each move. What follows
from the moves (somebody adopts, learns, a value is chosen) is skipped: whoever plays them again will see.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, NamedTuple

from toy_paxos.checking import RULES, Game, Model, Move, WrongMoveError
from toy_paxos.checking.game import Kind, NobodySaidError
from toy_paxos.command.options import shortened
from toy_paxos.event import VALUED, Crash, Delivery, TimedOut, Wants
from toy_paxos.event_json import FORMAT, FormatError, check_format, event_of, message_of
from toy_paxos.message import BETWEEN_ACTORS, Message
from toy_paxos.view.words import message_words, read_back

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


def shipped() -> dict[str, bytes]:
    """The stories that come with the program, by name."""
    folder = files("toy_paxos").joinpath("stories")
    return {file.name.removesuffix(".txt"): file.read_bytes() for file in sorted(folder.iterdir(), key=str)}


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
            words = (
                error if isinstance(error, (WrongMoveError, FormatError)) else f"no event of a story: {shortened(line)}"
            )
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
    return move_of(marks.split(", "), message_said(sender, recipient, said))


def move_of(marks: list[str], message: Message) -> Move:
    """What became of a message, as a move."""
    return Move("drop" if "lost" in marks else "fail" if "failed" in marks else "deliver", message)


# The type, the number, and either a value or the proposal that was accepted before.
MESSAGE = re.compile(r"([A-Z]+) +(\d+)(?: (.+)|, nothing accepted|, accepted (\d+) (.+))?")


def message_said(sender: str, recipient: str, said: str) -> Message:
    """The message that is printed like that."""
    found = MESSAGE.fullmatch(said)
    if not found or found[1] not in BETWEEN_ACTORS or bool(found[3]) != (BETWEEN_ACTORS[found[1]] in VALUED):
        raise WrongMoveError(f"no message that is known here: {shortened(said)}")
    type, id, value, accepted_id, accepted = found.groups()
    about = value or accepted
    return message_of(type, sender, recipient, int(id), about and read_back(about), accepted_id and int(accepted_id))


def crash(story: Story, proposer: str, type: str | None, recipient: str | None) -> Move:
    """A proposer that crashes, perhaps in the midst of what it says."""
    return Move("crash", actor=proposer, unsent=(type or "", recipient or ""))


def moves(kind: Kind) -> Callable[[Story, str], Move]:
    """Return what makes such a move of the name of an actor."""
    return lambda _, actor: Move(kind, actor=actor)


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
        (rf"{P} gives up after .*", moves("give up")),
        (rf"{P} tries again, attempt .*", moves("timeout")),
        (rf"{A} restarts", moves("restart")),
        (rf"{A} crashes, and loses what is on its way to it", skip),
        (rf"{P} (?:times out|has a quorum|adopts|learns)\b.*", skip),
        (r"(?:CHOSEN|SAFETY VIOLATED), .*", skip),
        (r"\d+ of \d+ (?:promised|accepted), .*", skip),
        (r"(?:[Rr]ound \d+: |Safety is lost in |The game is won in ).*", skip),
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
    if told["event"] in BEGINNINGS:
        sizes_told(story, told)
        return None
    match event_of(told):
        case Wants() as event:
            note_wish(story, event.proposer, event.value)
        case Delivery(message=message) if message.type in SWITCHES:
            return Move(SWITCHES[message.type], actor=message.recipient)
        case Delivery() as event:
            return move_of([event.fate, event.denial or ""], event.message)
        # That a proposer times out is not a move until it is told to try again.
        case TimedOut(last=True) as event:
            return Move("give up", actor=event.proposer)
        case Crash() as event:
            return crash(story, event.proposer, event.unsent, event.recipient)
    return None


BEGINNINGS = ("start", "check", "cluster")

# The messages of the clock and of the power switch, and the moves that they are.
SWITCHES: dict[str, Kind] = {"TIMEOUT": "timeout", "RESTART": "restart"}


def sizes_told(story: Story, told: Mapping[str, Any]) -> None:
    """The sizes of a cluster, and which rule is changed, or whose actors have played."""
    if told["event"] != "cluster":
        if story.sizes or story.wishes:
            raise WrongMoveError("another story begins here: give one of them")
        check_format(told.get("format", FORMAT))
    if "num_acceptors" in told:
        names = (*SIZES.values(), "fail", "first_number")
        story.sizes = {"num_proposers": 1} | {name: told[name] for name in names if told.get(name) is not None}
    if told.get("changed_rule"):
        take_rule(story, told["changed_rule"])
    elif told.get("actors"):
        take_actors(story, str(told["actors"]))
