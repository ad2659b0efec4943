"""The results of a search in words: figures, properties and a verdict, after the story of a counterexample."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toy_paxos import __version__
from toy_paxos.event import plural
from toy_paxos.safety import ALWAYS, PROMISES_RISE, Property
from toy_paxos.story import Story
from toy_paxos.view.words import Line, line, printable, sizes_words, wishes_lines

Found = Mapping[str, Any]
"""The sizes of a cluster, the results of a search in it, or a changed rule, with the keys that JSON has for them."""


def cluster_words(sizes: Found) -> str:
    """Return the sizes of a cluster, and what can go wrong in it."""
    attempts, restarts = plural(sizes["max_attempts"], "attempt"), plural(sizes["restarts"], "restart")
    words = f"{sizes_words(sizes)}, {attempts}, {restarts} each"
    descending = [f"value-{number}" for number in reversed(range(len(sizes["values"])))]
    words += ", FAIL delivered" if sizes["fail"] else ""
    words += ", values descending" if sizes["values"] == descending != ["value-0"] else ""
    return words + (f", numbers from {sizes['first_number']}" if sizes["first_number"] > 1 else "")


def start_lines(sizes: Found, change: str) -> list[Line]:
    """Return what will be explored: one cluster, or many if there are no sizes; and which actors are checked."""
    clusters = cluster_words(sizes) if sizes else "clusters from small to large"
    words = f"toy-paxos {__version__} check: {clusters}, every order of delivery, loss and duplication"
    return [line(("heading", words)), *([line(("", change))] if change else [])]


def cluster_lines(cluster: Found) -> list[Line]:
    """Return the result for one cluster among many."""
    seen = "found by chance" if cluster["by_chance"] else plural(cluster["states"], "state")
    words = f"{cluster_words(cluster)}: {seen}, {cluster['elapsed_s']:.1f} s"
    words += f"; {names_words(cluster)}" if cluster["names_matter"] else ""
    words += ", not explored to the end" if cluster["verdict"] == "unknown" else ""
    words += f"; no execution chooses {' or '.join(cluster['never'])}" if cluster["never"] else ""
    marks = {"violated": ("bad heading", "VIOLATED"), "stuck": ("bad heading", "STUCK"), "safe": ("good", "ok")}
    style, mark = marks.get(cluster["verdict"], ("notable", "??"))
    return [line((style, f"{mark}  {words}"))]


def names_words(cluster: Found) -> str:
    """Return why a search could not merge states that differ only in the names of acceptors."""
    return f"names matter, which is not a fault but takes longer: {printable(cluster['names_matter'])}"


def dice_lines(thrown: Found) -> list[Line]:
    """Return the result of random executions."""
    if not thrown["violated_in"]:
        return [line(("good", f"ok  {plural(thrown['executions'], 'random execution')}: no violation"))]
    where = cluster_words(thrown["violated_in"])
    return [line(("notable", f"??  a random execution of {where} violates a property; searching for a short one"))]


def judgement_lines(judged: Found) -> list[Line]:
    """Return the result of checking each actor alone, in many clusters."""
    if judged["rules"] != "kept":
        return [line(("notable", f"??  {cluster_words(judged)}: {printable(judged['reason'])}"))]
    words = f"{plural(judged['clusters'], 'cluster')}: {plural(judged['states'], 'state')} of single actors"
    return [line(("good", f"ok  each actor alone keeps the rules of Paxos in {words}"))]


def but(found: Found) -> str:
    """Return the reservation in a verdict if the rules are broken or not judged."""
    if found["rules"] in (None, "kept"):
        return ""
    words = "the rules are not judged" if found["rules"] == "not judged" else f"{found['rules']} is broken"
    return f", but {words}: nothing is known about larger ones"


def reason_lines(found: Found) -> list[Line]:
    """Return the reason for a verdict, if there is one, and the text of the rules that are broken."""
    lines = [line(("", f"Reason: {printable(found['reason'])}."))] if found["reason"] else []
    return lines + [line(("", rule)) for rule in found["broken_rules"]]


def summary_lines(total: Found) -> Iterator[Line]:
    """Return the result for all clusters together, if no property is violated in any of them."""
    never, unfinished, left = total["never"], total["incomplete"], total["not_begun"]
    complete = total["clusters"] - unfinished
    yield line()
    if not complete:
        yield from reason_lines(total)
        yield line(("bad heading", unknown(total)))
        return
    yield from property_lines(ALWAYS, [] if never else ["each value"], total, known=not unfinished)
    if never:
        yield from reason_lines(total)
        yield line(("bad heading", not_alive(never)))
        return
    if total["verdict"] == "safe":
        judged = plural(total["judged"], "cluster")
        yield line(("good heading", f"SAFE in every execution of {judged}, since each actor keeps the rules of Paxos"))
        largest = ["{num_proposers} x {num_acceptors} x {max_attempts}".format(**sizes) for sizes in total["largest"]]
        yield line(("", f"The largest, as proposers x acceptors x attempts: {', '.join(largest)}."))
        how = f"searched, {unfinished} of them not to the end" if unfinished else "searched exhaustively"
        yield line(("", f"{plural(total['clusters'], 'other cluster')}, listed above, were also {how}."))
        yield line(("", "Nothing is known about larger clusters."))
        return
    words = f"UNKNOWN: safe in {plural(complete, 'cluster')}"
    words += f", {unfinished} not explored to the end" if unfinished else ""
    words += f", {left} not begun" if left else ""
    yield line(("bad heading", f"{words}{but(total)}"))
    yield from reason_lines(total)


def unknown(found: Found) -> str:
    """Return the verdict on a search that did not end, and what helps if no signal stopped it."""
    if found["was_stopped"]:
        return "UNKNOWN: stopped before the end, so nothing is proved"
    return "UNKNOWN: not explored to the end, so nothing is proved; take a smaller cluster, or a larger --max-states"


def not_alive(never: Sequence[str], values: Sequence[str] = ()) -> str:
    """Return the verdict on actors that can never choose some values, perhaps all ``values`` that are wanted."""
    what = "no value can ever" if [*never] == [*values] else f"{' and '.join(never)} can never"
    return f"NOT ALIVE: safe, but {what} be chosen"


def report_lines(
    cluster: Found, properties: Iterable[Property], rule: Found | None, story: Sequence[Line]
) -> Iterator[Line]:
    """Return the story of a counterexample if there is one, then figures, then the verdict."""
    yield from story
    verdict = cluster["verdict"]
    yield line()
    if (start := cluster["quiet_from"]) is not None:
        yield line(("", f"In {cluster_words(cluster)}: {quiet_words(start)}."))
    yield line(("", figures(cluster)))
    if cluster["names_matter"]:
        yield line(("notable", names_words(cluster)))
    yield from reason_lines(cluster)
    if verdict == "violated":
        # The other properties were evaluated before this one.
        still = "; no second value is chosen in this execution" if cluster["property"] == PROMISES_RISE.name else ""
        yield line(("bad heading", f"VIOLATED: {printable(cluster['violation'])}{still}"))
    elif verdict == "unknown":
        yield line(("bad heading", unknown(cluster)))
    else:
        if cluster["complete"] or verdict == "safe":
            yield from property_lines(properties, cluster["values"], cluster, cluster["complete"])
        headings = {
            "safe": ("good heading", safe_words(cluster, rule)),
            "stuck": ("bad heading", f"STUCK: {printable(cluster['progress_reason'] or '')}"),
            "not-alive": ("bad heading", not_alive(cluster["never"], cluster["values"])),
        }
        yield line(headings[verdict])
        if rule and rule["fate"] == verdict:
            yield line(("", rule["explanation"]))


def safe_words(cluster: Found, rule: Found | None) -> str:
    """Return the verdict on a safe cluster; with a changed rule, also in which cluster it does harm."""
    if not rule or rule["fate"] != "unsafe":
        fail = "" if cluster["fail"] else " (FAIL is not delivered; --fail adds it)"
        words = f"SAFE for {cluster_words(cluster)}{fail}{but(cluster)}"
        return words if cluster["complete"] else f"{words}, by the rules of Paxos; not explored to the end"
    return f"SAFE at this size; this change loses safety with {cluster_words(rule)}"


def counterexample(story: Story, correct: Story | None, found: Found, rule: Found | None, change: str) -> Story:
    """Return the story of a counterexample with a title, notes, and facts about the cluster and its actors.

    ``correct`` is the story of correct actors with the same deliveries, if a rule is changed.
    """
    what = found["violation"] or found["progress_reason"]
    title = printable(f"{rule['name']}: {what}" if rule else what)
    notes = []
    if (start := found["quiet_from"]) is not None:
        notes = [(start, quiet_words(start), "notable")]
    about = {"first_number": found["first_number"], "changed_rule": rule and rule["name"]}
    return replace(story, title=title, notes=notes, about=about, change=change, correct=correct)


def quiet_words(start: int) -> str:
    """Return what a quiet run is, and where it starts."""
    return f"from delivery {start + 1} on nothing is lost, and one proposer keeps trying"


def told(story: Story, drawn: Sequence[Line]) -> list[Line]:
    """Return the wishes and the drawn execution of a story; nothing for a story without events."""
    return [line(), *wishes_lines("", story.wishes), *drawn] if story.events else []


def figures(cluster: Found) -> str:
    """Return how much was explored, and how fast."""
    states, depth, elapsed_s = cluster["states"], plural(cluster["depth"], "delivery"), cluster["elapsed_s"]
    if cluster["by_chance"]:
        found = f"{depth}, found by chance in {elapsed_s:.2f} s"
        return f"{found}: none of them can be left out, but a shorter execution may exist"
    rate = f" ({states / elapsed_s:,.0f} states/s)" if elapsed_s else ""
    seen = f"{plural(states, 'state')}, {plural(cluster['transitions'], 'transition')}, {depth} deep"
    return f"{seen}, in {elapsed_s:.2f} s{rate}"


def property_lines(properties: Iterable[Property], values: Iterable[str], found: Found, known: bool) -> Iterator[Line]:
    """Return which properties always hold, which values are sometimes chosen, and what is known about progress.

    ``known`` says whether a value is chosen if it is not among those that never are.
    """
    for property in properties:
        yield property_line(True, "always", property.name)
    for value in dict.fromkeys([*values, *found["never"]]):
        yield property_line(False if value in found["never"] else known or None, "sometimes", f"{value} is chosen")
    is_kept = {"kept": True, "lost": False}.get(found["progress"])
    why = f": {found['progress']}, {printable(found['progress_reason'] or '')}" if is_kept is None else ""
    yield property_line(is_kept, "progress", f"once the network behaves, a proposer that keeps trying learns{why}")
    yield line(("", "(always: in every execution; sometimes: in at least one, which takes luck;"))
    yield line(("", "the network behaves: no message is lost, and only one proposer times out)"))


def property_line(holds: bool | None, kind: str, words: str) -> Line:
    """Return whether a property holds, or that this is not known."""
    style, mark = {True: ("good", "ok"), False: ("bad heading", "NOT"), None: ("notable", "??")}[holds]
    return line((style, f"{mark:<3}  {kind:<9}  {words}"))


def rules_lines(rules: Sequence[Found]) -> list[Line]:
    """Return all changed rules, grouped by their consequences."""
    titles = {
        "unsafe": "Safety is lost:",
        "safe": "Safe variants (accepts-above is the rule of Paxos Made Simple):",
        "stuck": "It is safe, but proposers that keep trying may never learn:",
        "not-alive": "It is safe, because nothing can be chosen:",
    }
    lines = []
    for fate, title in titles.items():
        lines += [line(), line(("heading", title))]
        lines += [line(("", f"  {rule['name']:<20} {rule['summary']}")) for rule in rules if rule["fate"] == fate]
    return lines[1:]
