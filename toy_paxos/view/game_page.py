"""A game of Paxos as a page.

Its actors are tables (:mod:`toy_paxos.checking.tables`). The script, ``game.js``, looks up what they do.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from toy_paxos.message import Accept, Message, Prepare, Propose
from toy_paxos.story import Configuration
from toy_paxos.view.document import document
from toy_paxos.view.output import DrawingError
from toy_paxos.view.rows import spoken
from toy_paxos.view.words import message_words

# The limit on the size of a page: a larger one is slow to open on a phone, and its game is too complex to play.
MOST_BYTES = 400_000


def game_page(configuration: Configuration, messages: Sequence[Message], title: str, others: str, **more: Any) -> str:
    """Return the page under its title; it names ``others``, and ``more`` is further data for the script.

    Raise DrawingError if the page is too large.
    """
    positions = {name: at for at, name in enumerate(configuration.names)}
    data = {
        "names": configuration.names,
        "numProposers": len(configuration.proposers),
        "quorum": configuration.accept_quorum,
        "messages": [message_told(message, positions) for message in messages],
        "choosable": [*dict.fromkeys((each.id, each.value) for each in messages if isinstance(each, Accept))],
        **more,
    }
    script = files("toy_paxos.view").joinpath("game.js").read_text(encoding="utf-8")
    page = document("game.html", escape(title), data, script=script, others=escape(others))
    if (size := len(page.encode("utf-8", "backslashreplace"))) > MOST_BYTES:
        words = f"the page would have {size:,} bytes, and a page has at most {MOST_BYTES:,}"
        raise DrawingError(f"{words}: choose fewer acceptors, proposers, attempts or restarts")
    return page


# A message of the environment: the words on its button, and what its recipient does.
ENVIRONMENT = {"TIMEOUT": ("⏱ timeout", "tries again"), "RESTART": ("↻ restart", "restarts")}


def message_told(message: Message, positions: Mapping[str, int]) -> dict[str, Any]:
    """Return the data of a message for the script, with its words, its delivery in words, and its line in a story."""
    words, does = ENVIRONMENT.get(message.type, (spoken(message)[0], ""))
    line = f"{message.recipient} {does}" if does else message_words(message)
    return {
        "type": message.type,
        "sender": message.sender,
        "to": positions[message.recipient],
        "id": message.id,
        "value": getattr(message, "value", None),
        "isEnvironment": bool(does),
        "isRequest": isinstance(message, (Prepare, Propose)),
        "words": words,
        "told": line if does else f"{message.recipient} receives {words} from {message.sender}",
        "line": line,
    }
