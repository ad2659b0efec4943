"""The program's entrance, for ``toy-paxos`` and ``python -m toy_paxos``.

From its first line on, Ctrl-C never shows a traceback. While Python itself starts up before it, about
the first 20 ms, Ctrl-C is Python's own affair.
"""

import signal

# Until a run listens to Ctrl-C, it ends the program at once and silently: during the imports there is
# nothing to sum up, and Python's own handler would print a traceback. A closed pipe always does so.
signal.signal(signal.SIGINT, signal.SIG_DFL)
if hasattr(signal, "SIGPIPE"):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

from toy_paxos.main import main  # noqa: E402

if __name__ == "__main__":
    main()
