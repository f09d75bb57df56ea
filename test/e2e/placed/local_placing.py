"""In place of py_ray: its own placing and holder, on a cluster that is this machine alone, without Ray. Of files in the
directory that it is given `node-dies` has the first backend lost, as with its node; `busy` keeps all of it waiting."""

import sys
import threading
import time
from pathlib import Path

from py_ray.__main__ import own_output
from py_ray.holder import Holder, News, Started, kill_group
from py_ray.placing import LostError, Placing
from py_ray.resources import Amounts
from py_ray.talk import Demand, Order, Place, Teller, read_request

SIGNS = Path(sys.argv[1])
LOOK_SECONDS = 0.05


class LocalHeld(Holder):
    def __init__(self) -> None:
        super().__init__()
        self._lost = threading.Event()

    def node(self, seconds: float) -> str | None:
        return None if (SIGNS / "busy").exists() else "127.0.0.1"

    def begin(self, order: Order) -> Started:
        started = self.start(order, "127.0.0.1", [])
        threading.Thread(target=self._die_when_told, daemon=True).start()
        return started

    def news(self) -> News:
        news = super().news()
        if self._lost.is_set():
            raise LostError("it died")
        return news

    def kill(self) -> None:
        self.stop()

    def _die_when_told(self) -> None:
        sign = SIGNS / "node-dies"
        while not sign.exists():
            time.sleep(LOOK_SECONDS)
        sign.unlink(missing_ok=True)
        self._lost.set()
        if self._backend is not None:
            kill_group(self._backend.pid)


class LocalCluster:
    def nodes(self) -> list[Amounts]:
        return [{"CPU": 2.0}]

    def free(self) -> Amounts:
        return {"CPU": 0.0}

    def may_grow(self) -> bool:
        return False

    def hold(self, demand: Demand) -> LocalHeld:
        return LocalHeld()


teller = Teller(own_output())
teller.tell("connected", version="none")
placing = Placing(LocalCluster(), teller)
for line in sys.stdin:
    request = read_request(line)
    if isinstance(request, Place):
        placing.place(request)
    else:
        placing.release(request.id)
placing.kill_all()
