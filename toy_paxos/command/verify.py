"""The command ``toy-paxos verify``: judge the logs of processes."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import click

from toy_paxos.command.help import Command
from toy_paxos.command.options import WholeNumber, one_view, option, story_views
from toy_paxos.command.process import set_up, write
from toy_paxos.command.remote import refusing
from toy_paxos.command.story_file import StoryFile, check_file, file_options
from toy_paxos.remote import MOST
from toy_paxos.view.logs import what_is_known
from toy_paxos.view.views import log_view_of


@click.command(
    cls=Command,
    epilog="""\b
Exit status:
  0    the logs are complete, safety holds, and no rule is broken
  1    the output cannot be written
  2    wrong usage, or logs that cannot be judged
  3    safety is violated
  4    no violation is known, but a rule is broken or logs are incomplete
  130  Ctrl-C; 143 SIGTERM; 141 closed pipe""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@option("Logs", "-n --num-acceptors", "Number of acceptors, if no log states it.", "N", WholeNumber(1, MOST))
@option("Logs", "--run", "Judge this run, if the logs are from several.", "R", WholeNumber(1, 2**63 - 1))
@option("Logs", "--round", "Judge only round K, and show its story.", "K", WholeNumber(1, 2**63 - 1))
@option("Output", "-q --quiet", "Show only the header, the first stories that go wrong, and the summary.", is_flag=True)
@story_views
@file_options()
def verify_command(
    files: tuple[Path, ...],
    num_acceptors: int | None,
    run: int | None,
    round: int | None,
    quiet: bool,
    output: StoryFile | None,
    force: bool,
    **views: Any,
) -> None:
    """Judge the logs of processes.

    FILES are logs written by --log, or by other programs in the same format. A file can hold several logs; - is
    standard input.

    \b
      toy-paxos cluster --rounds 100 --log logs; toy-paxos verify logs/*
      toy-paxos verify logs/* --round 1 | toy-paxos play --diagram -
      cat logs/* | toy-paxos verify --num-acceptors 5 -
    """
    from toy_paxos.remote.verify import gather, judge, read_logs

    check_file(output, force)
    form = one_view(views)
    view = log_view_of(form)
    is_silent = bool(output and output.is_output)
    set_up(form == "json" or is_silent)
    tell: Callable[[str], None] = (lambda text: None) if is_silent else write
    with refusing():
        evidence = gather(chain.from_iterable(map(read_logs, files)), run, round, num_acceptors)
        run, names = evidence.run, evidence.configuration.acceptors + evidence.configuration.proposers
        if output and len(evidence.rounds) > 1:
            words = f"-o writes one round, and these logs have {len(evidence.rounds):,}: choose one with --round K."
            raise click.UsageError(words)
        tell(view.start(run, evidence.configuration, len(evidence.logs)))
        counts, gap = Counter[str](), None
        for number, story, missing in judge(evidence):
            kinds = {type(event).__name__ for event in story.events}
            counts.update(kinds | {"round"})
            is_first_wrong = any(kind in kinds and counts[kind] == 1 for kind in ("Violation", "Departure"))
            if is_first_wrong or not quiet:
                tell(view.round(run, number, story, missing, is_first_wrong or round is not None))
            gap = gap or (missing and f"round {number}: {missing}")
            if output:
                words = "; ".join(what_is_known(story.events)) or "nothing is known"
                output.write(replace(story, title=f"Run {run}, round {number}: {words}"))
        unknown = [f"{name} has left no log" for name in evidence.missing(names)]
        unknown += [f"{log.path} ends in the middle of a line" for log in evidence.logs.values() if log.is_torn]
        unknown += [gap] if gap else []
        tell(view.summary(run, counts, unknown))
    sys.exit(3 if counts["Violation"] else 4 if counts["Departure"] or unknown else 0)
