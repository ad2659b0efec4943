"""Rounds of direct calls, told at little more than the price of joining lines.

What a view says of a delivery in such a round depends on the message and on its fate, not on what becomes of other
acceptors: whatever fails, each delivery has its place, and there are a dozen kinds of delivery for each acceptor. So a
view is asked once for each kind, by rounds that are really told, and what it said is remembered.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from toy_paxos.event import Chosen, Delivery, Learned, Quorum, Wants
from toy_paxos.simulation import DirectRound, Round

if TYPE_CHECKING:
    from toy_paxos.command.json_lines import JsonLines
    from toy_paxos.command.views import InWords


# What stands for the number of a round and for its wish in what is remembered: neither occurs otherwise.
SOME_NUMBER, SOME_WISH = 987_654_321_000, "\0"

# How many pieces other than deliveries are remembered at most.
MANY_PIECES = 2**10

# With so few acceptors the same requests fail again and again, and whole rounds are remembered.
FEW = 8


class Remembering:
    """A view that remembers what another one says of direct calls; ``escaped`` is how that one writes a value."""

    def __init__(self, view: "InWords | JsonLines", escaped: Callable[[str], str]) -> None:
        self.view = view
        self.start = view.start
        self.summary = view.summary
        self.escaped = escaped
        # By type, acceptor, and what else makes a difference: of a request to it, which ones have failed by then; of an
        # answer, whether the value is learned by then.
        self.deliveries: dict[tuple[object, ...], str] = {}
        self.others: dict[tuple[object, ...], str] = {}

    def round(self, finished: Round) -> str:
        """Return what to write of one round."""
        if not isinstance(finished, DirectRound):
            return self.view.round(finished)
        failures = finished.failures.values()
        if len(failures) <= FEW:
            told = self.other("round", lambda: self.tell(finished), *map(tuple, failures))
        else:
            told = self.tell(finished)
        (wish,) = finished.wishes.values()
        return told.replace(str(SOME_NUMBER), str(finished.number)).replace(self.escaped(SOME_WISH), self.escaped(wish))

    def tell(self, finished: DirectRound) -> str:
        """Return what is said of a round, whatever its number and its wish."""
        try:
            return "".join(self.pieces(finished))
        except KeyError:
            self.learn(blank(finished))
            return "".join(self.pieces(finished))

    def learn(self, finished: DirectRound) -> None:
        """Remember what is said of each delivery in a round."""
        for event in finished.events:
            if isinstance(event, Delivery):
                message = event.message
                if message.recipient in finished.wishes:
                    key: tuple[object, ...] = (message.type, message.sender, event.learned is not None)
                else:
                    failed = finished.failures[message.recipient]
                    key = (message.type, message.recipient, *(failed[:1] if message.type == "PREPARE" else failed))
                self.deliveries[key] = self.view.event(finished.number, event)

    def pieces(self, finished: DirectRound) -> list[str]:
        """Return what is said of a round, piece by piece; raise KeyError for a kind of delivery that is new."""
        told, failures, number = self.deliveries, finished.failures.items(), len(finished.failures)
        quorum, chosen, learned = finished.follows()
        promised, accepted = finished.promised, finished.accepted
        promises, accepts = sum(promised), sum(accepted)
        (proposer,) = finished.wishes
        pieces = [
            self.other("heading", lambda: self.view.heading(blank(finished))),
            self.other("wants", lambda: self.view.event(SOME_NUMBER, Wants(0, proposer, SOME_WISH))),
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
    return replace(finished, number=SOME_NUMBER, wishes=dict.fromkeys(finished.wishes, SOME_WISH))
