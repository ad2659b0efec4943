"""The first picture of the README: a round as an animated SVG, made from what `--json` prints.

Proposers stand on the left, acceptors on the right. A message is a pill that flies from its sender to its recipient, in
the time that it takes, on a path of its own: so no pill covers another for longer than a moment, and none a card. All
that moves is an animation in CSS over a drawing of the last state. So that is what remains after three rounds, where
somebody wants no motion, and where a host takes the style away.
"""

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, NamedTuple

COMMAND = "toy-paxos --json --num-proposers 2 -n 3 -p 0 --value apple --value pear --seed 288 --round 1"

WIDTH, HEIGHT = 600, 362
CARD_WIDTH, MARGIN, PILL_HEIGHT = 152, 5, 20
SECONDS_PER_MS = 0.4
REST_S = 8
TIMES = 3
# A sentence that would be followed by another one sooner is left out.
LEAST_S = 1.1

LIGHT = {"page": "#ffffff", "ink": "#1f2328", "card": "#f4f5f7", "line": "#c9ced6", "v0": "#0063a6", "v1": "#9c4f00"}
DARK = {"page": "#0d1117", "ink": "#e6edf3", "card": "#161b22", "line": "#3d444d", "v0": "#58a6ff", "v1": "#f0a04b"}
LIGHT |= {"bad": "#b3151b", "faint": "#59636e"}
DARK |= {"bad": "#ff7b72", "faint": "#9198a1"}


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Flight(NamedTuple):
    """A message on its way: its words, their hue, whether they carry a value, and from when to when it is where."""

    words: str
    hue: str
    has_value: bool
    start_s: float
    end_s: float
    start: Point
    end: Point

    @property
    def width(self) -> float:
        """The width of the pill."""
        return 7.6 * len(self.words) + 12


class Shown(NamedTuple):
    """A part of the drawing, and from when on it is shown, until another one takes its place."""

    since_s: float
    drawn: str


class Film:
    """What happens in a round, event by event."""

    def __init__(self, lines: Iterable[str]) -> None:
        told = [json.loads(line) for line in lines]
        self.events = [event for event in told if event["event"] not in ("start", "summary", "round")]
        self.wishes: dict[str, str] = {
            event["proposer"]: event["value"] for event in self.events if event["event"] == "wants"
        }
        self.proposers = [*self.wishes]
        names = {event.get(role) for event in self.events for role in ("sender", "recipient")}
        self.acceptors = sorted(name for name in names if name and name not in self.wishes)
        self.end_s: float = max(event["t_ms"] for event in self.events) * SECONDS_PER_MS
        self.cycle_s = self.end_s + REST_S
        self.animations: list[str] = []

    # Where everything is

    def height(self, name: str) -> float:
        """The height of a card."""
        number = len(self.proposers) if name in self.wishes else len(self.acceptors)
        return (HEIGHT - 50) / number - 8

    def top(self, name: str) -> float:
        """The upper edge of a card."""
        side = self.proposers if name in self.wishes else self.acceptors
        return 4 + side.index(name) * (self.height(name) + 8)

    def port(self, name: str, other: str, is_request: bool) -> float:
        """How high the messages between two actors, requests or answers, leave or reach a card."""
        others = self.acceptors if name in self.wishes else self.proposers
        # Requests leave at the edges of a card and arrive further inside: that keeps apart most of what flies together.
        is_outside = other == others[-1]
        is_lower = is_request == is_outside if name in self.wishes else is_request != is_outside
        number = 2 * others.index(other) + is_lower
        return self.top(name) + self.height(name) * (number + 0.5) / (2 * len(others))

    def hue(self, value: str | None) -> str:
        """The hue of a value, which is that of the proposer that wants it."""
        wanted = [*self.wishes.values()]
        return f"v{wanted.index(value)}" if value in wanted else "faint"

    # What happens

    def flights(self) -> Iterator[Flight]:
        """The messages, each on the path between the cards of its sender and its recipient."""
        for event in self.events:
            if event["event"] != "message":
                continue
            value, about = event["value"], ""
            if value:
                about = f" ({event['accepted_id']} {value})" if event["accepted_id"] else f" {value}"
            words = f"{event['type']} {event['id']}{about}"
            sender, recipient = event["sender"], event["recipient"]
            is_request = sender in self.wishes
            proposer, acceptor = (sender, recipient) if is_request else (recipient, sender)
            hue = "bad" if event["type"] == "FAIL" else self.hue(value or self.wishes[proposer])
            times = (event["sent_ms"] * SECONDS_PER_MS, event["t_ms"] * SECONDS_PER_MS)
            half = (7.6 * len(words) + 12) / 2 + 2
            left = Point(MARGIN + CARD_WIDTH + half, self.port(proposer, acceptor, is_request))
            right = Point(WIDTH - MARGIN - CARD_WIDTH - half, self.port(acceptor, proposer, is_request))
            ends = (left, right) if is_request else (right, left)
            yield Flight(words, hue, bool(value), *times, *ends)

    def cards(self) -> dict[str, list[Shown]]:
        """How the card of each actor looks, and since when."""
        facts: dict[str, Any] = {name: ["wants", wish, None, None] for name, wish in self.wishes.items()}
        facts |= {name: ["promised", "nothing", None, None] for name in self.acceptors}
        cards = {name: [Shown(0, self.card(name, *held))] for name, held in facts.items()}
        for event in self.events:
            name = event.get("recipient") or event.get("proposer")
            match event:
                case {"event": "message", "after": {"promised": promised, "accepted_id": id, "accepted_value": value}}:
                    now = ["promised", str(promised), f"accepted {id}" if id else None, value]
                case {"event": "adoption", "value": value}:
                    now = ["wanted", self.wishes[name], "must take", value]
                case {"event": "learned", "value": value}:
                    now = ["wanted", self.wishes[name], "learned", value]
                case _:
                    continue
            if now != facts[name]:
                facts[name] = now
                cards[name].append(Shown(event["t_ms"] * SECONDS_PER_MS, self.card(name, *now)))
        return cards

    def sentences(self) -> list[Shown]:
        """What is told below the cards, one sentence at a time."""
        wants = " and ".join(f"{short(name)} wants {wish}" for name, wish in self.wishes.items())
        told = [(0.0, f"{wants}: which will it be?")]
        first = ""
        for event in self.events:
            words = ""
            match event:
                case {"event": "quorum", "proposer": name, "acceptors": acceptors}:
                    words = f"{listed(acceptors)} have promised: {short(name)} may propose"
                case {"event": "chosen", "value": first, "acceptors": acceptors}:
                    words = f"★ {first} is chosen: {listed(acceptors)}, a majority, have accepted it"
                case {"event": "adoption", "proposer": name, "acceptor": acceptor, "value": value}:
                    wish = self.wishes[name]
                    words = f"{short(name)} wanted {wish}, but must take {value}: {short(acceptor)} has accepted it"
            if words:
                told.append((event["t_ms"] * SECONDS_PER_MS, words))
        last = next(name for name, wish in self.wishes.items() if wish != first)
        told.append(
            (self.end_s, f"{first} was chosen first, so {short(last)} had to turn from {self.wishes[last]} to {first}")
        )
        ends = [*[since for since, _ in told[1:]], self.cycle_s]
        return [
            Shown(
                since,
                f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" class="told" text-anchor="middle">{escape(words)}</text>',
            )
            for (since, words), end in zip(told, ends, strict=True)
            if end - since >= LEAST_S
        ]

    # How it is drawn

    def card(self, name: str, does: str, what: str, also: str | None, value: str | None) -> str:
        """A card: the name of an actor, what it wants or has promised, and what it has to say of a value."""
        x = MARGIN if name in self.wishes else WIDTH - MARGIN - CARD_WIDTH
        y, left = self.top(name), x + 10
        middle = y + self.height(name) / 2
        gone = "gone" if does == "wanted" and value and value != what else ""
        hue = self.hue(value if also else None)
        lines = [
            f'<rect x="{x}" y="{y:g}" width="{CARD_WIDTH}" height="{self.height(name):g}" rx="9" {stroke(hue)}/>',
            f'<text x="{left}" y="{middle - 17:g}" class="name">{escape(name)}</text>',
            f'<text x="{left}" y="{middle + 5:g}" class="{gone}">{does} {self.value(what)}</text>',
        ]
        if also:
            lines.append(f'<text x="{left}" y="{middle + 27:g}">{also} {self.value(value or "")}</text>')
        return "".join(lines)

    def value(self, words: str) -> str:
        """A value in its hue; anything else as it is."""
        hue = self.hue(words)
        return escape(words) if hue == "faint" else f'<tspan class="{hue}" fill="{LIGHT[hue]}">{escape(words)}</tspan>'

    def pill(self, number: int, flight: Flight) -> str:
        """A pill that is seen only while it flies; it is filled if it carries a value."""
        name = f"m{number}"
        self.animate(f"{name}o", [(0, "opacity:0"), (flight.start_s, "opacity:1"), (flight.end_s, "opacity:0")])
        start, end = (f"transform:translate({x:.0f}px,{y:.0f}px)" for x, y in (flight.start, flight.end))
        self.animate(f"{name}t", [(0, start), (flight.start_s, start), (flight.end_s, end), (self.cycle_s, end)])
        rule = f"animation:{name}o {self.cycle_s:g}s step-end {TIMES},{name}t {self.cycle_s:g}s linear {TIMES}"
        self.animations.append(f"#{name}{{{rule}}}")
        kind = "full" if flight.has_value else "empty"
        width = flight.width
        return (
            f'<g id="{name}" class="{kind} {flight.hue}" opacity="0">'
            f'<rect x="{-width / 2:g}" y="{-PILL_HEIGHT / 2}" width="{width:g}" height="{PILL_HEIGHT}" rx="9"/>'
            f'<text y="4.5" text-anchor="middle">{escape(flight.words)}</text></g>'
        )

    def in_turn(self, name: str, parts: list[Shown]) -> Iterator[str]:
        """Parts of which each takes the place of the one before; without motion only the last one is seen."""
        for number, (since, drawn) in enumerate(parts):
            is_last = number + 1 == len(parts)
            if len(parts) == 1:
                yield f"<g>{drawn}</g>"
                continue
            id = f"{name}{number}"
            steps = [(0.0, "opacity:0"), (since, "opacity:1")] if since else [(0.0, "opacity:1")]
            steps += [] if is_last else [(parts[number + 1].since_s, "opacity:0")]
            self.animate(id, steps)
            self.animations.append(f"#{id}{{animation:{id} {self.cycle_s:g}s step-end {TIMES}}}")
            yield f'<g id="{id}" opacity="{int(is_last)}">{drawn}</g>'

    def animate(self, name: str, steps: list[tuple[float, str]]) -> None:
        """Declare an animation by what is so from when on."""
        frames = "".join(f"{100 * time / self.cycle_s:.2f}%{{{rule}}}" for time, rule in steps)
        self.animations.append(f"@keyframes {name}{{{frames}}}")

    def svg(self) -> str:
        """The whole picture."""
        parts = [part for name, card in self.cards().items() for part in self.in_turn(f"c{name[0]}{name[-1]}s", card)]
        parts += [self.pill(number, flight) for number, flight in enumerate(self.flights())]
        sentences = self.sentences()
        parts += self.in_turn("s", sentences)
        title = " ".join(sentences[-1].drawn.partition(">")[2].removesuffix("</text>").split())
        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
                'font-family="ui-monospace, DejaVu Sans Mono, Menlo, monospace" font-size="14">',
                f"<title>A round of Paxos: {title}</title>",
                "<style>",
                *STYLE,
                *colours(LIGHT),
                "@media (prefers-color-scheme: dark) {",
                *colours(DARK),
                "}",
                "@media (prefers-reduced-motion: no-preference) {",
                *self.animations,
                "}",
                "</style>",
                f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" fill="{LIGHT["page"]}"/>',
                *parts,
                "</svg>",
                "",
            ]
        )


STYLE = [
    ".name { font-weight: bold } .told { font: bold 15px system-ui, DejaVu Sans, sans-serif }",
    ".gone { text-decoration: line-through } g[id^=m] text { font-size: 12.5px; font-weight: bold }",
    "g[id^=m] rect { stroke-width: 1.5 }",
]


def colours(theme: dict[str, str]) -> list[str]:
    """What is painted in which colour."""
    rules = [
        f".page {{ fill: {theme['page']} }} text {{ fill: {theme['ink']} }} .card {{ fill: {theme['card']} }}",
        f".card.faint {{ stroke: {theme['line']} }}",
    ]
    for hue in ("v0", "v1", "bad", "faint"):
        colour = theme[hue]
        rules.append(
            f"tspan.{hue}, .empty.{hue} text, .full.{hue} rect {{ fill: {colour} }} "
            f".card.{hue}:not(.faint), g.{hue} rect {{ stroke: {colour} }}"
        )
    rules.append(f".empty rect, .full text {{ fill: {theme['page']} }}")
    return rules


def short(name: str) -> str:
    """The short name of an actor."""
    return f"{name[0]}{name.rpartition('-')[2]}"


def listed(names: list[str]) -> str:
    """Some short names."""
    return " and ".join(map(short, names))


def stroke(hue: str) -> str:
    """What a card looks like that holds a value of that hue, also where a host takes the style away."""
    colour, width = (LIGHT["line"], 1.5) if hue == "faint" else (LIGHT[hue], 4)
    return f'class="card {hue}" fill="{LIGHT["card"]}" stroke="{colour}" stroke-width="{width}"'


def overlaps(film: Film) -> dict[tuple[str, str], float]:
    """For how many seconds pills cover each other, by their words."""
    found: dict[tuple[str, str], float] = {}
    flights, step = [*film.flights()], 0.02
    for at in range(int(film.end_s / step)):
        seen = []
        for flight in flights:
            if flight.start_s < at * step < flight.end_s:
                part = (at * step - flight.start_s) / (flight.end_s - flight.start_s)
                x = flight.start.x + part * (flight.end.x - flight.start.x)
                y = flight.start.y + part * (flight.end.y - flight.start.y)
                seen.append((flight, x, y))
        for number, (one, x, y) in enumerate(seen):
            for other, other_x, other_y in seen[:number]:
                if abs(x - other_x) < (one.width + other.width) / 2 and abs(y - other_y) < PILL_HEIGHT:
                    key = one.words, other.words
                    found[key] = found.get(key, 0) + step
    return found
