"""What takes long and is the same each time is made once a session, by the process of pytest that asks first."""

import fcntl
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# A folder that the processes of pytest share; conftest.py says where it is.
FOLDER = Path()


def once(name: str, make: Callable[[], T]) -> T:
    """Return what is made under a name, or was made before."""
    with (FOLDER / sha256(name.encode()).hexdigest()).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if data := file.read():
            before: T = pickle.loads(data)
            return before
        made = make()
        pickle.dump(made, file)
        return made
