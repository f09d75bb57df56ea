"""A network that leaves behind whatever code can, for test/e2e/left-behind.test.ts."""

import os
import subprocess
import sys
import threading
import time

from torch import nn

WRITES_ITS_NUMBER = "import os, sys; open(os.path.join(sys.argv[1], str(os.getpid())), 'w').close(); "
HEEDS_NOTHING = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
STAYS = "import time; time.sleep(600)"
LEFT = []


def leave(folder):
    """A thread without end; a child that heeds no SIGTERM; and a grandchild in a session of its own, which nobody can
    tell from a stranger's. Both hold standard output and error open."""
    threading.Thread(target=time.sleep, args=[600]).start()
    stays = [sys.executable, "-I", "-S", "-c", WRITES_ITS_NUMBER + HEEDS_NOTHING + STAYS]
    LEFT.append(subprocess.Popen([*stays, os.path.join(folder, "child")]))
    start = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
    subprocess.run([sys.executable, "-I", "-S", "-c", start, *stays, os.path.join(folder, "grandchild")], check=True)


class Leaving(nn.Sequential):
    def __init__(self, folder: str):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
        if not LEFT:
            leave(folder)
