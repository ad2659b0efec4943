"""What can still happen in a game, in words: the checker searches from where the game stands."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple, TypeVar

from toy_paxos.checking import CheckError, Game, Model, Move, Prospect, WrongMoveError, check, prospect
from toy_paxos.checking.game import Kind
from toy_paxos.command.process import Progress, interruptible, user_output_to_stderr
from toy_paxos.event import Chosen, learned_by
from toy_paxos.message import Message, Restart, Timeout
from toy_paxos.safety import ALWAYS
from toy_paxos.view.verdict import deliveries, sizes_words
from toy_paxos.view.words import message_words, plural, printable

# After so many states a search ends: always the same number, whatever the machine.
FEW_STATES = 20_000

# As many actors of a kind as a check takes.
MOST_SEARCHED = 9

T = TypeVar("T")


class NotFoundOutError(WrongMoveError):
    """A search has found nothing, and came to no end; the words say why."""


def standing(game: Game) -> str:
    """What is chosen, and who has learned."""
    chosen = ", ".join(printable(event.value) for event in game.events if isinstance(event, Chosen))
    learned = ", ".join(name for name in game.proposers if learned_by(game.actors[name]) is not None)
    return f"chosen: {chosen or 'nothing'}; learned: {learned or 'nobody'}"


def aim(model: Model) -> tuple[str, str]:
    """What can happen to what: safety can be lost, or a game be won that is about one property alone."""
    return ("safety", "lost") if model.properties == ALWAYS else ("the game", "won")


def possibilities(game: Game) -> str:
    """In how many deliveries the aim can be reached, or else what can still be chosen; raises NotFoundOutError."""
    found = look_ahead(game)
    if found.execution:
        what, done = aim(game.model)
        return f"{what} can be {done} in {deliveries(len(found.execution))}"
    values = ", ".join(map(printable, found.values)) or "nothing"
    return f"can still be chosen, if no FAIL arrives: {values}{' only' if len(found.values) == 1 else ''}"


class Hint(NamedTuple):
    """What to do next, in words, and as a move if there is one."""

    words: str
    move: Move | None = None


def hint(game: Game) -> Hint:
    """The next move of a shortest way to reach the aim, or that there is none; raises NotFoundOutError."""
    what, done = aim(game.model)
    if game.violation:
        return Hint(f"{what} is {done} already")
    found = look_ahead(game)
    if found.execution:
        typed, move = as_typed(game, found.execution[0])
        left = deliveries(len(found.execution))
        return Hint(f"type {typed} ({what} can be {done} in {left} from here); Enter makes this move", move)
    stopped = "; proposers that have crashed or given up do nothing more" if game.stopped else ""
    model = without_fail(game.model)
    return Hint(f"{what} cannot be {done} from here, for {sizes_words(model.sizes)}, FAIL never delivered{stopped}")


def as_typed(game: Game, message: Message) -> tuple[str, Move]:
    """What to type to have a message delivered, and the move that it is."""
    if isinstance(message, (Timeout, Restart)):
        kind, _, number = message.recipient.rpartition("-")
        does: Kind = "timeout" if isinstance(message, Timeout) else "restart"
        return f"{does} {kind[0]}{number}", Move(does, actor=message.recipient)
    return f"{game.said.index(game.find(message)) + 1}: {message_words(message)}", Move("deliver", message)


def look_ahead(game: Game) -> Prospect:
    """What the checker finds from here on; raises NotFoundOutError if that is neither a loss nor everything."""
    model = without_fail(game.model)
    if max(model.num_acceptors, model.num_proposers) > MOST_SEARCHED:
        raise NotFoundOutError(f"not found out: the checker takes {MOST_SEARCHED} actors of a kind at most")
    found = searched(lambda keep_going: prospect(model, game.past, game.stopped, FEW_STATES, keep_going))
    if not found.execution and not found.complete:
        raise NotFoundOutError(f"not found out within {plural(FEW_STATES, 'state')}")
    return found


def without_fail(model: Model) -> Model:
    """The model that is searched: with FAIL there would be too many states."""
    return replace(model, fail=False)


@cache
def shortest_way(model: Model) -> int | None:
    """How many deliveries it takes at least to lose safety, from the start, if that can be found out."""
    try:
        return len(searched(lambda keep_going: check(model, FEW_STATES, keep_going)).execution) or None
    except NotFoundOutError:
        return None


def searched(search: Callable[[Callable[[int, int], bool]], T]) -> T:
    """What a search finds, which shows that it goes on.

    Raises NotFoundOutError if the checker refuses the actors, or if Ctrl-C ends the search.
    """
    progress = Progress()

    def keep_going(states: int, depth: int) -> bool:
        progress.show(lambda: f"Ctrl-C ends the search: {plural(states, 'state')}, {deliveries(depth)} ahead")
        return True

    try:
        with interruptible(), user_output_to_stderr():
            return search(keep_going)
    except KeyboardInterrupt as error:
        raise NotFoundOutError("not found out: the search was ended") from error
    except CheckError as error:
        # What Ctrl-C interrupts within an actor comes out as that, too.
        was_ended = isinstance(error.__cause__, KeyboardInterrupt)
        words = "the search was ended" if was_ended else f"the checker refuses the actors: {error}"
        raise NotFoundOutError(f"not found out: {words}") from error
    finally:
        progress.erase()
