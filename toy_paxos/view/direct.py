"""A cache for the text of direct calls, so that a round costs little more than joining strings.

The text of a delivery in such a round depends on the message and its fate, but not on what happens to other acceptors.
Each acceptor has about a dozen kinds of delivery. The view is asked once for each kind, in small sample rounds, and its
text is cached. For example, the text of a PREPARE to acceptor-3 that fails is the same in every round, except for the
number of the round and the wish, for which the cached text has placeholders.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from toy_paxos.event import Chosen, Delivery, Event, Learned, Quorum, Wants
from toy_paxos.round import DirectRound, Round
from toy_paxos.view.run_words import InWords

if TYPE_CHECKING:
    from toy_paxos.view.json_lines import JsonLines

# Placeholders in cached text for the number of a round, its wish, and each character in the name of an acceptor. No
# other text contains them.
SOME_NUMBER, SOME_WISH, SOME_CHARACTER = 987_654_321_000, "\0", "\ue000"

# The maximum number of cached pieces other than deliveries.
MANY_PIECES = 2**10

# Up to this number of acceptors whole rounds are cached, because the same requests often fail together.
FEW = 8

PROPOSER = "proposer-0"
WISHES = {PROPOSER: SOME_WISH}


class Deliveries(dict[tuple[object, ...], str]):
    """The text of each kind of delivery, with placeholders for the number of the round and the wish.

    The key is the type of the message, the acceptor, and what else makes a difference: for a request, which requests to
    this acceptor have failed so far; for an answer, whether the proposer has learned a value by then.
    """

    def __init__(self, view: "InWords | JsonLines", tell: Callable[..., Sequence[Event]]) -> None:
        super().__init__()
        self.view = view
        self.tell = tell

    def __missing__(self, key: tuple[object, ...]) -> str:
        type, name, *about = key
        some_name = SOME_CHARACTER * len(str(name))
        if name == some_name:
            self.learn(some_name)
            return self[key]
        self[key] = words = self[type, some_name, *about].replace(some_name, str(name))
        return words

    def learn(self, name: str) -> None:
        """Cache the text of each kind of delivery to and from an acceptor with this name."""
        others = ("first", "second")
        for failed in product((False, True), repeat=2):
            # The proposer learns from a later answer to PROPOSE than this acceptor's, or from an earlier one.
            self.remember({name: failed, **dict.fromkeys(others, (False, False))})
            self.remember({**dict.fromkeys(others, (False, False)), name: failed})
            # The proposer gets no quorum of promises.
            self.remember({name: failed[:1], **dict.fromkeys(others, (True,))})

    def remember(self, failures: dict[str, tuple[bool, ...]]) -> None:
        """Cache the text of each delivery in a round in which these requests fail."""
        for event in self.tell(failures, WISHES):
            if isinstance(event, Delivery):
                message = event.message
                if message.recipient in failures:
                    failed = failures[message.recipient]
                    key = message.type, message.recipient, *(failed[:1] if message.type == "PREPARE" else failed)
                else:
                    key = message.type, message.sender, event.learned is not None
                self[key] = self.view.event(SOME_NUMBER, event)


class Remembering:
    """A view that caches the text of another view for direct calls; ``escaped`` is how that view writes a value."""

    def __init__(self, view: "InWords | JsonLines", escaped: Callable[[str], str]) -> None:
        self.view = view
        self.start = view.start
        self.summary = view.summary
        self.escaped = escaped
        self.deliveries: Deliveries | None = None
        self.others: dict[tuple[object, ...], str] = {}

    def round(self, finished: Round) -> str:
        """Return the text of one round."""
        if not isinstance(finished, DirectRound):
            return self.view.round(finished)
        if self.deliveries is None:
            # The first round may be the only one, and the sample rounds would cost more than its text.
            self.deliveries = Deliveries(self.view, finished.tell)
            return self.view.round(finished)
        failures = finished.failures.values()
        if len(failures) <= FEW:
            told = self.other("round", lambda: "".join(self.pieces(finished)), *map(tuple, failures))
        else:
            told = "".join(self.pieces(finished))
        (wish,) = finished.wishes.values()
        # Splitting and joining is several times as fast as str.replace, above all with text that is not ASCII.
        told = str(finished.number).join(told.split(str(SOME_NUMBER)))
        return self.escaped(wish).join(told.split(self.escaped(SOME_WISH)))

    def pieces(self, finished: DirectRound) -> list[str]:
        """Return the text of a round in pieces, with placeholders for its number and its wish."""
        told = self.deliveries
        assert told is not None
        failures, number = finished.failures.items(), len(finished.failures)
        quorum, chosen, learned = finished.follows()
        promised, accepted = finished.promised, finished.accepted
        promises, accepts = sum(promised), sum(accepted)
        pieces = [
            self.other("heading", lambda: self.view.heading(blank(finished))),
            self.other("wants", lambda: self.view.event(SOME_NUMBER, Wants(0, PROPOSER, SOME_WISH))),
            *[told["PREPARE", name, failed[0]] for name, failed in failures],
            *[told["FAIL" if failed[0] else "PROMISE", name, False] for name, failed in failures],
        ]
        if quorum:
            pieces.insert(int(quorum.time) + 2, self.follow(quorum))
        pieces.append(self.other("promised", lambda: self.view.tally(blank(finished), "promised"), promises))
        if not quorum:
            pieces += [told["TERMINATE", name, *failed] for name, failed in failures]
        else:
            requests = [told["PROPOSE", name, *failed] for name, failed in failures]
            learned_at = int(learned.time) - 3 * number if learned else number + 1
            answers = [
                told["ACCEPT" if has_accepted else "FAIL", name, place >= learned_at]
                for place, (name, has_accepted) in enumerate(zip(finished.failures, accepted, strict=True), start=1)
            ]
            if chosen and learned:
                requests.insert(learned_at, self.follow(chosen))
                answers.insert(learned_at, self.follow(learned))
            pieces += requests
            pieces += answers
            pieces.append(self.other("accepted", lambda: self.view.tally(blank(finished), "accepted"), accepts))
        pieces.append(self.other("ending", lambda: self.view.ending(blank(finished)), promises, accepts))
        return pieces

    def follow(self, event: Quorum | Chosen | Learned) -> str:
        """Return the text of an event that follows from a delivery, with a placeholder for the value."""
        return self.view.event(SOME_NUMBER, event if isinstance(event, Quorum) else replace(event, value=SOME_WISH))

    def other(self, kind: str, tell: Callable[[], str], *about: object) -> str:
        """Return a piece other than a delivery from the cache, which is cleared when it is full."""
        key = kind, *about
        if key not in self.others:
            if len(self.others) >= MANY_PIECES:
                self.others.clear()
            self.others[key] = tell()
        return self.others[key]


def blank(finished: DirectRound) -> DirectRound:
    """Return the round with placeholders for its number and its wish."""
    return replace(finished, number=SOME_NUMBER, wishes=WISHES)
