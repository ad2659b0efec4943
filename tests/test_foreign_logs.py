"""Logs that other programs write are judged by what they say: fifty faults, and nothing is claimed that is not known.

Nothing here uses our code to write: the lines are those of the page on the format.
"""

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import RunHere

Logs = dict[str, list[dict[str, Any]]]
"""The lines of each process."""

Fault = Callable[[Logs], object]


def say(type: str, sender: str, recipient: str, id: int, **more: Any) -> dict[str, Any]:
    """Return a message."""
    return {"type": type, "sender": sender, "recipient": recipient, "id": id} | more


def correct() -> Logs:
    """Return the logs of a round: apple is chosen under 1 by two of three acceptors, then proposer-1 learns of it."""
    logs: Logs = {
        name: [{"event": "start", "format": 2, "process": name}]
        for name in ("proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2")
    }
    sizes = {"run": 7, "num_proposers": 2, "num_acceptors": 3}
    for at in range(2):
        logs[f"proposer-{at}"][0] |= sizes

    def tell(name: str, event: str, **keys: Any) -> None:
        logs[name].append({"event": event, "run": 7, "round": 1, **keys})

    def hear(message: dict[str, Any], *answers: dict[str, Any], **after: Any) -> None:
        tell(message["recipient"], "message", **message, answers=[*answers], after=after or None)

    for at, (id, value, report, names) in enumerate(
        [
            (1, "apple", {}, ["acceptor-0", "acceptor-1"]),
            (2, "pear", {"value": "apple", "accepted_id": 1}, ["acceptor-1", "acceptor-2"]),
        ]
    ):
        me = f"proposer-{at}"
        prepares = [say("PREPARE", me, name, id) for name in names]
        tell(me, "wants", proposer=me, value=value, says=prepares)
        proposes = [say("PROPOSE", me, name, id, value="apple") for name in names]
        for count, prepare in enumerate(prepares):
            name = prepare["recipient"]
            reported = report if name == "acceptor-1" else {}
            promise = say("PROMISE", name, me, id, **reported)
            held = {"accepted_id": 1, "accepted_value": "apple"} if reported else {}
            hear(prepare, promise, promised=id, **held)
            hear(promise, *proposes * (count == 1))
        for count, propose in enumerate(proposes):
            accept = say("ACCEPT", propose["recipient"], me, id, value="apple")
            hear(propose, accept, promised=id, accepted_id=id, accepted_value="apple")
            hear(accept, **({"learned": "apple"} if count else {}))
    return logs


def line_of(logs: Logs, name: str, type: str, id: int) -> dict[str, Any]:
    """Return the line in which a process hears a message."""
    return next(line for line in logs[name] if line.get("type") == type and line["id"] == id)


def change(name: str, type: str, id: int, keys: dict[str, Any], answer: bool = False) -> Fault:
    """Let a process tell something else of what it heard, or of what it answered."""

    def fault(logs: Logs) -> None:
        line = line_of(logs, name, type, id)
        (line["answers"][0] if answer else line).update(keys)

    return fault


def drop(name: str, type: str, id: int) -> Fault:
    """Let a line be missing."""

    def fault(logs: Logs) -> None:
        logs[name].remove(line_of(logs, name, type, id))

    return fault


def cut(name: str, lines: int) -> Fault:
    """Let a log end after some lines."""

    def fault(logs: Logs) -> None:
        del logs[name][lines:]

    return fault


def swap(name: str, one: int, other: int) -> Fault:
    """Let two lines change places."""

    def fault(logs: Logs) -> None:
        lines = logs[name]
        lines[one], lines[other] = lines[other], lines[one]

    return fault


def lose(*names: str) -> Fault:
    """Let logs be missing."""

    def fault(logs: Logs) -> None:
        for name in names:
            del logs[name]

    return fault


def repeat(name: str, type: str, id: int) -> Fault:
    """Let a process hear something twice."""

    def fault(logs: Logs) -> None:
        line = line_of(logs, name, type, id)
        logs[name].insert(logs[name].index(line), dict(line))

    return fault


def exchange(one: str, other: str) -> Fault:
    """Let each of two processes have the events of the other."""

    def fault(logs: Logs) -> None:
        logs[one][1:], logs[other][1:] = logs[other][1:], logs[one][1:]

    return fault


def in_each(name: str, **keys: Any) -> Fault:
    """Let all lines of a process say something else."""

    def fault(logs: Logs) -> None:
        for line in logs[name]:
            line.update({key: value for key, value in keys.items() if key in line})

    return fault


def forget(name: str) -> Fault:
    """Let an acceptor that has only told its answers restart, and then refuse a request with an empty memory."""

    def fault(logs: Logs) -> None:
        for line in logs[name]:
            line.pop("after", None)
        start, request = logs[name][:2]
        held = {"promised": 0, "accepted_id": None, "accepted_value": None}
        logs[name] += [start, {**request, "answers": [], "denial": "refused", "after": held}]

    return fault


def of_another_run(name: str) -> Fault:
    """Let a process tell of another run."""
    return in_each(name, run=8)


NOTHING, VALUE = {"value": None, "accepted_id": None}, {"value": "pear"}

# Each fault, and how verify ends: 2 for what cannot be judged, 3 for a violation or a broken rule, 4 for a gap.
FAULTS: dict[str, tuple[Fault, int]] = {
    # Truncated
    **{
        f"{name} ends after {lines} lines": (cut(name, lines), 4)
        for name in ("proposer-0", "proposer-1")
        for lines in (1, 2, 3)
    },
    "proposer-0 does not tell its last line": (cut("proposer-0", 5), 0),
    **{f"acceptor-1 ends after {lines} lines": (cut("acceptor-1", lines), 4) for lines in (1, 2, 3, 4)},
    "acceptor-2 ends after the promise": (cut("acceptor-2", 2), 4),
    "acceptor-0 does not begin": (drop("acceptor-0", "PREPARE", 1), 4),
    "acceptor-1 has lost what it accepted": (drop("acceptor-1", "PROPOSE", 1), 4),
    "proposer-1 has lost its wish": (lambda logs: logs["proposer-1"].pop(1), 4),
    "proposer-0 has lost a promise": (drop("proposer-0", "PROMISE", 1), 4),
    "proposer-0 has lost an acceptance": (drop("proposer-0", "ACCEPT", 1), 4),
    **{
        f"no log of {name}": (lose(name), 4)
        for name in ("proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2")
    },
    "only acceptors": (lose("proposer-0", "proposer-1"), 2),
    "only proposers": (lose("acceptor-0", "acceptor-1", "acceptor-2"), 4),
    # Reordered
    "acceptor-1 accepts 1 after it promised 2": (swap("acceptor-1", 2, 3), 4),
    "acceptor-0 accepts before it promises": (swap("acceptor-0", 1, 2), 2),
    "proposer-0 begins last": (swap("proposer-0", 1, 5), 2),
    "proposer-0 proposes after one promise": (swap("proposer-0", 2, 3), 4),
    "acceptor-2 in reverse": (swap("acceptor-2", 1, 2), 2),
    "acceptor-1 in reverse": (swap("acceptor-1", 1, 4), 2),
    # Mixed
    "two acceptors are exchanged": (exchange("acceptor-0", "acceptor-2"), 2),
    "two proposers are exchanged": (exchange("proposer-0", "proposer-1"), 2),
    "acceptor-0 is of another run": (of_another_run("acceptor-0"), 2),
    "proposer-1 is of another run": (of_another_run("proposer-1"), 2),
    "acceptor-1 tells of another round": (in_each("acceptor-1", round=2), 4),
    "proposer-0 has another cluster": (in_each("proposer-0", num_acceptors=5), 2),
    "proposer-0 speaks twice": (repeat("proposer-0", "PROMISE", 1), 0),
    "acceptor-0 speaks twice": (repeat("acceptor-0", "PROPOSE", 1), 0),
    # Lying
    "a promise conceals": (change("acceptor-1", "PREPARE", 2, NOTHING, answer=True), 4),
    "a promise reports another value": (change("acceptor-1", "PREPARE", 2, VALUE, answer=True), 4),
    "a promise of another number": (change("acceptor-0", "PREPARE", 1, {"id": 9}, answer=True), 4),
    "an acceptance of another value": (change("acceptor-0", "PROPOSE", 1, VALUE, answer=True), 4),
    "an acceptance of another number": (change("acceptor-0", "PROPOSE", 1, {"id": 9}, answer=True), 4),
    "another value is heard": (change("acceptor-0", "PROPOSE", 1, VALUE), 4),
    "another number is heard": (change("acceptor-2", "PREPARE", 2, {"id": 9}), 4),
    "another value is learned": (change("proposer-1", "ACCEPT", 2, {"after": {"learned": "pear"}}), 3),
    "a value is learned too early": (change("proposer-0", "PROMISE", 1, {"after": {"learned": "apple"}}), 4),
    "a promise that falls": (
        change("acceptor-1", "PROPOSE", 2, {"after": {"promised": 1, "accepted_id": 1, "accepted_value": "apple"}}),
        4,
    ),
    "an acceptance that vanishes": (change("acceptor-1", "PREPARE", 2, {"after": {"promised": 2}}), 4),
    "all is forgotten": (change("acceptor-1", "PREPARE", 2, {"after": {"promised": 0}}), 4),
    "it holds nothing of what it answers": (change("acceptor-0", "PREPARE", 1, {"after": {"promised": 0}}), 4),
    "it holds another value than it answers": (
        change("acceptor-0", "PROPOSE", 1, {"after": {"promised": 1, "accepted_id": 1, "accepted_value": "pear"}}),
        4,
    ),
    "it restarts and holds nothing of what it answered": (forget("acceptor-2"), 4),
    "a message in the name of another": (
        change("acceptor-0", "PREPARE", 1, {"sender": "acceptor-1"}, answer=True),
        2,
    ),
    "a stranger is heard": (change("acceptor-0", "PREPARE", 1, {"sender": "proposer-9"}), 4),
    "a promise to nobody": (change("acceptor-0", "PREPARE", 1, {"recipient": "proposer-9"}, answer=True), 4),
    "an unknown kind": (change("acceptor-0", "PREPARE", 1, {"type": "PREPARED"}), 2),
    "a number below 1": (change("acceptor-0", "PREPARE", 1, {"id": 0}), 2),
    "no wish for it": (in_each("proposer-0", value="plum"), 4),
}


def judged(logs: Logs, run_here: RunHere, *args: str) -> Any:
    """Let verify judge logs, which come joined from a pipe."""
    return run_here(
        "verify", *args, "-", typed="".join(f"{json.dumps(line)}\n" for lines in logs.values() for line in lines)
    )


def test_there_are_fifty_faults() -> None:
    assert len(FAULTS) >= 50


def test_logs_without_a_fault_are_complete_and_safe(run_here: RunHere) -> None:
    done = judged(correct(), run_here)
    assert (done.returncode, done.stderr) == (0, "")
    assert "round 1: chosen under 1: apple; proposer-0, proposer-1 learned apple\n" in done.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_no_more_is_claimed_than_is_known(name: str, run_here: RunHere) -> None:
    fault, expected = FAULTS[name]
    logs = correct()
    fault(logs)
    done = judged(logs, run_here)
    assert done.returncode == expected
    assert any(words in done.stdout for words in ("not all is known", " breaks ")) >= (done.returncode == 4)
    assert done.stderr.count("\n") == (done.returncode == 2)
    # No two values are chosen in any of them.
    assert "a second value is chosen" not in done.stdout


def test_the_story_counts_deliveries_and_tells_a_loss_of_memory_where_it_happens(run_here: RunHere) -> None:
    logs = correct()
    forget("acceptor-0")(logs)
    told = judged(logs, run_here, "--round", "1").stdout
    assert (
        "  13  acceptor-0 restarts\n"
        "  14  proposer-0 -> acceptor-0 refused, promised nothing: PREPARE 1\n"
        "  14  acceptor-0 breaks A2: it has promised nothing and accepted nothing, "
        "but by its log it had promised 1 and accepted apple under 1\n"
        "  15  "
    ) in told
    numbers = [int(number) for number in re.findall(r"^ *(\d+)  ", told, re.MULTILINE)]
    assert [*dict.fromkeys(numbers)] == [*range(1, 19)]


def test_what_something_missing_may_explain_is_no_accusation(run_here: RunHere) -> None:
    logs = correct()
    # Without its wish, nobody knows whether proposer-0 may propose apple.
    logs["proposer-0"].pop(1)
    done = judged(logs, run_here)
    assert (done.returncode, " breaks " in done.stdout) == (4, False)


@pytest.mark.parametrize("seed", range(20))
def test_logs_of_some_processes_that_end_early_accuse_nobody(seed: int, run_here: RunHere) -> None:
    die, logs = random.Random(seed), correct()
    for name in die.sample(sorted(logs), die.randint(1, 4)):
        cut(name, die.randint(1, len(logs[name])))(logs)
    assert judged(logs, run_here).returncode in (0, 4)
