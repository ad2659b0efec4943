"""Errors that say in one line why an actor cannot be checked, and where: the file and line, if they are known."""

import inspect
import os
from collections.abc import Iterator
from functools import cache
from types import FrameType
from typing import Any

from toy_paxos.checking.model import CheckError
from toy_paxos.message import Message
from toy_paxos.message_like import AnswerError

OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
LIBRARY = os.path.join(os.path.dirname(os.__file__), "")


class InterruptedActorError(Exception):
    """KeyboardInterrupt was raised in the code of an actor: unlike after a CheckError, no search goes on."""

    names_its_place = True


def refusal(words: str, *kinds: object, error: BaseException | None = None) -> CheckError:
    """Return an error with these words and the place at which ``error`` was raised, or else a class is defined."""
    words = " ".join(words.split())
    if kinds and (program := program_of(kinds[0])):
        return CheckError(f"{words} ({program.last_words()})")
    known = [defined_at(kind) for kind in kinds]
    places = [*(raised_at(error) if error else ()), *filter(None, known)]
    ours = [place for place in places if place[0].startswith(OURS)]
    # If the place of one of these classes is not known, do not blame ours.
    at = next((place for place in places if place not in ours), ours[0] if ours and None not in known else None)
    return CheckError(words + (f" ({os.path.basename(at[0])}, line {at[1]})" if at else ""))


def failure(words: str, error: BaseException, *kinds: object) -> CheckError | InterruptedActorError:
    """Return an error that says what was raised, and where."""
    if isinstance(error, KeyboardInterrupt):
        return InterruptedActorError(str(refusal(f"{words}: KeyboardInterrupt", *kinds, error=error)))
    if isinstance(error, CheckError) or getattr(error, "names_its_place", False):
        return CheckError(f"{words}: {error}")
    if isinstance(error, AnswerError):
        return refusal(f"{words}: {error}", *kinds, error=error)
    try:
        said = str(error)
    except BaseException:
        said = ""
    if isinstance(error, AttributeError) and error.name == "name" and type(error.obj) in kinds:
        said += "; set self.name = name, which the tool reads"
    return refusal(f"{words}: {type(error).__name__}{': ' if said else ''}{said}", *kinds, error=error)


def failure_at(message: Message, error: BaseException, *kinds: object) -> CheckError | InterruptedActorError:
    """Return an error that says what was raised on receiving a message, and where."""
    return failure(f"on receiving {described(message)}", error, *kinds)


def needs_learned(proposer: str) -> str:
    """Return the words for a proposer without a correct attribute ``learned``."""
    return f"{proposer} needs an attribute 'learned', None or the text of a value"


def described(message: Message) -> str:
    """Return the type, number, sender and recipient of a message in words."""
    return f"{message.type} {message.id} from {message.sender} to {message.recipient}"


def program_of(kind: object) -> Any:
    """Return the program that a class of actors adapts (:mod:`toy_paxos.adapt`), or None if it is a Python class."""
    behind = getattr(kind, "__adapts__", None)
    return None if isinstance(behind, type) else behind


def raised_at(error: BaseException) -> Iterator[tuple[str, int]]:
    """Yield the last place in the traceback of an error that is neither in this program nor in Python's library."""
    # Imported here, because only errors need it.
    from traceback import walk_tb

    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    yield from [place for place in places if is_of_the_user(place[0])][-1:]


def is_of_the_user(file: str) -> bool:
    """Return whether a file is part of the user's code."""
    in_library = file.startswith(LIBRARY) and "site-packages" not in file
    return not file.startswith((OURS, "<")) and not in_library


def call_of_user(frame: FrameType | None) -> FrameType | None:
    """Return the call of a function of the user's that this program has made, and that runs in a frame, if any."""
    call = None
    while frame and not frame.f_code.co_filename.startswith(OURS):
        call = frame if is_of_the_user(frame.f_code.co_filename) else call
        frame = frame.f_back
    return call


def defined_at(kind: object) -> tuple[str, int] | None:
    """Return where a class, or a function that makes actors, is defined, or None if that is unknown."""
    try:
        return place_in_source(getattr(kind, "__adapts__", kind))
    except (OSError, TypeError):
        return None


@cache
def place_in_source(kind: Any) -> tuple[str, int]:
    """Return the file and the line of a definition; cached, because it is slow and may be needed thousands of times."""
    return inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
