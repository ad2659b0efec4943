"""Pages: single HTML files, which load nothing else and need no server."""

import json
from importlib.resources import files
from string import Template


def document(name: str, title: str, data: object, **parts: object) -> str:
    """Return the page of a template below the common head; its script reads ``data`` as JSON."""
    head, form = (files("toy_paxos.view").joinpath(each).read_text(encoding="utf-8") for each in ("head.html", name))
    # A script ends at the first "</script", even within a string.
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Template(head + form).substitute(title=title, data=told, **parts)
