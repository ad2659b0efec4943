"""A story as a Mermaid diagram: the real parser takes it, if it is there, and each line has one of a few forms."""

import json
import os
import re
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import pytest
from conftest import RunHere
from hypothesis import given, settings
from stories import AWKWARD, broken_story, first_round, runs, told

from toy_paxos.event import Delivery
from toy_paxos.message import Timeout
from toy_paxos.settings import Network, Settings
from toy_paxos.simulation import play_rounds
from toy_paxos.view.mermaid import LONGEST, escaped, mermaid
from toy_paxos.view.output import DrawingError

# Where .ci/run has installed the real Mermaid, and the page that it wants to find itself in.
MODULES = os.environ.get("MERMAID_MODULES", "")

PARSE = """
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const require = createRequire(`${process.argv[2]}/`);
globalThis.window = new (require("jsdom").JSDOM)("").window;
globalThis.document = window.document;
const { default: mermaid } = await import(pathToFileURL(`${process.argv[2]}/mermaid/dist/mermaid.core.mjs`));
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  try { console.log((await mermaid.parse(text)).diagramType); }
  catch (error) { console.log(`${error}`.split("\\n")[0]); }
}
"""

# In what a text says there is neither a "#" nor a ";" but in the number of a character.
TEXT = r"(?:[^#;<>%\n]|#\d+;|<br/>)+"
LINE = re.compile(
    rf"    (?:    )?(?:title: {TEXT}|participant [pa]\d+ as \w+-\d+|[pa]\d+(?:->>|-x|-->>|--\))[pa]\d+: {TEXT}"
    rf"|Note over [pa]\d+,[pa]\d+: {TEXT}|rect rgba\(\d+, \d+, \d+, 0\.\d+\)|end)"
)


def parsed(texts: list[str], tmp_path: Path) -> list[str]:
    """What the real Mermaid takes each text for, or what is wrong with it."""
    script = tmp_path / "parse.mjs"
    script.write_text(PARSE)
    command = ["node", str(script), MODULES]
    ended = subprocess.run(command, input=json.dumps(texts), capture_output=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.outside
@pytest.mark.skipif(not MODULES or not shutil.which("node"), reason="needs node, and Mermaid in MERMAID_MODULES")
def test_the_real_parser_takes_it(tmp_path: Path) -> None:
    network = Network(3, message_loss_prob=0.2, message_duplication_prob=0.2, proposer_failure_prob=0.05)
    rounds = [*islice(play_rounds(Settings(3, 0.2, 1, network=network)), 20)]
    texts = [mermaid(told(list(finished.events), "a round", 3)) for finished in rounds]
    for value in AWKWARD:
        texts.append(mermaid(told(list(first_round(Settings(3, 0.0, 1, (value,))).events), "a round", 3)))
    for rule in ("adopts-lowest", "forgets-all"):
        events, num_acceptors = broken_story(rule)
        texts.append(mermaid(told(events, f"{rule}: a story", num_acceptors)))
    assert parsed(texts, tmp_path) == ["sequence"] * len(texts)
    assert parsed(["sequenceDiagram\n    a->>\n"], tmp_path) != ["sequence"]


@settings(max_examples=60)
@given(runs)
def test_each_line_has_one_of_a_few_forms_and_every_message_its_arrow(run: Settings) -> None:
    events = list(first_round(run).events)
    heading, *lines = mermaid(told(events, "a round", run.num_acceptors)).splitlines()
    assert heading == "sequenceDiagram"
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    messages = [event for event in events if isinstance(event, Delivery) and not isinstance(event.message, Timeout)]
    drawn = [line for line in lines if re.match(r" +[pa]\d+-", line)]
    assert len(drawn) == len(messages)
    for line, event in zip(drawn, messages, strict=True):
        assert {"lost": "-x", "duplicate": "-->>", "stale": "--)"}.get(event.fate, "->>") in line
        assert f"{event.message.type} {event.message.id}" in line


def test_a_story_is_drawn_to_its_end() -> None:
    events, num_acceptors = broken_story("skips-phase-1")
    text = mermaid(told(events, "skips-phase-1", num_acceptors))
    assert "    participant p0 as proposer-0\n" in text
    assert "p0->>a0: PROPOSE 1 value-0<br/>a0 = 1 1:value-0\n" in text
    assert "    rect rgba(60, 160, 60, 0.25)\n        Note over" in text
    assert text.endswith("    end\n    Note over p0,a2: a1 says ACCEPT 2 value-1 to proposer-1\n")


@pytest.mark.parametrize("text", AWKWARD)
def test_escaped_text_can_be_read_back(text: str) -> None:
    assert re.sub(r"#(\d+);", lambda match: chr(int(match[1])), escaped(text)) == text


def test_a_diagram_too_long_for_mermaid_is_refused_in_one_line(run_here: RunHere) -> None:
    with pytest.raises(DrawingError):
        mermaid(told(list(first_round(Settings(1_000, 0.1, 1)).events), "a round", 1_000))
    refused = run_here("-n", "95", "--num-proposers", "4", "--seed", "1", "--round", "1", "-o", "-.mmd")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert "choose fewer acceptors" in refused.stderr
    assert f"{LONGEST:,}" in refused.stderr
