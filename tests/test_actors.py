"""Other actors in runs: a rule left out, or classes of one's own, in the loop that dice decide."""

import json
from pathlib import Path

import pytest
from conftest import PrintedBy, Run, RunHere

from toy_paxos.checking import CHANGED_RULES

ACTORS = """
from toy_paxos.message import Accept, Prepare, Promise, Proposal, Propose
from toy_paxos.proposer import Proposer

class Minimal:
    \"\"\"An acceptor that has a name and can receive, and nothing more.\"\"\"

    def __init__(self, name):
        self.name, self._promised, self._last = name, 0, None

    def receive(self, message):
        if isinstance(message, Prepare) and message.id > self._promised:
            self._promised = message.id
            return [Promise(self.name, message.sender, message.id, self._last)]
        if isinstance(message, Propose) and message.id == self._promised:
            self._last = Proposal(message.id, message.value)
            return [Accept(self.name, message.sender, message.id, message.value)]
        return []

class HalfNamed(Minimal):
    promised = 1

class Talkative(Minimal):
    def receive(self, message):
        print("I was asked")
        return super().receive(message)

class Failing(Minimal):
    def receive(self, message):
        return 1 / 0

class Nothing(Minimal):
    def receive(self, message):
        super().receive(message)

class Async(Minimal):
    async def receive(self, message):
        return super().receive(message)

class One(Minimal):
    def receive(self, message):
        return super().receive(message)[0]

class Word(Minimal):
    def receive(self, message):
        return ["hello"]

class Stray(Minimal):
    def receive(self, message):
        return [Prepare(self.name, "nobody", 1)]

class Nameless:
    def __init__(self, name):
        pass

    def receive(self, message):
        return []

class Idle(Proposer):
    def prepare(self):
        super().prepare()

class Ignorant(Proposer):
    @property
    def learned(self):
        return 7

    @learned.setter
    def learned(self, value):
        pass
"""

CHANCE = """
import random
from toy_paxos.acceptor import Acceptor
from toy_paxos.message import Propose

class Lots(Acceptor):
    def promise(self, request):
        return super().promise(request) if random.random() < 0.5 else []

class LotsLater(Acceptor):
    rounds = 0

    def __init__(self, name):
        super().__init__(name)
        LotsLater.rounds += name == "acceptor-0"

    def promise(self, request):
        LotsLater.rounds > 3 and random.random()
        return super().promise(request)

class Counts(Acceptor):
    asked = 0

    def promise(self, request):
        Counts.asked += 1
        return super().promise(request) if Counts.asked > 5 else []

class Liar(Acceptor):
    def accept(self, request):
        self.promised = request.id + (random.random() < 0)
        return super().accept(request)

class Fair(Acceptor):
    pass
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "actors.py"
    path.write_text(ACTORS)
    return str(path)


def test_a_rule_left_out_loses_safety_by_dice_too_and_the_replay_line_names_it(run: Run, printed_by: PrintedBy) -> None:
    done = run("--break", "ignores-accepted", "--num-proposers", "2", "--seed", "1")
    assert done.returncode == 3
    assert "\nChanged rule, ignores-accepted: A proposer proposes its own value" in done.stdout
    assert "SAFETY VIOLATED, a second value is chosen" in done.stdout
    (replay,) = [line for line in done.stdout.splitlines() if line.startswith("To see it again: ")]
    assert " --break ignores-accepted " in replay
    assert "SAFETY VIOLATED, a second value is chosen" in printed_by(replay.removeprefix("To see it again: "))


@pytest.mark.parametrize("name", [name for name, rule in CHANGED_RULES.items() if rule.fate != "unsafe"])
def test_unusual_but_correct_actors_are_also_safe_in_random_rounds(name: str, run_here: RunHere) -> None:
    done = run_here("--break", name, "--num-proposers", "3", "-n", "3", "-c", "200", "-q", "--seed", "1")
    assert done.returncode == 0
    assert "safety violated              0    0.00%" in done.stdout


def test_json_names_the_changed_rule(run_here: RunHere) -> None:
    done = run_here("--break", "accepts-above", "-c", "1", "-q", "--json")
    assert json.loads(done.stdout.splitlines()[0])["changed_rule"] == "accepts-above"


def test_an_acceptor_that_can_receive_and_has_a_name_will_do(file: str, run_here: RunHere) -> None:
    done = run_here("--acceptor", f"{file}:Minimal", "-n", "3", "-p", "0", "-c", "3", "--seed", "1")
    assert done.returncode == 0
    assert f"\nActors: acceptor {file}:Minimal\n" in done.stdout
    assert done.stdout.count(": consensus on ") == 3
    assert f" --acceptor {file}:Minimal --seed 1 --rounds 3" in done.stdout


@pytest.mark.parametrize("actor", ["Minimal", "HalfNamed"])
def test_what_an_acceptor_holds_under_other_names_is_unknown(actor: str, file: str, run_here: RunHere) -> None:
    done = run_here("play", "--acceptor", f"{file}:{actor}", "-n", "1", typed="1\nstate\n")
    assert "acceptor-0: unknown, for its state has no 'promised' (a number) with 'accepted'\n" in done.stdout


def test_the_output_of_an_actor_goes_to_standard_error(file: str, run: Run) -> None:
    done = run("--acceptor", f"{file}:Talkative", "-c", "1", "--json")
    assert all(line.startswith("{") for line in done.stdout.splitlines())
    assert "I was asked\n" in done.stderr


AT = "on receiving PREPARE 1 from proposer-0 to acceptor-0: "


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("Failing", f"{AT}ZeroDivisionError: division by zero"),
        ("Nothing", f"{AT}receive returned None, not a list of messages"),
        ("Async", f"{AT}receive is async: it is never awaited, so make it a plain method"),
        ("One", f"{AT}receive returned a PROMISE, not a list of messages"),
        ("Word", f"{AT}an object of type str is not a message: it lacks an attribute type, a text such as 'PROMISE'"),
        ("Stray", f"{AT}PREPARE to 'nobody', but no actor has that name"),
        (
            "Nameless",
            "the actors cannot begin: AttributeError: 'Nameless' object has no attribute 'name'; set self.name = name"
            ", which the tool reads",
        ),
        ("Idle", "the actors cannot begin: prepare returned None, not a list of messages"),
    ],
)
def test_every_command_reports_an_error_of_an_actor_in_the_same_words(
    actor: str, words: str, file: str, run_here: RunHere
) -> None:
    option = ("--proposer" if actor == "Idle" else "--acceptor", f"{file}:{actor}", "-n", "1")
    line = ACTORS[: ACTORS.index(f"class {actor}")].count("\n") + (2 if actor == "Failing" else 0) + 1
    said = f"{words} (actors.py, line {line})\n"
    fails = "" if words.startswith("the actors") else "an actor fails: "
    done = run_here(*option, "-p", "0")
    assert (done.returncode, done.stderr) == (2, f"toy-paxos: {fails}{said}")
    done = run_here("check", *option)
    assert (done.returncode, done.stderr) == (2, f"toy-paxos: the actors cannot be checked: {said}")
    played = run_here("play", *option, typed="1\n")
    assert (played.returncode, played.stderr) == (2, f"toy-paxos: {fails}{said}")


def test_a_proposer_that_does_not_say_what_it_has_learned_fails(file: str, run_here: RunHere) -> None:
    words = "proposer-0 needs an attribute 'learned', None or the text of a value: it has type int (actors.py, line "
    for command, before in (([], ""), (["check"], "the actors cannot be checked: ")):
        done = run_here(*command, "--proposer", f"{file}:Ignorant", "-n", "1")
        assert done.returncode == 2
        assert done.stderr.startswith(f"toy-paxos: {before}{words}")


# Replay

USES_RANDOM = "an actor uses Python's random module, which the seed does not control"


@pytest.mark.parametrize(
    ("actor", "last_line"),
    [
        ("Lots", f"seed 1, no replay: {USES_RANDOM}"),
        ("LotsLater", f"seed 1, no replay: {USES_RANDOM}"),
        ("Counts", "seed 1, no replay: round 1 went differently when it was played again"),
        (
            "Fair",
            "seed 1, replay, if the actors are deterministic: "
            "toy-paxos --num-acceptors 5 --acceptor-failure-prob 0.1 --num-proposers 1",
        ),
    ],
)
@pytest.mark.parametrize("how", [[], ["-q"]])
def test_a_replay_is_promised_only_to_actors_that_do_the_same_again(
    actor: str, last_line: str, how: list[str], tmp_path: Path, run_here: RunHere
) -> None:
    (tmp_path / "chance.py").write_text(CHANCE)
    done = run_here("--acceptor", f"{tmp_path}/chance.py:{actor}", "--seed", "1", "-c", "5", *how)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(last_line)


def test_a_violation_by_chance_has_no_replay_in_any_form(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "chance.py").write_text(CHANCE)
    args = ("--acceptor", f"{tmp_path}/chance.py:Liar", "--num-proposers", "3", "--seed", "1")
    text = run_here(*args)
    assert text.returncode == 3
    assert f"\nNo replay: {USES_RANDOM}\n" in text.stdout
    assert "To see it again" not in text.stdout
    events = map(json.loads, run_here(*args, "--json").stdout.splitlines())
    assert [event["replay"] for event in events if event["event"] == "violation"] == [None]
    assert run_here("play", *args[:2], "-", typed=text.stdout).returncode == 3


def test_a_round_played_again_for_comparison_prints_nothing(file: str, run: Run) -> None:
    done = run("--acceptor", f"{file}:Talkative", "-c", "1", "--seed", "1", "-p", "0", "-n", "3", "--json")
    messages = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "message"]
    to_acceptors = [message for message in messages if message["recipient"].startswith("acceptor")]
    assert done.stderr == "I was asked\n" * len(to_acceptors)


@pytest.mark.parametrize(
    ("args", "what_to_do"),
    [
        (["--break", "nothing"], "unknown rule nothing."),
        (["--break", "forgets-all", "--acceptor", "{file}:Minimal"], "--break brings its own actors"),
        (["--acceptor", "{file}:minimal"], "Did you mean 'Minimal'?"),
    ],
)
def test_an_error_of_usage_is_one_line_that_says_what_to_do(
    args: list[str], what_to_do: str, file: str, run_here: RunHere
) -> None:
    done = run_here(*(arg.format(file=file) for arg in args))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert what_to_do in done.stderr


def test_the_shell_completes_rules(run: Run) -> None:
    output = run(_TOY_PAXOS_COMPLETE="bash_complete", COMP_WORDS="toy-paxos --break forgets-p", COMP_CWORD="2").stdout
    assert output == "plain,forgets-promise\n"


OLD_PROPOSER = """
from toy_paxos.proposer import Proposer

class Old(Proposer):
    def __init__(self, name, value, acceptors, id, id_step):
        super().__init__(name, value, acceptors, id, id_step)

class Any(Proposer):
    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
"""


def test_a_proposer_that_takes_no_quorums_gets_majorities_only(tmp_path: Path, run_here: RunHere) -> None:
    file = tmp_path / "own.py"
    file.write_text(OLD_PROPOSER)
    assert run_here("--rounds", "1", "--proposer", f"{file}:Old").returncode == 0
    done = run_here("--rounds", "1", "--proposer", f"{file}:Old", "--quorums", "4,2")
    assert done.returncode == 2
    assert "own.py:Old takes no quorums: leave --quorums out, or let its __init__ take quorums=None" in done.stderr
    assert run_here("--rounds", "1", "--proposer", f"{file}:Any", "--quorums", "4,2").returncode == 0
