"""The conditions under which a statement breaks a rule, for a program that does not know the rules.

:mod:`toy_paxos.rules` judges a statement by what its actor has heard and said before. All rules have one form: a rule
is broken after certain messages, or unless one of certain sets of messages was heard. These are found by evaluating the
rule itself. For example, if acceptor-0 says ACCEPT 1 apple, it breaks A4

    after it has said PROMISE 2, nothing accepted; and unless it has heard PROPOSE 1 apple
"""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from math import comb
from typing import NamedTuple

from toy_paxos.message import Message, Prepare, Propose
from toy_paxos.rules import RULES, History, Statement, statement
from toy_paxos.story import Configuration

# The limit on the sets of messages that are tried for one statement; above it, its rules are not judged.
MOST_SETS = 5_000


class Condition(NamedTuple):
    """A rule that a statement breaks after any message in ``after``, or if no set in ``unless`` was heard."""

    rule: str
    after: list[int]
    unless: list[tuple[int, ...]]


def conditions(
    configuration: Configuration, wishes: Sequence[str], messages: Sequence[Message], said: Statement | None
) -> Iterator[Condition]:
    """Yield a condition for each rule that a statement may break, in the order of the rules."""
    if not said:
        return
    known = {number: one for number, each in enumerate(messages) if (one := statement(each))}
    heard = {number: one for number, one in known.items() if one.recipient == said.sender}
    most = max(configuration.promise_quorum, configuration.accept_quorum)
    if comb(len(heard), most) > MOST_SETS:
        return
    wish = dict(zip(configuration.proposers, wishes, strict=True)).get(said.sender)
    nothing = History(said.sender, configuration, {}, wish)
    everything = nothing._replace(heard=frozenset(heard.values()))
    for rule in RULES:
        if said.kind in rule.about:
            if rule.broken(everything, said):
                yield Condition(rule.name, [], [])
                continue
            after = [number for number, one in known.items() if rule.broken(later(everything, one), said)]
            unless: list[tuple[int, ...]] = []
            for some in chain.from_iterable(combinations(heard, size) for size in range(most + 1)):
                if not any(set(fewer).issubset(some) for fewer in unless):
                    history = nothing._replace(heard=frozenset(heard[number] for number in some))
                    unless += [] if rule.broken(history, said) else [some]
            if after or unless != [()]:
                yield Condition(rule.name, after, unless)


def later(history: History, before: Statement) -> History:
    """Return the history after one more statement, by this actor or by another."""
    if before.sender == history.name:
        return history._replace(may_have_said=frozenset([before]))
    return history._replace(users={before.id: before.sender} if before.kind in (Prepare, Propose) else {})
