"""python -m py_backend: starts a backend (see --help).

torch is imported only after the environment is set: threads, allocator and cuBLAS read it at their first use.
Exit codes: 0 told to stop, 2 wrong command line, 4 something is missing, 130 interrupted.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys

WRONG_USAGE = 2
SURROUNDINGS_MISSING = 4
INTERRUPTED = 130

MIN_PYTHON, PYTHON_LIMIT = (3, 10), (3, 14)
MIN_TORCH = (2, 8)
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def main() -> int:
    arguments = parse_arguments()
    if not MIN_PYTHON <= sys.version_info[:2] < PYTHON_LIMIT:
        return fail(
            SURROUNDINGS_MISSING, f"{sys.executable} is Python {sys.version.split()[0]}: 3.10 to 3.13 is needed"
        )
    set_environment(arguments.threads)
    keep_freed_memory()
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
        return fail(
            SURROUNDINGS_MISSING,
            f"torch cannot be imported by {sys.executable} ({error}): install torch >= 2.8 there, "
            "or name another Python with --python or IBATCH_PYTHON",
        )
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < MIN_TORCH:
        return fail(SURROUNDINGS_MISSING, f"torch {torch.__version__} at {sys.executable}: 2.8 or later is needed")
    torch.set_num_threads(arguments.threads)
    try:
        return serve(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def serve(arguments: argparse.Namespace) -> int:
    try:
        from . import device, endpoints, errors
        from .server import ListenError, Server
    except ImportError as error:
        return fail(
            SURROUNDINGS_MISSING,
            f"{error} (Python at {sys.executable}): run `{sys.executable} -m pip install -r requirements.txt`",
        )
    if arguments.child:  # Ctrl-C is the parent's to handle
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    device.make_deterministic()
    try:
        server = Server(endpoints.parse(arguments.listen), device.resolve(arguments.device), arguments.threads)
    except endpoints.EndpointError as error:
        return fail(WRONG_USAGE, str(error))
    except errors.BackendError as error:
        return fail(SURROUNDINGS_MISSING, error.message)
    except ListenError as error:
        return fail(
            SURROUNDINGS_MISSING,
            f"cannot listen at {arguments.listen}: {error}; name another port",
        )
    server.run(end_with_stdin=arguments.child)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m py_backend",
        description="Starts a backend that trains what a controller sends it.",
        epilog="example: python -m py_backend --listen tcp://127.0.0.1:5555 --threads 8",
    )
    parser.add_argument(
        "--listen", required=True, metavar="URL", help="control endpoint: ipc://PATH or tcp://127.0.0.1:PORT (0: any)"
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda:N")
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count() or 1, help="CPU threads of torch (default: all cores)"
    )
    parser.add_argument(
        "--child", action="store_true", help="end when standard input closes; leave Ctrl-C to the parent"
    )
    return parser.parse_args()


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads; an integer from 1 on is expected")
    return int(text)


def set_environment(threads: int) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def keep_freed_memory() -> None:
    """Tells glibc to keep large blocks for the next batch, instead of returning each to the kernel: same bits, and
    faster the larger the batch. Without effect elsewhere."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)


def fail(code: int, message: str) -> int:
    print(f"py_backend: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
