"""Draw the law of the success rate for the README: `python tests/law.py > toy_paxos/pictures/law.svg`.

Curves are what is expected, dots are what rounds by dice come to.
"""

import math
import sys
from collections.abc import Iterator
from itertools import islice

from toy_paxos.round import Outcome
from toy_paxos.settings import Settings
from toy_paxos.simulation import play_rounds

# Of each number of acceptors: how its curve is dashed.
SIZES = {3: "none", 9: "8 4", 27: "2 4"}

# From here on more acceptors hurt: where an acceptor fails neither request with probability 1/2.
CROSSING = 1 - math.sqrt(1 / 2)

LAST_P = 0.6
NUM_ROUNDS = 2_000
DOTS = [number / 20 for number in range(1, 12)]

LEFT, TOP, WIDTH, HEIGHT = 56, 30, 520, 300

STYLE = """
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: currentColor }
svg { color: #222 } .paper, circle { fill: #fff }
path { fill: none } path, circle { stroke: currentColor; stroke-width: 2 } path.axis { stroke-width: .4 }
.n3 { color: #0063a6 } .n9 { color: #9c4f00 } .n27 { color: #7a3a9a } .crossing { color: #b3151b }
@media (prefers-color-scheme: dark) {
svg { color: #ddd } .paper, circle { fill: #16181c }
.n3 { color: #6cb6ff } .n9 { color: #e0a458 } .n27 { color: #c99bf0 } .crossing { color: #ff8080 }
}
"""


def expected(num_acceptors: int, p: float) -> float:
    """The rate of consensus by the law."""
    return Settings(num_acceptors, p, seed=1).expected_consensus_rate


def observed(num_acceptors: int, p: float) -> float:
    """The rate of consensus by dice."""
    rounds = islice(play_rounds(Settings(num_acceptors, p, seed=1), told=False), NUM_ROUNDS)
    return sum(finished.outcome is Outcome.CONSENSUS for finished in rounds) / NUM_ROUNDS


def place(p: float, rate: float) -> tuple[float, float]:
    """Where a rate is in the picture."""
    return round(LEFT + WIDTH * p / LAST_P, 1), round(TOP + HEIGHT * (1 - rate), 1)


def curve(num_acceptors: int) -> str:
    """The law for a number of acceptors."""
    places = (place(p / 100, expected(num_acceptors, p / 100)) for p in range(round(100 * LAST_P) + 1))
    path = "L".join(f"{x} {y}" for x, y in places)
    return f'<path d="M{path}" stroke-dasharray="{SIZES[num_acceptors]}"/>'


def axes() -> Iterator[str]:
    """The lines and figures behind the curves."""
    for percent in range(0, 101, 25):
        x, y = place(0, percent / 100)
        yield f'<path class="axis" d="M{x} {y}h{WIDTH}"/>'
        yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{percent}%</text>'
    for tenths in range(7):
        x, y = place(tenths / 10, 0)
        yield f'<text x="{x}" y="{y + 20}" text-anchor="middle">{tenths / 10:.1f}</text>'
    x, y = place(LAST_P / 2, 0)
    yield f'<text x="{x}" y="{y + 42}" text-anchor="middle">p, how often an acceptor fails a request</text>'
    yield f'<text x="{LEFT}" y="{TOP - 12}">rounds with consensus</text>'


def drawing() -> str:
    """The picture."""
    parts = [*axes()]
    x, y = place(CROSSING, 1)
    parts.append(f'<g class="crossing"><path d="M{x} {y}v{HEIGHT}" stroke-dasharray="4 4"/>')
    parts.append(f'<text x="{x + 8}" y="{y + 18}">p = {CROSSING:.3f}: from here on more acceptors hurt</text></g>')
    end, lowest = place(LAST_P, 0)
    for above, number in enumerate(reversed(SIZES)):
        label = min(lowest - 16 * above, place(LAST_P, expected(number, LAST_P))[1])
        parts.append(f'<g class="n{number}">{curve(number)}<text x="{end + 6}" y="{label + 4}">N = {number}</text>')
        parts += ['<circle cx="{}" cy="{}" r="4"/>'.format(*place(p, observed(number, p))) for p in DOTS]
        parts.append("</g>")
    width, height = end + 80, lowest + 56
    words = f"How often {', '.join(map(str, SIZES))} acceptors agree, by how often each fails a request"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img">\n<title>{words}</title>\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="100%" height="100%"/>\n{chr(10).join(parts)}\n</svg>\n'
    )


if __name__ == "__main__":
    sys.stdout.write(drawing())
