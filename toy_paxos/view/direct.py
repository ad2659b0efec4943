"""Rounds of direct calls, told at little more than the price of joining lines.

What a view says of a delivery in such a round depends on the message and on its fate, not on what becomes of other
acceptors: whatever fails, each delivery has its place, and there are a dozen kinds of delivery to and from an acceptor.
So a view is asked once for each kind, by small rounds that are really told, and what it said is remembered.
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

# What stands for the number of a round, for its wish, and for each character in the name of an acceptor in what is
# remembered: neither occurs otherwise.
SOME_NUMBER, SOME_WISH, SOME_CHARACTER = 987_654_321_000, "\0", "\ue000"

# How many pieces other than deliveries are remembered at most.
MANY_PIECES = 2**10

# With so few acceptors the same requests fail again and again, and whole rounds are remembered.
FEW = 8

PROPOSER = "proposer-0"
WISHES = {PROPOSER: SOME_WISH}


class Deliveries(dict[tuple[object, ...], str]):
    """What a view says of each kind of delivery, whatever the number of the round and the wish.

    The key is the type of the message, the acceptor, and what else makes a difference: of a request, which requests to
    this acceptor have failed by then; of an answer, whether the proposer has learned by then.
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
        """Remember what is said of each kind of delivery to and from an acceptor of some name, however long that is."""
        others = ("first", "second")
        for failed in product((False, True), repeat=2):
            # Its answer to PROPOSE comes before the one that the proposer learns from, or after that.
            self.remember({name: failed, **dict.fromkeys(others, (False, False))})
            self.remember({**dict.fromkeys(others, (False, False)), name: failed})
            # The proposer gets no quorum of promises.
            self.remember({name: failed[:1], **dict.fromkeys(others, (True,))})

    def remember(self, failures: dict[str, tuple[bool, ...]]) -> None:
        """Remember what is said of each delivery in a round in which these requests fail."""
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
    """A view that remembers what another one says of direct calls; ``escaped`` is how that one writes a value."""

    def __init__(self, view: "InWords | JsonLines", escaped: Callable[[str], str]) -> None:
        self.view = view
        self.start = view.start
        self.summary = view.summary
        self.escaped = escaped
        self.deliveries: Deliveries | None = None
        self.others: dict[tuple[object, ...], str] = {}

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""
        if not isinstance(finished, DirectRound):
            return self.view.round(finished)
        if self.deliveries is None:
            # The first round may be the only one: to tell it takes less than to learn how such rounds are told.
            self.deliveries = Deliveries(self.view, finished.tell)
            return self.view.round(finished)
        failures = finished.failures.values()
        if len(failures) <= FEW:
            told = self.other("round", lambda: "".join(self.pieces(finished)), *map(tuple, failures))
        else:
            told = "".join(self.pieces(finished))
        (wish,) = finished.wishes.values()
        # Several times as fast as to replace one by the other, above all by what is not ASCII.
        told = str(finished.number).join(told.split(str(SOME_NUMBER)))
        return self.escaped(wish).join(told.split(self.escaped(SOME_WISH)))

    def pieces(self, finished: DirectRound) -> list[str]:
        """Return what is said of a round, piece by piece, whatever its number and its wish."""
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
        """Return what is said of an event that follows from a delivery, whatever the value."""
        return self.view.event(SOME_NUMBER, event if isinstance(event, Quorum) else replace(event, value=SOME_WISH))

    def other(self, kind: str, tell: Callable[[], str], *about: object) -> str:
        """Return a piece that is no delivery, told once as long as there are not too many."""
        key = kind, *about
        if key not in self.others:
            if len(self.others) >= MANY_PIECES:
                self.others.clear()
            self.others[key] = tell()
        return self.others[key]


def blank(finished: DirectRound) -> DirectRound:
    """The same round under some number, for some wish."""
    return replace(finished, number=SOME_NUMBER, wishes=WISHES)
