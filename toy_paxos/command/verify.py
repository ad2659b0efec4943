"""The command ``toy-paxos verify``: judge what processes did by their logs."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from toy_paxos import __version__
from toy_paxos.command.options import Command, WholeNumber
from toy_paxos.command.process import set_up, write
from toy_paxos.command.remote import Refused
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.event import Chosen, Event, Learned, Violation, Wants
from toy_paxos.event_json import FORMAT, event_line, json_line
from toy_paxos.story import Story
from toy_paxos.view.output import shown
from toy_paxos.view.run_words import share_line
from toy_paxos.view.words import Line, count_lines, line, plural, printable, route_width, wishes_lines


@click.command(
    cls=Command,
    epilog="""\b
Exit status:
  0    all is known, and nothing is violated
  1    the output cannot be written
  2    wrong usage, or logs that cannot be judged
  3    violated
  4    nothing is violated in what is known, but logs are missing or cut off
  130  Ctrl-C; 143 SIGTERM; 141 closed pipe""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--run", type=WholeNumber(1, 2**63 - 1), metavar="R", help="Which run, if the logs are of several.")
@click.option("--round", type=WholeNumber(1, 2**63 - 1), metavar="K", help="Judge only round K, and show its story.")
@click.option("-q", "--quiet", is_flag=True, help="Show only the first line, a story that went wrong, and the sum.")
@click.option("--json", is_flag=True, help="Print JSON Lines, an object for each event.")
@file_options
def verify_command(
    files: tuple[Path, ...],
    run: int | None,
    round: int | None,
    quiet: bool,
    json: bool,
    output: StoryFile | None,
    force: bool,
) -> None:
    """Judge what processes have written with --log.

    \b
      toy-paxos cluster --rounds 100 --log logs; toy-paxos verify logs/*
      toy-paxos verify logs/* --round 1 | toy-paxos play -
    """
    from toy_paxos.remote.verify import LogError, gather, judge, read_log

    check_file(output, force)
    set_up(json or bool(output and output.is_output))
    try:
        evidence = gather(map(read_log, files), run, round)
        judged: Iterable[Any] = judge(evidence)
        if output:
            judged = [*judged]
            output.write(story_in(evidence, judged))
        view = AsJson() if json else InLines(round is not None)
        sys.exit(show_judged(evidence, judged, view, quiet, silent=bool(output and output.is_output)))
    except LogError as error:
        raise Refused(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise
        raise Refused(f"cannot read {error.filename}: {error.strerror}") from error


def show_judged(evidence: Any, judged: Any, view: "InLines | AsJson", quiet: bool, silent: bool = False) -> int:
    """Show what is known of each round, and the sum, unless ``silent``; return the exit status."""

    def tell(text: str) -> None:
        if not silent:
            write(text)

    tell(view.start(evidence))
    counts = Counter[str]()
    gap = None
    for its in judged:
        counts.update({type(event).__name__ for event in its.events} | {"round"})
        is_first = bool(violations(its.events)) and counts["Violation"] == 1
        tell(view.round(its, evidence, is_first, quiet))
        gap = gap or (its.gap and f"round {its.round}: {its.gap}")
    unknown = [f"{name} has left no log" for name in evidence.missing_acceptors + evidence.missing_proposers]
    unknown += [f"{log.path} ends in the middle of a line" for log in evidence.logs.values() if log.is_torn]
    unknown += [gap] if gap else []
    tell(view.summary(evidence, counts, unknown))
    if counts["Violation"]:
        return 3
    return 4 if unknown else 0


class InLines:
    """What is known, as lines, with the story of the first round that went wrong, or of all if ``tells_all``."""

    def __init__(self, tells_all: bool) -> None:
        self.tells_all = tells_all

    def start(self, evidence: Any) -> str:
        """The first line, from which play takes the sizes of the cluster."""
        sizes = f"{plural(evidence.num_proposers, 'proposer')}, {plural(evidence.num_acceptors, 'acceptor')}"
        words = f"toy-paxos {__version__}: {sizes}, run {evidence.run} by {plural(len(evidence.logs), 'log')}"
        return shown([line(("heading", words))])

    def round(self, its: Any, evidence: Any, is_first: bool, quiet: bool) -> str:
        """What a round comes to, perhaps after its story."""
        words = what_is_known(its.events)
        style = "bad" if violations(its.events) else "good" if words else "routine"
        lines = story_lines(its, evidence) if is_first or self.tells_all else []
        if not quiet:
            lines.append(line((style, f"round {its.round}: {'; '.join(words) or 'nothing is known to be chosen'}")))
        return shown(lines) if lines else ""

    def summary(self, evidence: Any, counts: Counter[str], unknown: Sequence[str]) -> str:
        """The sum, and what is not known."""
        return shown(
            [
                line(),
                line(("heading", f"--- {plural(counts['round'], 'round')} of run {evidence.run} ---")),
                *(line(("", share_line(label, counts[kind], counts["round"]))) for label, kind in KNOWN.items()),
                *(line(("notable", f"not all is known: {words}")) for words in unknown),
            ]
        )


class AsJson:
    """What is known, as JSON Lines."""

    def start(self, evidence: Any) -> str:
        """The ``start`` event."""
        about = {name: getattr(evidence, name) for name in ("run", "num_acceptors", "num_proposers")}
        return json_line(event="start", format=FORMAT, version=__version__, **about)

    def round(self, its: Any, evidence: Any, is_first: bool, quiet: bool) -> str:
        """The events of a round, and the ``round`` event."""
        if quiet and not is_first:
            return ""
        place = f'"run":{evidence.run},"round":{its.round}'
        events = "".join([event_line(event, place) for event in its.events])
        value = next((event.value for event in its.events if isinstance(event, Chosen)), None)
        return events + json_line(event="round", run=evidence.run, round=its.round, value=value, gap=its.gap)

    def summary(self, evidence: Any, counts: Counter[str], unknown: Sequence[str]) -> str:
        """The ``summary`` event."""
        known = {kind.lower(): counts[kind] for kind in KNOWN.values()}
        return json_line(event="summary", run=evidence.run, rounds=counts["round"], **known, unknown=unknown)


def story_in(evidence: Any, judged: Sequence[Any]) -> Story:
    """Return the one round that is judged as a story; raises click.UsageError if there are more."""
    if len(judged) != 1:
        raise click.UsageError(f"-o writes one round, and these logs have {len(judged):,}: choose one by --round K.")
    (its,) = judged
    title = f"Run {evidence.run}, round {its.round}: {'; '.join(what_is_known(its.events)) or 'nothing is known'}"
    return Story(evidence.configuration, its.events, title)


KNOWN = {"known to be chosen": "Chosen", "known to be learned": "Learned", "safety violated": "Violation"}


def violations(events: Sequence[Event]) -> list[Violation]:
    """Return the violations among some events."""
    return [event for event in events if isinstance(event, Violation)]


def what_is_known(events: Sequence[Event]) -> list[str]:
    """Return the outcome of a round, in words."""
    words = [f"VIOLATED, {printable(event.words)}" for event in violations(events)]
    chosen = [f"chosen under {event.id}: {printable(event.value)}" for event in events if isinstance(event, Chosen)]
    learners: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Learned):
            learners.setdefault(event.value, []).append(event.proposer)
    learned = [f"{', '.join(sorted(names))} learned {printable(value)}" for value, names in learners.items()]
    return words + chosen + learned


def story_lines(its: Any, evidence: Any) -> list[Line]:
    """Return the story of a round, in one of the possible orders."""
    width = route_width(evidence.configuration)
    wants = {event.proposer: event.value for event in its.events if isinstance(event, Wants)}
    return [line(), *wishes_lines(f"Round {its.round}: ", wants), *count_lines(its.events, width), line()]
