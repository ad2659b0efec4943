"""Actors that are programs, each a real process: what they may do, and what is refused in one line."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, RunHere, Start, processes_that_know, wait_until

from toy_paxos.adapt import ProgramError, process, program
from toy_paxos.checking import Model, check
from toy_paxos.message import Accept, Prepare, Promise, Proposal, Timeout
from toy_paxos.message_like import own_kind

# An acceptor that keeps its state in the questions, or its memory to itself; and what can be wrong with it.
ACCEPTOR = r"""
import json, sys, time

fault = sys.argv[1] if len(sys.argv) > 1 else ""
memory, asked, first = {}, 0, ""

def answer(state, message):
    if message["type"] == "PREPARE" and message["id"] > state["promised"]:
        promise = {"type": "PROMISE", "id": message["id"], "accepted": state["accepted"]}
        return dict(state, promised=message["id"]), [promise]
    if message["type"] == "PROPOSE" and message["id"] >= state["promised"]:
        accepted = {"id": message["id"], "value": message["value"]}
        return {"promised": message["id"], "accepted": accepted}, [dict(accepted, type="ACCEPT")]
    return state, []

for line in sys.stdin:
    question = json.loads(line)
    asked += 1
    if fault == "is silent" or (fault == "never ends" and asked > 3):
        while True:
            pass
    if question["do"] == "new":
        memory, out = {"promised": 0, "accepted": None}, {}
        out["state"] = memory
        if fault == "begins":
            out["messages"] = [{"type": "PREPARE", "id": 1, "recipient": "acceptor-0"}]
    else:
        memory, messages = answer(question.get("state", memory), question["message"])
        if fault == "changes" and asked > 20:
            messages = []
        if question["message"]["type"] != "RESTART":
            first = first or question["message"]["type"]
        if fault == "remembers its first message" and first != "PREPARE":
            messages = []
        if fault == "shuffles" and asked % 2:
            memory = {key: memory[key] for key in reversed(memory)}
            accepted = memory["accepted"]
            memory["accepted"] = accepted and {key: accepted[key] for key in reversed(accepted)}
        out = {"state": memory, "messages": messages}
    if fault == "remembers":
        del out["state"]
    # Both lines at once, or the second one may come so late that it seems to answer the next question.
    sys.stdout.write((2 if fault == "answers twice" else 1) * f"{json.dumps(out)}\n")
    sys.stdout.flush()

if fault == "outlives":
    time.sleep(1000)
"""

Exec = Callable[..., str]


@pytest.fixture
def acceptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exec:
    """Write the acceptor; return the command that runs it with a fault. However slow it is, it is waited for."""
    monkeypatch.setattr(process, "PATIENCE_S", 1_000.0)
    file = tmp_path / "acceptor.py"
    file.write_text(ACCEPTOR)
    return lambda *fault: shlex.join([sys.executable, "-S", str(file), *fault])


def test_a_program_is_checked_run_and_played_like_a_class(acceptor: Exec, run_here: RunHere, tmp_path: Path) -> None:
    actor = f"exec:{acceptor()}"
    checked = run_here("check", "--acceptor", actor, "-n", "1")
    assert checked.returncode == 0
    assert f"Actors: acceptor {actor}\n" in checked.stdout
    assert f"{check(Model(1)).states} states" in checked.stdout
    ran = run_here("--acceptor", actor, "-n", "3", "-p", "0", "-c", "2", "--seed", "1", "--json")
    assert ran.returncode == 0
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["outcome"] for event in events if event["event"] == "round"] == ["consensus"] * 2
    after = next(event["after"] for event in events if event.get("type") == "PROPOSE")
    assert (after["promised"], after["accepted_id"]) == (1, 1)
    assert events[0]["actors"] == f"--acceptor {shlex.quote(actor)}"
    played = run_here("play", "--acceptor", actor, "-n", "1", typed="1\nhint\n")
    assert played.returncode == 0
    assert "safety cannot be violated from here" in played.stdout


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note which processes are started."""
    started: list[object] = []
    popen = subprocess.Popen

    def counted(*args: object, **keywords: object) -> object:
        started.append(args)
        return popen(*args, **keywords)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", counted)
    return started


def test_a_search_takes_one_process_and_each_repetition_one_more(acceptor: Exec, started: list[object]) -> None:
    assert check(Model(acceptor=program(acceptor(), "acceptor"))).safe
    assert len(started) == 2


# What is refused


PREPARE = "on receiving PREPARE 1 from proposer-0 to acceptor-0: "
BEGIN = "the actors cannot begin: "
ENDED = "its own error, if it wrote one, is above"
FLUSH = "each answer must be flushed at once (flush=True in Python, $| = 1 in Perl)"

# A shell begins much faster than Python. It has an answer to everything but a PREPARE, where it runs another command.
FAULTY = """
while read -r question; do
    case $question in
        *PREPARE*) {} ;;
        *) echo '{{"state": 0}}' ;;
    esac
done
"""


CLOSES = "exec >&-; exec sleep 1000"


def answers(answer: str) -> str:
    """Return the command that answers this."""
    return f"echo '{answer}'"


def says(said: str) -> str:
    """Return the command that answers with a state and with these messages."""
    return answers(f'{{"state": 1, "messages": {said}}}')


@pytest.mark.parametrize(
    ("fault", "words", "last_line"),
    [
        ("exit 3", "ended with status 3", ENDED),
        ("kill -9 $$", "was killed by SIGKILL", ENDED),
        (CLOSES, "closed its standard output", '{"state": 0}'),
        ("printf '{\"state\": '; exit", "ended with status 0 before its standard input did", ENDED),
        (
            answers("hello"),
            "writes a line that is not JSON: an answer is one line; write everything else to standard error",
            "hello",
        ),
        (r"printf 'got PREPARE\n{\"state\": 1}\n'", "writes a line that is not JSON", "got PREPARE"),
        (answers('{"state": NaN}'), "writes a line that is not JSON", '{"state": NaN}'),
        (r"printf '\377\n'", "writes a line that is not JSON", r"\xff"),
        (answers("[1]"), "answers with something that is not a JSON object", "[1]"),
        (answers("1" * 2_000), "answers with more than 1,000 bytes", "1" * 160 + "..."),
        (
            answers('{"state": 1, "mesages": []}'),
            "answers with the unknown key 'mesages'; known are 'learned', 'messages', 'state'",
            "{",
        ),
        (says('"PROMISE"'), "says 'messages' that are not a list", "{"),
        (says('["PROMISE"]'), "says a message that is not an object", "{"),
        (answers('{"messages": []}'), "says 'state' sometimes: say it in every answer, or never", "{"),
        (
            says('[{"type": "PROMISE", "id": 1, "accepted": null, "sender": "acceptor-7"}]'),
            "speaks in another's name: 'sender' must be 'acceptor-0', or left out",
            "{",
        ),
        (says('[{"type": "promise"}]'), "says a message without a type in capitals, such as 'PROMISE'", "{"),
        (
            says('[{"type": "PROMISE", "id": "1", "accepted": null}]'),
            "says a PROMISE whose 'id' is not a whole number",
            "{",
        ),
        (
            says('[{"type": "PROMISE", "id": 1, "accepted": 1}]'),
            "says a PROMISE whose 'accepted' is neither null nor an 'id' with a 'value'",
            "{",
        ),
        (
            says('[{"type": "PROMISE", "id": 1}]'),
            "says a PROMISE with the keys 'id', 'type': it needs 'accepted', 'id', 'type'",
            "{",
        ),
        (
            says('[{"type": "PROMISE", "id": 1, "accepted": null, "value": "x"}]'),
            "says a PROMISE with the keys 'accepted', 'id', 'type', 'value': it needs",
            "{",
        ),
    ],
)
def test_whatever_breaks_the_protocol_is_named_by_every_command(
    fault: str, words: str, last_line: str, tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LONGEST", 1_000)
    monkeypatch.setattr(process, "GRACE_S", 1.0 if fault == CLOSES else 1_000)
    file = tmp_path / "acceptor.sh"
    file.write_text(FAULTY.format(fault))
    actor = f"sh {file}"
    for command, typed, before in (
        (("-p", "0", "-c", "1"), "", "an actor fails: "),
        (("check",), "", "the actors cannot be checked: "),
        (("play",), "1\n", "an actor fails: "),
    ):
        done = run_here(*command, "--acceptor", f"exec:{actor}", "-n", "1", typed=typed)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert done.stderr.startswith(f"toy-paxos: {before}{PREPARE}{actor!r} {words}")
        # A search begins a fresh process for some questions, which may close its output at the first.
        last_words = ["; it has written no line\n"] if (command, fault) == (("check",), CLOSES) else []
        last_words += [f"; {last_line}\n" if last_line is ENDED else f"; the last line read: {last_line}"]
        assert any(words in done.stderr for words in last_words)
        assert done.stderr.count(repr(actor)) == 1


def test_two_lines_for_one_question_are_refused(acceptor: Exec, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"exec:{acceptor('answers twice')}", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "answers more than once, or before it is asked; the last line read: {" in done.stderr


def test_an_acceptor_that_begins_to_speak_is_refused(acceptor: Exec, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"exec:{acceptor('begins')}", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{BEGIN}{acceptor('begins')!r} says a PREPARE at the start: an acceptor only answers\n" in done.stderr


@pytest.mark.parametrize("fault", ["changes", "remembers its first message"])
def test_a_program_with_a_hidden_memory_is_refused_by_a_search(fault: str, acceptor: Exec, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"exec:{acceptor(fault)}", "-n", "3")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert re.search(r" does not always do the same \(.*\): an answer may depend only on the question", done.stderr)
    assert f"({acceptor(fault)!r}, the last line read: {{" in done.stderr


def test_the_order_of_keys_makes_no_difference(acceptor: Exec) -> None:
    assert check(Model(acceptor=program(acceptor("shuffles"), "acceptor"))).states == 146


def test_the_state_of_an_actor_is_any_value() -> None:
    actor = program("sed -u s/.*/hello/", "acceptor")
    one = object.__new__(actor)
    for state in (None, 7, "x", [1, {"a": [2.5, True]}], {}, {"": 1}, {"b": dict.fromkeys("hgfedcba"), "a": [[]]}):
        one.state = state
        assert json.dumps(one.state) == json.dumps(state, sort_keys=True)


def test_a_program_that_is_silent_is_killed(
    acceptor: Exec, run_here: RunHere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "PATIENCE_S", 0.1)
    done = run_here("check", "--acceptor", f"exec:{acceptor('is silent')}", "-n", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    words = f"{BEGIN}{acceptor('is silent')!r} does not answer within 0.1 s: {FLUSH}; it has written no line\n"
    assert done.stderr.endswith(words)
    wait_until(lambda: not processes_that_know(str(tmp_path)))


def test_the_silence_of_a_program_is_waited_for_once(
    acceptor: Exec, monkeypatch: pytest.MonkeyPatch, started: list[object]
) -> None:
    monkeypatch.setattr(process, "PATIENCE_S", 0.1)
    actor = program(acceptor("is silent"), "acceptor")
    for _ in range(3):
        with pytest.raises(ProgramError, match="does not answer within"):
            actor("acceptor-0")
    assert len(started) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "exec: is not a command: it is empty."),
        ("node '", "is not a command: No closing quotation."),
        (
            "no-such-program x",
            "the actors cannot begin: 'no-such-program x' cannot be started: program 'no-such-program' was not found",
        ),
    ],
)
def test_what_is_not_a_command_is_refused(command: str, words: str, run_here: RunHere) -> None:
    done = run_here("check", "--acceptor", f"exec:{command}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_a_question_that_the_program_does_not_read_is_not_waited_for_without_end(
    acceptor: Exec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PATIENCE_S", 0.1)
    asked = process.Process("sleep 1000")
    with pytest.raises(ProgramError, match=re.escape(f"does not answer within 0.1 s: {FLUSH}; it has written no line")):
        asked.ask(b"x" * 10_000_000 + b"\n")
    assert asked.running.returncode == -signal.SIGKILL
    with pytest.raises(ProgramError, match="'sleep 1000' has ended; it has written no line"):
        asked.ask(b"x\n")


def test_a_program_that_does_not_end_its_line_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = process.Process("""sh -c 'read question; printf "{}"; exec sleep 1000'""")
    # After it has written something, much time passes at once.
    clock = iter([0.0, 0.0])
    monkeypatch.setattr(process, "monotonic", lambda: next(clock, 1_000.0))
    words = (
        "does not answer within 10 s: it has not ended its line; end each answer with a newline, and flush it; the last"
    )
    with pytest.raises(ProgramError, match=f"{words} line read: {{}}$"):
        asked.ask(b"x\n")


def test_a_program_that_has_ended_does_not_end_this_one(acceptor: Exec) -> None:
    # As a filter, the command line lets a closed pipe kill it.
    code = (
        "import signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL); "
        "from toy_paxos.adapt import process; asked = process.Process('true'); asked.running.wait(); "
        "asked.is_readable.unregister(asked.output)\n"
        "try: asked.ask(b'x\\n')\n"
        "except process.ProgramError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    assert ran.stdout == f"'true' ended with status 0 before its standard input did; {ENDED}\n"


# A memory of its own


def test_a_program_with_a_memory_of_its_own_runs_and_is_played_with_a_process_for_each_actor(
    acceptor: Exec, run_here: RunHere
) -> None:
    ran = run_here("--acceptor", f"exec:{acceptor('remembers')}", "--num-proposers", "2", "-c", "9", "--seed", "1")
    same = run_here("--acceptor", f"exec:{acceptor()}", "--num-proposers", "2", "-c", "9", "--seed", "1")
    assert ran.returncode == 0

    def told(stdout: str) -> list[str]:
        lines = [line for line in stdout.splitlines() if " ms  " in line]
        # Of an acceptor that keeps its memory to itself, it is not known what it has promised.
        return [re.sub(r" ((refused|unanswered)(, promised \d+)?: .*|promised .*)", "", line) for line in lines]

    assert len(told(ran.stdout)) > 100
    assert told(ran.stdout) == told(same.stdout)


def test_such_processes_serve_one_round_after_the_other(
    acceptor: Exec, run_here: RunHere, started: list[object]
) -> None:
    run_here("--acceptor", f"exec:{acceptor('remembers')}", "-n", "3", "-c", "20", "-q")
    assert len(started) == 3


def test_a_search_says_that_it_needs_the_state(
    acceptor: Exec, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The dice before the search need no state.
    monkeypatch.setattr("toy_paxos.checking.dice.WALKS", 1)
    done = run_here("check", "--acceptor", f"exec:{acceptor('remembers')}")
    words = "returns no state, so it cannot be checked: return 'state' in every answer (runs and play do without)"
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"acceptor-0: {acceptor('remembers')!r} {words}\n" in done.stderr


def test_a_game_with_such_programs_is_not_disturbed_by_the_search_for_a_hint(acceptor: Exec, run_here: RunHere) -> None:
    moves = "1\nhint\n2\n3\n"
    played = run_here("play", "--acceptor", f"exec:{acceptor('remembers')}", typed=moves)
    assert played.returncode == 0
    assert "the checker refuses the actors: acceptor-0: " in played.stdout
    alone = run_here("play", "--acceptor", f"exec:{acceptor('remembers')}", typed=moves.replace("hint\n", ""))
    assert [line for line in played.stdout.splitlines() if "hint" not in line and "refuses" not in line] == (
        alone.stdout.splitlines()
    )


# Proposers

PROPOSER = r"""
import json, sys

for line in sys.stdin:
    question = json.loads(line)
    answer = {"state": None}
    if question["do"] == "new":
        request = {"type": "PREPARE", "id": question["id"]}
        answer["messages"] = [dict(request, recipient=acceptor) for acceptor in question["acceptors"]]
    elif question["message"]["type"] == "NACK":
        answer["messages"] = [{"type": "HELLO", "id": 1, "seen": [question["message"]]}]
    if sys.argv[1] == "says it":
        answer["learned"] = None if question["do"] == "new" else "x"
    if sys.argv[1] == "says a number":
        answer["learned"] = 1
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def proposer(tmp_path: Path) -> Exec:
    """Write the proposer; return the command that runs it in a certain way."""
    file = tmp_path / "proposer.py"
    file.write_text(PROPOSER)
    return lambda *how: shlex.join([sys.executable, "-S", str(file), *how])


def begun(command: str) -> Any:
    """A proposer among three acceptors that has begun."""
    one: Any = program(command, "proposer")("p", "x", ["a", "b", "c"], 1, 2)  # type: ignore[call-arg]
    assert one.prepare() == [Prepare("p", acceptor, 1) for acceptor in ("a", "b", "c")]
    return one


def test_a_proposer_says_what_it_has_learned_or_its_acceptances_are_counted(proposer: Exec) -> None:
    one = begun(proposer("says it"))
    assert one.learned is None
    one.receive(Accept("a", "p", 1, "y"))
    assert one.learned == "x"
    one = begun(proposer("says nothing"))
    for message in (Accept("a", "p", 1, "y"), Accept("a", "p", 1, "y"), Promise("b", "p", 1, None)):
        one.receive(message)
        assert one.learned is None
    one.receive(Accept("b", "p", 1, "y"))
    assert one.learned == "y"
    with pytest.raises(ProgramError, match="says 'learned' that is neither null nor a value"):
        begun(proposer("says a number"))


def test_types_of_its_own_come_and_go_with_all_their_keys(proposer: Exec) -> None:
    nack = own_kind("NACK", ("after", "why"))("a", "p", 1, (2, "x"), None)  # type: ignore[call-arg]
    (hello,) = begun(proposer("says nothing")).receive(nack)
    assert (hello.type, hello.sender, hello.recipient, hello.id) == ("HELLO", "p", "a", 1)
    ((said),) = hello.seen
    assert dict(said) == {"type": "NACK", "sender": "a", "recipient": "p", "id": 1, "after": (2, "x"), "why": None}


def test_a_timeout_is_answered_to_somebody(proposer: Exec) -> None:
    one = begun(proposer("says nothing"))
    assert one.receive(Timeout("clock", "p", 1)) == []
    assert one.receive(Promise("a", "p", 1, Proposal(1, "y"))) == []


# The end


@pytest.mark.parametrize("fault", ["", "outlives", "remembers"])
@pytest.mark.parametrize("command", [("-c", "3", "-n", "3"), ("check", "-n", "1"), ("play",)])
def test_no_process_is_left_by_an_ordinary_end(
    fault: str, command: tuple[str, ...], acceptor: Exec, run: Run, tmp_path: Path
) -> None:
    run(*command, "--acceptor", f"exec:{acceptor(fault)}", typed="1\n")
    assert not processes_that_know(str(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a busy program notices only later")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("fault", ["", "never ends"])
def test_no_process_is_left_when_this_one_is_killed(
    number: signal.Signals, fault: str, acceptor: Exec, start: Start, tmp_path: Path
) -> None:
    running = start("--acceptor", f"exec:{acceptor(fault)}", "-i", "0", command=[sys.executable, "-m", "toy_paxos"])
    wait_until(lambda: len(processes_that_know(str(tmp_path))) > 1)
    while running.poll() is None:
        running.send_signal(number)
        try:
            running.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            continue
    wait_until(lambda: not processes_that_know(str(tmp_path)))


def test_ctrl_c_in_a_terminal_ends_the_run_in_good_order_and_then_its_programs(acceptor: Exec, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "toy_paxos", "-i", "0", "--acceptor", f"exec:{acceptor()}"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, encoding="utf-8")
    assert running.stdout
    assert any(line.startswith("Round 3: ") for line in running.stdout)
    # A terminal sends the signal to all processes of the command.
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate()
    assert running.returncode == 0
    assert "\nseed " in output
    assert not processes_that_know(str(tmp_path))


def test_what_a_program_writes_to_standard_error_is_passed_on(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "loud.py"
    file.write_text("import sys; print('I am here', file=sys.stderr)")
    done = run("check", "--acceptor", f"exec:{sys.executable} {file}", "-n", "1")
    assert "I am here\n" in done.stderr
    assert f"ended with status 0 before its standard input did; {ENDED}\n" in done.stderr
