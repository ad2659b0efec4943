"""The entry point of ``toy-paxos`` and ``python -m toy_paxos``.

From its first line on, Ctrl-C never shows a traceback. Before that, while Python starts, about 20 ms, it can.
"""

import atexit
import gc
import signal

# Imported objects live as long as the program. So do not search them for garbage after every 700 new objects, Python's
# default, nor at the exit: these searches take a sixth of the time of a short run.
gc.set_threshold(50_000)
atexit.register(gc.freeze)

# Until a run handles Ctrl-C, it ends the program at once and silently: during the imports there is nothing to
# sum up, and Python's own handler would print a traceback. A closed pipe always ends the program so.
signal.signal(signal.SIGINT, signal.SIG_DFL)
if hasattr(signal, "SIGPIPE"):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

from toy_paxos.main import main  # noqa: E402

if __name__ == "__main__":
    main()
