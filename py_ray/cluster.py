"""The Ray door: the only file that imports ray. Actors hold backends (holder.py) with what of a node each may use."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray.exceptions import GetTimeoutError, RayError

import py_backend

from .holder import Holder, News, Started
from .placing import LostError, in_one_line
from .resources import Amounts, amounts_of
from .talk import Demand, Order

CONNECT_SECONDS = 5.0
STOP_SECONDS = 20.0
"""An actor that is to end its backend in order: longer than that takes."""
AT_ONCE = 16
"""Methods of an actor that run side by side: news is waited for while another is asked."""
PACKAGES = [str(Path(file).resolve().parent) for file in (py_backend.__file__, __file__)]


class ClusterError(Exception):
    """No cluster to work with; one line for a person."""


class HeldBackend(Holder):
    """What Ray's actor is."""

    def node(self) -> str:
        """Answered once a node has it."""
        return str(ray.util.get_node_ip_address())

    def begin(self, order: Order) -> Started:
        return self.start(order, self.node(), uploaded_paths())


def uploaded_paths() -> list[str]:
    """On a node: where the directories of `--python-path` were unpacked, which were uploaded behind our packages."""
    uris = ray.get_runtime_context().runtime_env.get("py_modules", [])[len(PACKAGES) :]
    places = [Path(place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    unpacked = {place.name: place for place in places}
    return [str(next(unpacked[Path(uri).stem].iterdir())) for uri in uris]


class Held:
    """An actor, as this program sees it."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._node = actor.node.remote()

    def node(self, seconds: float) -> str | None:
        """Its node's address; None while it waits for one. Raises LostError."""
        node: str | None = asked(lambda: ray.get(self._node, timeout=seconds))
        return node

    def begin(self, order: Order) -> Started:
        started: Started = asked(lambda: ray.get(self._actor.begin.remote(order)))
        return started

    def news(self) -> News:
        news: News = asked(lambda: ray.get(self._actor.news.remote()))
        return news

    def stop(self) -> None:
        """Ends the backend in order where it is there, and the actor."""
        try:
            if self.node(0) is not None:
                asked(lambda: ray.get(self._actor.stop.remote(), timeout=STOP_SECONDS))
        except LostError:
            pass
        self.kill()

    def kill(self) -> None:
        ray.kill(self._actor)


def asked(ask: Callable[[], Any]) -> Any:
    """None: not in time. Raises LostError."""
    try:
        return ask()
    except GetTimeoutError:
        return None
    except RayError as error:
        raise LostError(f"{type(error).__name__}: {in_one_line(error)}") from None


class Cluster:
    """The cluster that this program is connected to."""

    def __init__(self, address: str, python_paths: Iterable[str]) -> None:
        """Uploads our packages, and the directories. Raises ClusterError."""
        refuse_nobody(address)
        modules = [*PACKAGES, *(str(Path(path).resolve()) for path in python_paths)]
        try:
            ray.init(
                address=address,
                runtime_env={"py_modules": modules},
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:
            raise ClusterError(why_not(address, error)) from None

    @property
    def version(self) -> str:
        return str(ray.__version__)

    def nodes(self) -> list[Amounts]:
        """What each node that lives has, whoever uses it."""
        return [amounts_of(node["Resources"]) for node in ray.nodes() if node["Alive"]]

    def free(self) -> Amounts:
        """Of all nodes together."""
        return amounts_of(ray.available_resources())

    def may_grow(self) -> bool:
        """Whether an autoscaler may add nodes of kinds that are not there now."""
        return ray._private.state.state.get_max_resources_from_cluster_config() is not None

    def hold(self, demand: Demand) -> Held:
        """Asks for an actor; it waits in Ray's queue until a node has what it demands."""
        held = ray.remote(
            num_cpus=demand.cpus,
            num_gpus=demand.gpus,
            memory=demand.memory_bytes,
            max_restarts=0,
            max_concurrency=AT_ONCE,
        )(HeldBackend)
        return Held(held.remote())

    def leave(self) -> None:
        """Ray ends the actors that are left."""
        ray.shutdown()


def refuse_nobody(address: str) -> None:
    """Ray itself tries for long. Raises ClusterError."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not separator or not port.isdecimal():
        raise ClusterError(f"--ray {address}: expected auto, HOST:PORT of the cluster's head, or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"--ray {address}: no cluster is there ({error}): start one with `ray start --head`, or name another"
        ) from None


def why_not(address: str, error: Exception) -> str:
    said = in_one_line(error)
    if address == "auto" and isinstance(error, ConnectionError):
        return (
            "--ray auto: this machine is in no Ray cluster: start one with `ray start --head`, join one with "
            "`ray start --address HOST:PORT`, or name one by --ray ADDRESS"
        )
    if said.startswith("Version mismatch"):
        return f"--ray {address}: {said}: name a Python with the cluster's versions by --python"
    return f"--ray {address}: Ray cannot use it: {type(error).__name__}: {said}"
