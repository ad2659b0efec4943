"""The first picture of the README: it is what the program tells, and rests in its last state."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import browse, in_a_browser
from conftest import PrintedBy
from moving_picture import COMMAND, DARK, HEIGHT, LIGHT, Film, overlaps

PICTURE = Path(__file__).parent.parent / "toy_paxos" / "pictures" / "adoption.svg"
MOVES = "@media (prefers-reduced-motion: no-preference) {"


def film(printed_by: PrintedBy) -> Film:
    """The round that the picture shows."""
    return Film(printed_by(COMMAND).splitlines())


def test_it_is_drawn_from_what_the_program_prints(printed_by: PrintedBy, request: pytest.FixtureRequest) -> None:
    drawn = film(printed_by).svg()
    if request.config.getoption("--regenerate"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == drawn
    assert HEIGHT <= 370


def test_it_shows_every_message_and_that_pear_becomes_apple_within_five_seconds(printed_by: PrintedBy) -> None:
    shown = film(printed_by)
    messages = [event for event in shown.events if event["event"] == "message"]
    assert [(flight.words.split()[0], flight.end_s) for flight in shown.flights()] == [
        (event["type"], event["t_ms"] * 0.4) for event in messages
    ]
    (since,) = [part.since_s for part in shown.sentences() if "p1 wanted pear, but must take apple" in part.drawn]
    assert since < 5


def test_no_pill_covers_another_for_longer_than_a_moment_or_leaves_the_space_between_cards(
    printed_by: PrintedBy,
) -> None:
    shown = film(printed_by)
    assert max(overlaps(shown).values()) < 0.4
    for flight in shown.flights():
        left, right = sorted((flight.start.x, flight.end.x))
        assert left - flight.width / 2 > 5 + 152
        assert right + flight.width / 2 < 600 - 5 - 152


def seen(picture: str) -> list[str]:
    """The texts of a picture that are seen where nothing moves and styles count for nothing."""
    root = ElementTree.fromstring(picture)
    groups = [part for part in root if part.get("opacity", "1") == "1"]
    return ["".join(text.itertext()) for part in groups for text in part.iter("{http://www.w3.org/2000/svg}text")]


def test_without_motion_the_last_state_is_seen(printed_by: PrintedBy) -> None:
    assert seen(PICTURE.read_text(encoding="utf-8")) == [
        *("proposer-0", "wanted apple", "learned apple"),
        *("proposer-1", "wanted pear", "learned apple"),
        *(words for at in range(3) for words in (f"acceptor-{at}", "promised 2", "accepted 2 apple")),
        "apple was chosen first, so p1 had to turn from pear to apple",
    ]


def test_all_motion_is_for_those_who_want_it_and_ends() -> None:
    style = PICTURE.read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]
    still, _, moving = style.partition(MOVES)
    assert "animation" not in still
    assert "keyframes" not in still
    assert not re.search("<animate|<set|infinite", PICTURE.read_text(encoding="utf-8"))
    assert set(re.findall(r"animation:.*?(\d+)(?=[,}])", moving)) == {"3"}


def luminance(colour: str) -> float:
    """How bright a colour is, as the accessibility guidelines compute it."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_all_words_can_be_read(theme: dict[str, str]) -> None:
    for ink in ("ink", "v0", "v1", "bad"):
        for ground in ("page", "card"):
            dark, light = sorted((luminance(theme[ink]), luminance(theme[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5


@in_a_browser
@pytest.mark.parametrize(("at_s", "words"), [(1, "p0 wants apple"), (4.6, "p1 wanted pear"), (12, "p1 had to turn")])
def test_a_browser_shows_one_sentence_at_a_time_and_each_card_once(at_s: float, words: str, tmp_path: Path) -> None:
    frozen = f"* {{ animation-delay: -{at_s}s !important; animation-play-state: paused !important }}</style>"
    picture = PICTURE.read_text(encoding="utf-8").replace("</style>", frozen)
    script = """const isSeen = part => getComputedStyle(part).opacity === "1";
    const opaque = [...document.querySelectorAll("g")].filter(isSeen);
    document.title = opaque.map(part => part.textContent).join("|");"""
    page = tmp_path / "page.html"
    page.write_text(f"<title></title>{picture}<script>{script}</script>", encoding="utf-8")
    (title,) = re.findall("<title>(.*?)</title>", browse(page))[:1]
    parts = title.split("|")
    sentences = [part for part in parts if not part.startswith(("PR", "AC", "FA", "prop", "acc"))]
    assert len(sentences) == 1
    assert words in sentences[0]
    assert sum(part.startswith(("proposer-", "acceptor-")) for part in parts) == 5
