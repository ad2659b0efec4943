"""A real browser, which opens one page after another: pytest runs all tests that need it in one process."""

import atexit
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import once
import pytest

F = TypeVar("F", bound=Callable[..., Any])

CHROMIUM = shutil.which("chromium")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def in_a_browser(test: F) -> F:
    """Mark a test that needs a browser, and skip it where there is none."""
    skipped = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")(test)
    marked: F = pytest.mark.outside(pytest.mark.xdist_group("browser")(skipped))
    return marked


class Browser:
    """Chromium with a single tab, told by the DevTools protocol what to do: JSON, each message ended by a zero byte.

    Chromium reads this from file 3 and answers on file 4. It ends when the other end of file 3 is closed.
    """

    def __init__(self, profile: Path) -> None:
        reads, its_words = os.pipe()
        its_ears, writes = os.pipe()

        def connect() -> None:
            # Copied first, so that neither is overwritten if it is 3 or 4 already.
            files = [fcntl.fcntl(file, fcntl.F_DUPFD, 5) for file in (its_ears, its_words)]
            for number, file in enumerate(files, start=3):
                os.dup2(file, number)

        command = [CHROMIUM or "", *QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, stdin=null, stdout=null, stderr=null, pass_fds=(3, 4), preexec_fn=connect
        )
        os.close(its_ears)
        os.close(its_words)
        self.reads, self.writes, self.read = reads, os.fdopen(writes, "wb"), b""
        self.numbers = count(1)
        (tab,) = [one for one in self.tell("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        self.session = self.tell("Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
        self.tell("Page.enable", self.session)

    def tell(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Give a command; return its result."""
        number = next(self.numbers)
        told = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self.writes.write(json.dumps(told).encode() + b"\0")
        self.writes.flush()
        answer = self.wait_for("id", number)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, key: str, value: object) -> dict[str, Any]:
        """Return the next message that has this."""
        message: dict[str, Any] = {}
        while message.get(key) != value:
            text, end, rest = self.read.partition(b"\0")
            if end:
                message, self.read = json.loads(text), rest
            else:
                new = os.read(self.reads, 1 << 20)
                assert new, "the browser has ended"
                self.read += new
        return message

    def open(self, address: str) -> str:
        """Open a page; return what it has become when it is loaded and its scripts have run."""
        self.tell("Page.navigate", self.session, url=address)
        self.wait_for("method", "Page.loadEventFired")
        expression = "document.documentElement.outerHTML"
        shown: str = self.tell("Runtime.evaluate", self.session, expression=expression)["result"]["value"]
        return shown

    def end(self) -> None:
        """End it."""
        self.writes.close()
        self.process.wait()


@cache
def browser() -> Browser:
    """The browser of this process of pytest."""
    its = Browser(once.FOLDER / f"chromium-{os.getpid()}")
    atexit.register(its.end)
    return its


def browse(page: Path, step: str = "") -> str:
    """What a browser makes of a page that is opened at a step."""
    # The old page must be gone: from one step of a page to another, no page is loaded.
    browser().open("about:blank")
    return browser().open(f"{page.as_uri()}{step}")
