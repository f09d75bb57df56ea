"""python -m py_backend: starts a backend (see --help).

torch is imported only after the environment is set: threads, allocator and cuBLAS read it at their first use.
Exit codes: 0 told to stop, 1 a bug, 2 wrong command line, 4 something is missing, 5 the device is broken,
130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import TYPE_CHECKING

from . import keeper, user_token
from .exits import DEVICE_BROKEN, SURROUNDINGS_MISSING, WRONG_USAGE, fail, leave
from .freed_memory import keep_freed_memory
from .process_signals import handle_sigterm, leave_to_controller, outlive_time_limit_warning

if TYPE_CHECKING:  # it needs torch
    from .admission import Admission
    from .endpoints import Endpoints
    from .server import Server

PROGRAM = "py_backend"
INTERRUPTED = 130
TERMINATED = 143

MIN_PYTHON, PYTHON_LIMIT = (3, 10), (3, 14)
MIN_TORCH = (2, 8)


def main() -> int:
    try:
        outlive_time_limit_warning()
        handle_sigterm(lambda *_: sys.exit(TERMINATED))
        return start(parse_arguments())
    except KeyboardInterrupt:
        return INTERRUPTED


def start(arguments: argparse.Namespace) -> int:
    """Checks what is needed, and serves."""
    if arguments.child:
        leave_to_controller()
    kept = keeper.start(child=arguments.child)
    if not MIN_PYTHON <= sys.version_info[:2] < PYTHON_LIMIT:
        return fail(
            PROGRAM,
            SURROUNDINGS_MISSING,
            f"{sys.executable} is Python {sys.version.split()[0]}: 3.10 to 3.13 is needed",
        )
    set_environment(arguments.threads)
    add_python_paths(arguments.python_path)
    keep_freed_memory()
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
        return fail(
            PROGRAM,
            SURROUNDINGS_MISSING,
            f"torch cannot be imported by {sys.executable} ({error}): install torch >= 2.8 there, "
            "or name another Python with --python or IBATCH_PYTHON",
        )
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < MIN_TORCH:
        return fail(
            PROGRAM, SURROUNDINGS_MISSING, f"torch {torch.__version__} at {sys.executable}: 2.8 or later is needed"
        )
    torch.set_num_threads(arguments.threads)
    return serve(arguments, kept)


def serve(arguments: argparse.Namespace, kept: keeper.Keeper) -> int:
    try:
        from . import admission, device, endpoints, errors
        from .identity import Identity
        from .references import importing
        from .server import ListenError, Server
    except ImportError as error:
        return fail(
            PROGRAM,
            SURROUNDINGS_MISSING,
            f"{error} (Python at {sys.executable}): run `{sys.executable} -m pip install -r requirements-backend.txt`",
        )
    importing.allow(arguments.allow_import, arguments.python_path)
    device.set_arithmetic()
    try:
        chosen = device.resolve(arguments.device)
        device.select(chosen)
        device.use_own_stream(chosen)
        where = endpoints.parse(arguments.listen, has_keys=bool(arguments.keys or arguments.client_key))
        server = Server(
            where,
            Identity.of(chosen, arguments.threads),
            admission=admission_to(where, arguments.keys, arguments.client_key),
            on_stop=kept.ending,
        )
    except (endpoints.EndpointError, admission.KeysError, user_token.TokenError) as error:
        return fail(PROGRAM, WRONG_USAGE, str(error))
    except errors.BackendError as error:
        return fail(PROGRAM, SURROUNDINGS_MISSING, error.message)
    except ListenError as error:
        return fail(PROGRAM, SURROUNDINGS_MISSING, f"cannot listen at {error}")
    if warning := device.workspace_warning(chosen):
        print(f"py_backend: {warning}", file=sys.stderr, flush=True)
    return run(server, arguments)


def admission_to(where: Endpoints, keys: str | None, client_key: str | None) -> Admission | None:
    """Who is let in. Raises KeysError, TokenError. An ipc socket is in a directory that only its owner may enter."""
    from .admission import Admission

    if not where.control.startswith("tcp://"):
        return None
    if client_key:
        return Admission.to_client(client_key)
    return Admission.by_keys(keys) if keys else Admission.by_token(user_token.user_token())


def run(server: Server, arguments: argparse.Namespace) -> int:
    """Serves until told to stop; where it is no child, a SIGTERM does so at the next batch boundary."""
    signals: list[int] = []

    def terminate(signal_number: int, _frame: object) -> None:
        signals.append(signal_number)
        server.stop()

    if not arguments.child:
        handle_sigterm(terminate)
    is_broken = server.run(
        end_with_stdin=arguments.child,
        ready_fd=arguments.ready_fd,
        end_after_silence=arguments.end_after_silence,
    )
    if is_broken:
        return DEVICE_BROKEN
    return TERMINATED if signals else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m py_backend",
        description="Starts a backend that trains what a controller sends it.",
        epilog="example: python -m py_backend --listen tcp://127.0.0.1:5555 --threads 8",
    )
    parser.add_argument(
        "--listen",
        required=True,
        metavar="URL",
        help="control endpoint: ipc://PATH or tcp://HOST:PORT, where work takes PORT+1 (0: any two)",
    )
    parser.add_argument(
        "--keys",
        default=os.environ.get("IBATCH_KEYS"),
        metavar="DIR",
        help="directory with server.key_secret and the public keys (*.key) of the clients that are let in: "
        "`ibatch keys` makes them. Needed for tcp beyond loopback; on loopback IBATCH_TOKEN, or a token in your own "
        "configuration, is enough (default: IBATCH_KEYS)",
    )
    parser.add_argument(
        "--client-key",
        metavar="KEY",
        help="public key of the one client that is let in; the backend's own, a new one, is said with where it listens",
    )
    parser.add_argument(
        "--end-after-silence",
        type=seconds,
        metavar="SECONDS",
        help="end when no controller was heard of for so long (default: wait for ever)",
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda:N")
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count() or 1, help="CPU threads of torch (default: all cores)"
    )
    parser.add_argument(
        "--allow-import",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module, with its submodules, that controllers may have imported: it runs code; may be repeated",
    )
    parser.add_argument(
        "--python-path",
        action="append",
        default=[],
        metavar="DIR",
        help="look for modules in this directory, too; may be repeated",
    )
    parser.add_argument(
        "--child",
        action="store_true",
        help="end when standard input closes or the parent says so, not by signals, which are the parent's to handle",
    )
    parser.add_argument(
        "--ready-fd",
        type=descriptor,
        metavar="FD",
        help="say where it listens to this open file descriptor, instead of standard output",
    )
    return parser.parse_args()


def descriptor(text: str) -> int:
    try:
        os.fstat(int(text))
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text} is no file descriptor that is open here ({error}); a wrapper around Python must pass it on"
        ) from None
    return int(text)


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads; an integer from 1 on is expected")
    return int(text)


def set_environment(threads: int) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def add_python_paths(directories: list[str]) -> None:
    """Where the user's modules are looked for: here, behind what is found already, and in worker processes."""
    absolute = [os.path.abspath(directory) for directory in directories]
    sys.path.extend(directory for directory in absolute if directory not in sys.path)


if __name__ == "__main__":
    leave(main())
