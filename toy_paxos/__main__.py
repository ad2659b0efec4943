"""The program's entrance, for ``toy-paxos`` and ``python -m toy_paxos``.

From its first line on, Ctrl-C never shows a traceback. While Python itself starts up before it, about
the first 20 ms, Ctrl-C is Python's own affair.
"""

import atexit
import gc
import signal

# What imports make lives as long as the program: do not look through it for garbage every 700 objects, as Python does
# by default, and not once more at the exit. That takes a sixth of a short run.
gc.set_threshold(50_000)
atexit.register(gc.freeze)

# Until a run listens to Ctrl-C, it ends the program at once and silently: during the imports there is
# nothing to sum up, and Python's own handler would print a traceback. A closed pipe always does so.
signal.signal(signal.SIGINT, signal.SIG_DFL)
if hasattr(signal, "SIGPIPE"):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

from toy_paxos.main import main  # noqa: E402

if __name__ == "__main__":
    main()
