"""Stands in for `python ARGUMENTS`: has the warm Python fork, and ends as the fork does.

    python -I -S client.py SOCKET PYTHON ARGUMENTS...

What a fork could not be like, PYTHON itself does: where it gets options of its own, or is told more by its environment.
"""

import json
import os
import signal
import socket
import struct
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT, signal.SIGUSR1)
UNDERSTOOD = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER", "PYTHONDONTWRITEBYTECODE", "PYTHON_BIN"}
"""The last one is for who starts Python."""


def main(warm: str, python: str, arguments: list[str]) -> None:
    told = {name for name in os.environ if name.startswith("PYTHON")}
    if told - UNDERSTOOD or not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-m", "-c")):
        os.execv(python, [python, *arguments])
    numbers = [number for number in map(int, os.listdir("/proc/self/fd")) if is_open(number)]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(warm)
    for number in PASSED_ON:
        signal.signal(number, lambda number, _: connection.sendall(bytes([number])))
    body = json.dumps(
        {"arguments": arguments, "environment": dict(os.environ), "directory": os.getcwd(), "numbers": numbers}
    ).encode()
    socket.send_fds(connection, [struct.pack("<I", len(body))], numbers)
    connection.sendall(body)
    for number in numbers:
        os.close(number)
    status = connection.recv(4, socket.MSG_WAITALL)
    code = struct.unpack("<i", status)[0] if len(status) == 4 else -signal.SIGKILL
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False  # the one that the list was read from
    return True


main(sys.argv[1], sys.argv[2], sys.argv[3:])
