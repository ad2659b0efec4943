"""Read stories: the output of ``toy-paxos``, ``check`` or ``play``, as lines or as JSON Lines.

A story names its cluster and what the proposers want, and then has a line for each move of the network. The reader
skips events that follow from the moves (a proposer adopts or learns, a value is chosen), because they follow again when
the moves are played.

People can also type a story, with short names (``p0``, ``a1``) and messages as in a diagram (``PROMISE 2 (1 v)``). It
needs no first line: then the sizes come from options or follow from the names, and several blanks count as one::

    p0 wants apple
    p0 -> a0 PREPARE 1
    a0 -> p0 PROMISE 1
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from toy_paxos.checking import CHANGED_RULES, Game, Model, Move, WrongMoveError
from toy_paxos.checking.game import Kind, NotSentError
from toy_paxos.command.options import shortened
from toy_paxos.event import VALUED, Crash, Delivery, TimedOut, Wants
from toy_paxos.event_json import FORMAT, FormatError, check_format, event_of, message_of
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.message_like import BETWEEN_ACTORS
from toy_paxos.story import Configuration
from toy_paxos.view.words import message_words, read_back

MOST_BYTES = 10_000_000
"""The limit on the size of a story; a larger file is probably not a story."""


class StoryError(Exception):
    """A line of a story cannot be read or played; the words say why."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")


class UnknownLineError(WrongMoveError):
    """A line has none of the forms of a line of a story."""


@dataclass
class Script:
    """A story that was read: a cluster, and the moves in it, each with the number of its line.

    ``rule`` is the name of the changed rule. ``comments`` maps a number of moves to the comments after them, and -1 to
    those at the beginning. ``actors`` names the user's own actors. Reading a story imports nothing, so the user has to
    name them again.
    """

    sizes: dict[str, Any] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    rule: str | None = None
    actors: str = ""
    moves: list[tuple[int, Move]] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    has_ended: bool = False

    def cluster(self, model: Model) -> Model:
        """Return the model with the sizes and wishes of the story, and the attempts and restarts that it needs."""
        sizes = {"max_attempts": 1, "restarts": 0, **self.sizes}
        for size, kind, first in (("max_attempts", "timeout", 1), ("restarts", "restart", 0)):
            counts = Counter(move.actor for _, move in self.moves if move.kind == kind)
            sizes[size] = max([sizes[size], *(first + count for count in counts.values())])
        return replace(model, **sizes, wishes=tuple(self.wishes.values()))


def shipped() -> dict[str, bytes]:
    """Return the stories that come with the program, by name."""
    folder = files("toy_paxos").joinpath("stories")
    return {file.name.removesuffix(".txt"): file.read_bytes() for file in sorted(folder.iterdir(), key=str)}


def read_story(data: bytes, given: Mapping[str, int] = {}) -> Script:
    """Return the story in some bytes, with given sizes if it has none; raise StoryError for the first bad line."""
    if len(data) > MOST_BYTES:
        raise StoryError(1, f"a story has at most {MOST_BYTES:,} bytes")
    lines = data.decode("utf-8-sig", "backslashreplace").removesuffix("\n").split("\n")
    is_json = next((line for line in lines if line.strip()), "").startswith("{")
    read = read_object if is_json else read_line
    story = Script()
    for number, line in enumerate(lines, start=1):
        try:
            move = read(story, line.removesuffix("\r"))
        except (WrongMoveError, FormatError) as error:
            raise StoryError(number, str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise StoryError(number, f"not an event of a story: {shortened(line)}") from error
        if move:
            story.moves.append((number, move))
    try:
        story.sizes = {**given, **story.sizes}
        complete_sizes(story)
        complete_wishes(story)
    except WrongMoveError as error:
        raise StoryError(len(lines), str(error)) from error
    return story


# The limit on each size of a cluster; no option allows more.
MOST = 10_000


def named_in(move: Move) -> set[str]:
    """Return the names of the actors in a move."""
    names = {move.actor, move.unsent[1]}
    return names | {move.message.sender, move.message.recipient} if move.message else names


def complete_sizes(story: Script) -> None:
    """Take missing sizes from the names of the actors; raise WrongMoveError for impossible sizes."""
    names = {*story.wishes}.union(*(named_in(move) for _, move in story.moves))
    for kind in ("proposer", "acceptor"):
        numbers = [int(found[1]) for name in names if (found := re.fullmatch(rf"{kind}-(\d{{1,9}})", name))]
        if SIZES[kind] not in story.sizes and not numbers:
            raise WrongMoveError(f"no {kind} is named: type a line such as p0 -> a0 PREPARE 1")
        story.sizes.setdefault(SIZES[kind], max(numbers, default=0) + 1)
    check_sizes(story)
    try:
        Configuration.of(1, story.sizes["num_acceptors"], story.sizes.get("quorums"))
    except ValueError as error:
        raise WrongMoveError(str(error)) from error


def check_sizes(story: Script) -> None:
    """Raise WrongMoveError for a size that no cluster can have."""
    for size in (*SIZES.values(), "first_number"):
        least = 0 if size == "restarts" else 1
        if type(number := story.sizes.get(size, 1)) is not int or not least <= number <= MOST:
            raise WrongMoveError(f"the cluster has {shortened(number)} for {size}: choose {least} to {MOST:,}")


def complete_wishes(story: Script) -> None:
    """Put the wishes in the order of the proposers; raise WrongMoveError or StoryError if one is missing."""
    if not story.wishes and not story.moves:
        raise WrongMoveError("it has no round, no counterexample and no game")
    expected = [f"proposer-{at}" for at in range(story.sizes["num_proposers"])]
    if strangers := [name for name in story.wishes if name not in expected]:
        raise WrongMoveError(f"{strangers[0]} does not take part")
    if silent := [name for name in expected if name not in story.wishes]:
        last, wanted = expected[-1], f"add a line such as '{silent[0]} wants apple'"
        for line, move in story.moves:
            if last in named_in(move) and silent[0] != last:
                raise StoryError(line, f"this names {last}, so the story has {len(expected)} proposers; {wanted}")
        raise WrongMoveError(f"no line says what {silent[0]} wants: {wanted}")
    story.wishes = {name: story.wishes[name] for name in expected}


def play_story(story: Script, game: Game, make: Callable[[Move], object]) -> None:
    """Make all moves of a story in a game; raise StoryError for the first line that cannot be played."""
    for line, move in story.moves:
        try:
            make(move)
        except WrongMoveError as error:
            raise StoryError(line, why_not(game, error)) from error


# The limit on the number of messages that an error names.
SOME = 6


def why_not(game: Game, error: WrongMoveError) -> str:
    """Return why a move cannot be made; for a message that was not sent, list what its recipient can receive."""
    if not isinstance(error, NotSentError):
        return str(error)
    recipient = error.message.recipient
    others = [message_words(message) for _, message in game.in_flight() if message.recipient == recipient]
    named = "; ".join(others[:SOME]) or "nothing"
    more = "; ..." if len(others) > SOME else ""
    return f"this message was not sent: {message_words(error.message)}; in flight to {recipient}: {named}{more}"


# Lines


SECOND = "a second story begins here: give only one"


def begin_story(story: Script, heading: str) -> None:
    """Take the sizes from the first line of a run, a check or a game."""
    if story.sizes or story.wishes:
        raise WrongMoveError(SECOND)
    take_sizes(story, heading)


def begin_cluster(story: Script, words: str) -> None:
    """Take the sizes of the next cluster of a climb instead of those of the last one."""
    story.sizes.clear()
    take_sizes(story, words)


def take_sizes(story: Script, words: str) -> None:
    """Note the sizes of a cluster that the words name."""
    for number, noun in re.findall(r"([\d,]+) (proposer|acceptor|attempt|restart)s?\b", words):
        story.sizes[SIZES[noun]] = int(number.replace(",", ""))
    check_sizes(story)
    story.sizes["fail"] = "FAIL delivered" in words
    if found := re.search(r", quorums of (\d+) and (\d+)", words):
        story.sizes["quorums"] = int(found[1]), int(found[2])
    if found := re.search(r", numbers from (\d+)", words):
        story.sizes["first_number"] = int(found[1])


SIZES = {"proposer": "num_proposers", "acceptor": "num_acceptors", "attempt": "max_attempts", "restart": "restarts"}


def take_rule(story: Script, name: str) -> None:
    """Note the changed rule."""
    if name not in CHANGED_RULES:
        raise WrongMoveError(f"unknown rule {shortened(name)}")
    story.rule = name


def take_actors(story: Script, named: str) -> None:
    """Note the names of the user's own actors."""
    story.actors = named


def take_wish(story: Script, name: str, value: str) -> None:
    """Note a printed or typed wish."""
    note_wish(story, full_name(name), read_back(value))


def note_wish(story: Script, name: str, value: str) -> None:
    """Note what a proposer wants; raise WrongMoveError if that is known already."""
    if not value:
        raise WrongMoveError("a value must not be empty")
    if name in story.wishes:
        wanted = shortened(story.wishes[name])
        raise WrongMoveError(
            f"{name} already wants {wanted}; a story is one round: add --round K to the command that wrote it"
        )
    story.wishes[name] = value


def end_story(story: Script) -> None:
    """Skip the rest: figures and verdicts."""
    story.has_ended = True


def refuse_diagram(story: Script) -> None:
    """Raise WrongMoveError for a diagram."""
    raise WrongMoveError("this is a diagram; save the story without --diagram")


# The fate of a message, its type, its number, and either a value (of an actor's own type: all fields) or the proposal
# that was accepted before.
MESSAGE = re.compile(r"(?:(lost \(.*?\)|[a-z][^:]*): )?(\S+) +(\d+)(?: (.+)|, nothing accepted|, accepted (\d+) (.+))?")

# A promise as a diagram writes it.
DRAWN_PROMISE = re.compile(r"^((?:[a-z][^:]*: )?PROMISE +\d+) +\((\d+ .+)\)$")


def delivery(story: Script, sender: str, recipient: str, words: str) -> Move:
    """Return the move of a message that is delivered, fails or is lost."""
    found = MESSAGE.fullmatch(DRAWN_PROMISE.sub(r"\1, accepted \2", words))
    kind = BETWEEN_ACTORS.get(found[2]) if found else None
    is_own = found and not kind and found[4] and found[4].startswith("{")
    if not found or not (is_own or (kind and bool(found[4]) == (kind in VALUED))):
        raise WrongMoveError(f"not a message: {shortened(words)}; type one such as PREPARE 1 or PROPOSE 1 apple")
    marks, type, id, value, accepted_id, accepted = found.groups(default="")
    about = read_back(value or accepted) or None
    route = full_name(sender), full_name(recipient)
    fields = json.loads(about or "") if is_own else None
    message = message_of(type, *route, int(id), about, int(accepted_id) if accepted_id else None, fields)
    return move_of(marks.split(", "), message)


def move_of(marks: list[str], message: Message) -> Move:
    """Return the move that gives a message the fate in its marks."""
    return Move("drop" if marks[0].startswith("lost") else "fail" if "failed" in marks else "deliver", message)


def crash(story: Script, proposer: str, type: str | None, recipient: str | None) -> Move:
    """Return the move of a proposer that crashes, perhaps before it sends a certain message."""
    name = full_name(proposer)
    if name.startswith("acceptor"):
        raise WrongMoveError(f"only a proposer crashes for good; for an acceptor, type a line such as {name} restarts")
    return Move("crash", actor=name, unsent=(type or "", full_name(recipient or "")))


def other_move(story: Script, actor: str, does: str) -> Move:
    """Return the move of an actor that tries again, gives up or restarts."""
    return Move(DOES[does], actor=full_name(actor))


# The words of such a line after the name, and the kind of the move.
DOES: dict[str, Kind] = {"gives up": "give up", "tries again": "timeout", "restarts": "restart"}

NAME = r"((?:p|a|proposer-|acceptor-)\d{1,9})"


def full_name(text: str) -> str:
    """Return the full name of an actor: ``p0`` or ``P0`` for ``proposer-0``, ``a1`` for ``acceptor-1``."""
    text = text.lower()
    kinds = {"p": "proposer", "a": "acceptor"}
    return f"{kinds[text[0]]}-{text[1:]}" if text[:1] in kinds and text[1:].isdecimal() else text


# Each form of a line, and the function that reads it, or None to skip the line. The first form that matches counts.
FORMS: list[tuple[re.Pattern[str], Callable[..., Move | None] | None]] = [
    (re.compile(pattern), says)
    for pattern, says in (
        (r"(toy-paxos \S+(?: check| play)?: .*)", begin_story),
        (r"network: .*, ([\d,]+ attempts?)", take_sizes),
        (r"(?:VIOLATED|STUCK|ok|\?\?)  (\w.*)", begin_cluster),
        (r"Changed rule, (\S+): .*", take_rule),
        (r"Actors: (.*)", take_actors),
        (rf"(?:Round [\d,]+:)? *{NAME} +wants\b ?(.*)", take_wish),
        (rf"{NAME} *-> *{NAME} +(.*)", delivery),
        (rf"{NAME} +crashes(?: before (?:it can send )?(?:anything to anybody|(\S+) to (\S+)))?", crash),
        (rf"{NAME} +({'|'.join(DOES)})\b.*", other_move),
        (rf"{NAME} +(?:crashes, and loses|times out|has|adopts|learns|breaks|says)\b.*", None),
        (r"(?:CHOSEN|[A-Z]+ VIOLATED|Safety is lost|The game is won|To see it again|No replay)\b.*", None),
        (r"(?:[Rr]ound \d+: |\d+ of \d+ (?:promised|accepted), ).*", None),
        (r"(?:--- |VIOLATED: |SAFE |UNKNOWN: |NOT |ok   ).*", end_story),
        (r"[\d,]+ (?:states?|delivery|deliveries), .*", end_story),
        (r"(?:p0|p)(?: +[pa]\d*)+", refuse_diagram),
    )
]

# The text before an event: simulated time, the number of a delivery, or a margin.
BEFORE = re.compile(r"\s*(?:\d+(?:\.\d+ ms)? +(?=[paCSI]))?")


def read_line(story: Script, line: str) -> Move | None:
    """Return the move in a line of text, if any; raise WrongMoveError if it is not a line of a story."""
    if line.lstrip().startswith("#"):
        has_begun = story.sizes or story.wishes or story.moves
        story.comments.setdefault(len(story.moves) if has_begun else -1, []).append(line.lstrip())
        return None
    if not line.strip():
        return None
    if story.has_ended:
        if line.startswith("toy-paxos "):
            begin_story(story, line)
        return None
    # Blanks count only in printed values, and a printed story has a first line with sizes.
    words = BEFORE.sub("", line if story.sizes else " ".join(line.split()), count=1)
    for form, says in FORMS:
        if found := form.fullmatch(words):
            return says(story, *found.groups()) if says else None
    raise UnknownLineError(f"not a line of a story: {shortened(line)}; type one such as p0 -> a0 PREPARE 1")


# JSON Lines


def read_object(story: Script, line: str) -> Move | None:
    """Return the move in a line of JSON, if any; raise an error if it is not an event."""
    if not line.strip():
        return None
    told = json.loads(line)
    if told["event"] in ("start", "check", "cluster"):
        sizes_told(story, told)
        return None
    match event_of(told):
        case Wants() as event:
            note_wish(story, event.proposer, event.value)
        case Delivery(message=Timeout() | Restart() as message):
            return Move.of(message)
        case Delivery() as event:
            return move_of([event.fate, event.denial or ""], event.message)
        # A timeout is a move only if the proposer gives up; otherwise its TIMEOUT message is the move.
        case TimedOut(last=True) as event:
            return Move("give up", actor=event.proposer)
        case Crash() as event:
            return crash(story, event.proposer, event.unsent, event.recipient)
    return None


def sizes_told(story: Script, told: Mapping[str, Any]) -> None:
    """Note the sizes of a cluster, and the changed rule or the names of the user's own actors."""
    if told["event"] != "cluster":
        if story.sizes or story.wishes:
            raise WrongMoveError(SECOND)
        check_format(told.get("format", FORMAT))
    if "num_acceptors" in told:
        names = (*SIZES.values(), "fail", "first_number", "quorums")
        story.sizes = {"num_proposers": 1} | {name: told[name] for name in names if told.get(name) is not None}
        if "quorums" in story.sizes:
            promises, accepts = map(int, story.sizes["quorums"])
            story.sizes["quorums"] = promises, accepts
        check_sizes(story)
    if told.get("changed_rule"):
        take_rule(story, told["changed_rule"])
    elif told.get("actors"):
        take_actors(story, str(told["actors"]))
