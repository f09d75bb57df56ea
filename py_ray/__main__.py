"""python -m py_ray: holds backends on a Ray cluster for the controller that started it (see --help).

A line of JSON each way: requests on standard input, what becomes of them on standard output. It ends when its standard
input closes, and with it, by Ray, the actors.
Exit codes: 0 its standard input closed, 1 a bug, 2 wrong command line, 4 Ray or a cluster is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import IO, TYPE_CHECKING

from py_backend.exits import SURROUNDINGS_MISSING, WRONG_USAGE, fail, leave
from py_backend.process_signals import leave_to_controller

from .placing import Placing
from .talk import Place, RequestError, Teller, read_request

if TYPE_CHECKING:  # it needs ray
    from .cluster import Cluster

PROGRAM = "py_ray"
LEAVE_SECONDS = 10.0


def main() -> int:
    arguments = parse_arguments()
    leave_to_controller()
    answers = own_output()
    try:
        from .cluster import Cluster, ClusterError
    except ImportError as error:
        return fail(
            PROGRAM,
            SURROUNDINGS_MISSING,
            f"Ray cannot be imported by {sys.executable} ({error}): run "
            f"`{sys.executable} -m pip install -r {arguments.requirements}`, or name another Python by --python",
        )
    try:
        cluster = Cluster(arguments.address, arguments.python_path)
    except ClusterError as error:
        return fail(PROGRAM, SURROUNDINGS_MISSING, str(error))
    leave_to_controller()  # Ray has handlers of its own
    return serve(cluster, Teller(answers))


def serve(cluster: Cluster, teller: Teller) -> int:
    """Until standard input closes."""
    teller.tell("connected", version=cluster.version)
    placing = Placing(cluster, teller)
    code = 0
    for line in sys.stdin:
        try:
            request = read_request(line)
        except RequestError as error:
            code = fail(PROGRAM, WRONG_USAGE, str(error))
            break
        if isinstance(request, Place):
            placing.place(request)
        else:
            placing.release(request.id)
    leaving = threading.Timer(LEAVE_SECONDS, lambda: leave(code))
    leaving.daemon = True
    leaving.start()  # a cluster that does not answer holds nobody up; it notices that we are gone
    placing.kill_all()
    cluster.leave()
    return code


def own_output() -> IO[str]:
    """Standard output for our lines alone: what else is printed, be it by Ray, goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)
    return answers


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m py_ray",
        description="Holds backends on a Ray cluster for the controller that starts this program.",
    )
    parser.add_argument("--address", required=True, help="auto, HOST:PORT of the cluster's head, or ray://HOST:PORT")
    parser.add_argument("--requirements", required=True, metavar="FILE", help="what to install where Ray is missing")
    parser.add_argument(
        "--python-path",
        action="append",
        default=[],
        metavar="DIR",
        help="upload this directory, and have backends look for modules in it; may be repeated",
    )
    return parser.parse_args()


if __name__ == "__main__":
    leave(main())
