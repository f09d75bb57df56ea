"""Worker processes that fetch items. They end when the backend ends them or is gone, and by no signal that goes to all
processes of a job: the backend may need their items for a last checkpoint."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.context import BaseContext

from .keeper import blocked
from .process_signals import LEFT_TO_CONTROLLER, leave_to_controller

if sys.platform == "win32":

    def worker_context() -> BaseContext:
        """To start workers with."""
        return multiprocessing.get_context("spawn")

else:
    from multiprocessing import forkserver, popen_forkserver, resource_tracker
    from multiprocessing.context import ForkServerContext, ForkServerProcess
    from multiprocessing.process import BaseProcess

    class Handle(popen_forkserver.Popen):
        def terminate(self) -> None:
            """Who waits for its end right behind this would wait for ever: a worker heeds no SIGTERM."""
            self.kill()

    class Worker(ForkServerProcess):
        @staticmethod
        def _Popen(process_obj: BaseProcess) -> Handle:  # noqa: N802  it is multiprocessing's
            return Handle(process_obj)

    class WorkerContext(ForkServerContext):
        """Forks workers off a process that does nothing else: a fork of one that computes and listens in threads would
        hang now and then."""

        Process = Worker

    def worker_context() -> BaseContext:
        """To start workers with."""
        resource_tracker.ensure_running()  # its start would unblock signals
        with blocked(set(LEFT_TO_CONTROLLER)):  # in the server for good: without it no worker goes on
            forkserver.ensure_running()
        return WorkerContext()


def begin_worker(_worker: int = 0) -> None:
    """The first that a worker does."""
    leave_to_controller()
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, LEFT_TO_CONTROLLER)  # for what its items start
    threading.Thread(target=end_with_backend, name="backend", daemon=True).start()


def end_with_backend() -> None:
    """The server lives as long as any worker does, so that its end would tell no worker of the backend's."""
    backend = multiprocessing.parent_process()
    if backend is not None:
        backend.join()
        os._exit(1)
