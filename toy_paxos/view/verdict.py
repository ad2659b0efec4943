"""What a search has found, in words: the story that leads there, and a verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toy_paxos import __version__
from toy_paxos.safety import ALWAYS, Property
from toy_paxos.story import Story
from toy_paxos.view.words import Line, line, plural, printable, quorums_words, wishes_lines

Found = Mapping[str, Any]
"""The sizes of a cluster, what a search has found there, or a changed rule, by names that are those in JSON."""


def sizes_words(sizes: Found) -> str:
    """How large a cluster is, and what can go wrong in it."""
    words = (
        f"{plural(sizes['num_proposers'], 'proposer')}, {plural(sizes['num_acceptors'], 'acceptor')}"
        f"{quorums_words(sizes)}, {plural(sizes['max_attempts'], 'attempt')}, "
        f"{plural(sizes['restarts'], 'restart')} each"
    )
    descending = [f"value-{number}" for number in reversed(range(len(sizes["values"])))]
    words += ", FAIL delivered" if sizes["fail"] else ""
    words += ", values descending" if sizes["values"] == descending != ["value-0"] else ""
    return words + (f", numbers from {sizes['first_number']}" if sizes["first_number"] > 1 else "")


def start_lines(sizes: Found, change: str) -> list[Line]:
    """What is going to be explored: one cluster, or many; and which rule is changed, or whose actors are checked."""
    clusters = sizes_words(sizes) if sizes else "clusters from small to large"
    words = f"toy-paxos {__version__} check: {clusters}, every order of delivery, loss and duplication"
    return [line(("heading", words)), *([line(("", change))] if change else [])]


def cluster_lines(cluster: Found) -> list[Line]:
    """The result for one cluster among many."""
    seen = "found by chance" if cluster["by_chance"] else plural(cluster["states"], "state")
    words = f"{sizes_words(cluster)}: {seen}, {cluster['elapsed_s']:.1f} s"
    words += f"; {names_words(cluster)}" if cluster["names_matter"] else ""
    words += ", not explored to the end" if cluster["verdict"] == "unknown" else ""
    marks = {"violated": ("bad heading", "VIOLATED"), "stuck": ("bad heading", "STUCK"), "unknown": ("notable", "??")}
    style, mark = marks.get(cluster["verdict"], ("good", "ok"))
    return [line((style, f"{mark}  {words}"))]


def names_words(cluster: Found) -> str:
    """Why a search had to tell states apart that differ in the names of acceptors only."""
    return f"names matter: {printable(cluster['names_matter'])}"


def dice_lines(thrown: Found) -> list[Line]:
    """What came of random executions."""
    if not thrown["violated_in"]:
        return [line(("good", f"ok  {plural(thrown['executions'], 'execution')} by dice: no violation"))]
    where = sizes_words(thrown["violated_in"])
    return [line(("notable", f"??  dice found a violation with {where}: searching for a short one"))]


def judgement_lines(judged: Found) -> list[Line]:
    """What came of looking at each actor alone, in many clusters."""
    if judged["rules"] != "kept":
        return [line(("notable", f"??  {sizes_words(judged)}: {printable(judged['reason'])}"))]
    words = f"{plural(judged['clusters'], 'cluster')}: {plural(judged['states'], 'state')} of single actors"
    return [line(("good", f"ok  each actor alone keeps the rules of Paxos in {words}"))]


def but(found: Found) -> str:
    """What a verdict has to add about the rules if not all are kept."""
    if found["rules"] in (None, "kept"):
        return ""
    words = "the rules are not judged" if found["rules"] == "not judged" else f"{found['rules']} is broken"
    return f", but {words}: nothing is known about larger ones"


def reason_lines(found: Found) -> list[Line]:
    """Why a property is lost, or what is wrong about the rules; and what the rules say that are broken."""
    lines = [line(("", f"Reason: {printable(found['reason'])}."))] if found["reason"] else []
    return lines + [line(("", rule)) for rule in found["broken_rules"]]


def summary_lines(total: Found) -> Iterator[Line]:
    """The result for all clusters together, if nothing went wrong in any of them."""
    never, unfinished, left = total["never"], total["incomplete"], total["not_begun"]
    complete = total["clusters"] - unfinished
    yield line()
    if not complete:
        yield from reason_lines(total)
        yield line(("bad heading", UNKNOWN))
        return
    yield from property_lines(ALWAYS, never or ["each value"], never)
    yield progress_line(total)
    if never:
        yield line(("bad heading", NOT_ALIVE))
        return
    if total["verdict"] == "safe":
        judged = plural(total["judged"], "cluster")
        yield line(("good heading", f"SAFE in every execution of {judged}: each actor keeps the rules of Paxos"))
        largest = ["{num_proposers} x {num_acceptors} x {max_attempts}".format(**sizes) for sizes in total["largest"]]
        yield line(("", f"The largest, as proposers x acceptors x attempts: {', '.join(largest)}."))
        searched = plural(total["clusters"], "cluster")
        searched += f" searched as well{f', {unfinished} not explored to the end' if unfinished else ''}"
        yield line(("", f"{searched}. Of larger ones this says nothing."))
        return
    words = [f"SAFE in {plural(complete, 'cluster')}"]
    words += [f"{unfinished} not explored to the end"] if unfinished else []
    words += [f"{left} not begun"] if left else []
    yield line(("bad heading", ", ".join(words) + but(total)))
    yield from reason_lines(total)


UNKNOWN = "UNKNOWN: not explored to the end, so nothing is proved; take a smaller cluster, or a larger --max-states"

NOT_ALIVE = "NOT ALIVE: what should happen sometimes never can"


def report_lines(
    cluster: Found, properties: Iterable[Property], rule: Found | None, story: Sequence[Line]
) -> Iterator[Line]:
    """The story of a counterexample if there is one, then figures, then the verdict."""
    yield from story
    verdict = cluster["verdict"]
    yield line()
    yield line(("", figures(cluster)))
    if cluster["names_matter"]:
        yield line(("notable", names_words(cluster)))
    yield from reason_lines(cluster)
    if verdict == "violated":
        yield line(("bad heading", f"VIOLATED: {printable(cluster['violation'])}"))
    elif verdict == "unknown":
        yield line(("bad heading", UNKNOWN))
    else:
        if cluster["complete"] or verdict == "safe":
            yield from property_lines(properties, cluster["values"] if cluster["complete"] else [], cluster["never"])
            yield progress_line(cluster)
        headings = {
            "safe": ("good heading", safe_words(cluster, rule)),
            "stuck": ("bad heading", f"STUCK: {printable(cluster['progress_reason'] or '')}"),
            "not-alive": ("bad heading", NOT_ALIVE),
        }
        yield line(headings[verdict])
        if rule and rule["fate"] == verdict:
            yield from [line(("", words)) for words in rule["explanation"]]


def safe_words(cluster: Found, rule: Found | None) -> str:
    """For what a cluster is safe; a changed rule may do harm in another."""
    if not rule or rule["fate"] != "unsafe":
        words = f"SAFE for {sizes_words(cluster)}{'' if cluster['fail'] else ', FAIL never delivered'}{but(cluster)}"
        return words if cluster["complete"] else f"{words}, by the rules of Paxos; not explored to the end"
    return f"SAFE at this size; it goes wrong with {sizes_words(rule)}"


def counterexample(story: Story, correct: Story | None, found: Found, rule: Found | None, change: str) -> Story:
    """Return the story of a counterexample with its title, what is changed, and what its head says of the cluster.

    ``correct`` is what correct actors do with the same deliveries, if a rule is changed.
    """
    what = found["violation"] or found["progress_reason"]
    title = printable(f"{rule['name']}: {what}" if rule else what)
    notes, quiet_from = [], found["quiet_from"]
    if quiet_from is not None:
        words = f"from delivery {quiet_from + 1} on nothing is lost, and one proposer keeps trying"
        notes.append((quiet_from, words, "notable"))
    about = {"first_number": found["first_number"], "changed_rule": rule and rule["name"]}
    return replace(story, title=title, notes=notes, about=about, change=change, correct=correct)


def told(story: Story, drawn: Sequence[Line]) -> list[Line]:
    """Who wants what, and the execution, which is drawn already; nothing if nothing went wrong."""
    return [line(), *wishes_lines("", story.wishes), *drawn] if story.events else []


def figures(cluster: Found) -> str:
    """How much was explored, and how fast."""
    states, depth, elapsed_s = cluster["states"], deliveries(cluster["depth"]), cluster["elapsed_s"]
    if cluster["by_chance"]:
        found = f"{depth}, found by chance in {elapsed_s:.2f} s"
        return f"{found}: none of them can be left out, but there may be a shorter way"
    rate = f" ({states / elapsed_s:,.0f} states/s)" if elapsed_s else ""
    return (
        f"{plural(states, 'state')}, {plural(cluster['transitions'], 'transition')}, {depth} deep, "
        f"in {elapsed_s:.2f} s{rate}"
    )


def deliveries(number: int) -> str:
    """``1 delivery``, ``2 deliveries``."""
    return f"{number:,} {'delivery' if number == 1 else 'deliveries'}"


def property_lines(properties: Iterable[Property], values: Iterable[str], never: Sequence[str]) -> Iterator[Line]:
    """What always holds, and which values are chosen sometimes or never."""
    for property in properties:
        yield line(("good", f"ok   always     {property.name}"))
    for value in values:
        style, word = ("bad heading", "NOT") if value in never else ("good", "ok ")
        yield line((style, f"{word}  sometimes  {value} is chosen"))


def progress_line(found: Found) -> Line:
    """Whether progress is kept, as far as that is known."""
    result, words = found["progress"], "progress  once the network behaves, a proposer that keeps trying learns"
    if result == "kept":
        return line(("good", f"ok   {words}"))
    if result == "lost":
        return line(("bad heading", f"NOT  {words}"))
    return line(("notable", f"??   {words}: {result}, {printable(found['progress_reason'] or '')}"))


def rules_lines(rules: Sequence[Found]) -> list[Line]:
    """All changed rules, by their consequences."""
    titles = {
        "unsafe": "Safety is lost:",
        "safe": "It looks wrong, and is safe:",
        "stuck": "It is safe, but proposers that keep trying may never learn:",
        "not-alive": "It is safe, because nothing can be chosen:",
    }
    lines = []
    for fate, title in titles.items():
        lines += [line(), line(("heading", title))]
        lines += [line(("", f"  {rule['name']:<20} {rule['summary']}")) for rule in rules if rule["fate"] == fate]
    return lines[1:]
