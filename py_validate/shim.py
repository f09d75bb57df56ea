"""What pythonia imports by its path: standard output is not ours, nor are Ctrl-C and Node's channel."""

import os
import signal
import sys

os.dup2(2, 1)  # also for what is not Python
sys.stdout = sys.stderr
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.environ.pop("NODE_CHANNEL_FD", None)

from py_validate.desk import rpc  # noqa: E402, F401
