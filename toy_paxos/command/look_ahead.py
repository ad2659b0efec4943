"""What can still happen in a game, in words: the checker searches from the current state of the game."""

from dataclasses import replace

from toy_paxos.checking import CheckError, Game, InterruptedActorError, Model, Move, Prospect, WrongMoveError, prospect
from toy_paxos.command.guard import guard_user_code
from toy_paxos.command.process import Progress, interruptible
from toy_paxos.event import Chosen, learned_by, plural
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.safety import ALWAYS
from toy_paxos.view.verdict import cluster_words
from toy_paxos.view.words import message_words, printable

# The limit on the states of a search. It is not a time, so that the result is the same on all machines.
FEW_STATES = 20_000

# The limit on the actors of a kind, as in a check.
MOST_SEARCHED = 9


class NotFoundOutError(WrongMoveError):
    """A search ended early without a result; the words say why."""


def standing(game: Game) -> str:
    """Return what is chosen, and which proposers have learned it."""
    chosen = ", ".join(printable(event.value) for event in game.events if isinstance(event, Chosen))
    learned = ", ".join(name for name in game.proposers if learned_by(game.actors[name]) is not None)
    return f"chosen: {chosen or 'nothing'}; learned: {learned or 'none'}"


def goal(model: Model) -> str:
    """Return what a game is meant to violate: safety, or the properties that a changed rule is meant to lose."""
    return "safety" if model.properties == ALWAYS else ", ".join(repr(each.name) for each in model.properties)


def possibilities(game: Game) -> str:
    """Return the distance to the goal, or else the values that can still be chosen; raise NotFoundOutError."""
    found = look_ahead(game)
    if found.execution:
        return f"safety can be violated in {plural(len(found.execution), 'delivery')}"
    values = ", ".join(map(printable, found.values)) or "nothing"
    return f"can still be chosen, if no FAIL arrives: {values}{' only' if len(found.values) == 1 else ''}"


def hint(game: Game) -> tuple[str, Move | None]:
    """Return a hint in words, and the move that it names: the next one of a shortest way to the goal, if there is one.

    Raises NotFoundOutError.
    """
    if game.violation:
        return "safety is already violated", None
    found = look_ahead(game)
    if found.execution:
        typed, left = as_typed(game, found.execution[0]), plural(len(found.execution), "delivery")
        words = f"type {typed} (safety can be violated in {left} from here); Enter makes this move"
        return words, Move.of(found.execution[0])
    stopped = "; proposers that have crashed or given up do nothing more" if game.stopped else ""
    sizes = cluster_words(replace(game.model, fail=False).sizes)
    return f"{goal(game.model)} cannot be violated from here, for {sizes}, FAIL never delivered{stopped}", None


def as_typed(game: Game, message: Message) -> str:
    """Return the command that delivers a message."""
    if isinstance(message, (Timeout, Restart)):
        kind, _, number = message.recipient.rpartition("-")
        return f"{message.type.lower()} {kind[0]}{number}"
    return f"{game.said.index(game.find(message)) + 1}: {message_words(message)}"


def look_ahead(game: Game) -> Prospect:
    """Return what the checker finds from here on; raise NotFoundOutError if it ends early without a result."""
    # Delivering FAIL would give too many states.
    model = replace(game.model, fail=False)
    if max(model.num_acceptors, model.num_proposers) > MOST_SEARCHED:
        raise NotFoundOutError(f"not found out: the checker takes at most {MOST_SEARCHED} actors of a kind")
    progress = Progress()

    def keep_going(states: int, depth: int) -> bool:
        progress.show(lambda: f"Ctrl-C ends the search: {plural(states, 'state')}, {plural(depth, 'delivery')} ahead")
        return True

    try:
        with interruptible(), guard_user_code():
            found = prospect(model, game.past, game.stopped, FEW_STATES, keep_going)
    except (KeyboardInterrupt, InterruptedActorError) as error:
        raise NotFoundOutError("not found out: the search was ended") from error
    except CheckError as error:
        raise NotFoundOutError(f"not found out: the checker refuses the actors: {error}") from error
    finally:
        progress.erase()
    if not found.execution and not found.complete:
        raise NotFoundOutError(f"not found out within {plural(FEW_STATES, 'state')}")
    return found
