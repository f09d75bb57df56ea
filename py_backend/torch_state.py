"""Torch's state that is the process's, not a run's: code of the user's may change it for every run that comes after."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from .errors import BackendError
from .listed import listed

DENORMAL = 1e-40
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Switch:
    """How a switch is read, and set."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def attribute(owner: Any, name: str) -> Switch:
    return Switch(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def flushes_denormals() -> bool:
    """torch says nowhere whether it does."""
    return float(torch.full((1,), DENORMAL, dtype=torch.float32, device="cpu").mul(1.0)) == 0.0


SWITCHES: dict[str, Switch] = {
    "the default dtype": Switch(torch.get_default_dtype, torch.set_default_dtype),
    "the default device": Switch(torch.get_default_device, lambda _: torch.set_default_device(None)),
    "the mode of gradients": Switch(torch.is_grad_enabled, torch._C._set_grad_enabled),
    "the detection of anomalies": Switch(
        torch.is_anomaly_enabled, lambda value: torch.autograd.set_detect_anomaly(value)
    ),
    "autocast on the CPU": Switch(
        lambda: torch.is_autocast_enabled("cpu"), lambda value: torch.set_autocast_enabled("cpu", value)
    ),
    "autocast on CUDA": Switch(
        lambda: torch.is_autocast_enabled("cuda"), lambda value: torch.set_autocast_enabled("cuda", value)
    ),
    "determinism": Switch(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "filling of uninitialised memory": attribute(torch.utils.deterministic, "fill_uninitialized_memory"),
    "the precision of float32 products": Switch(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "the flushing of denormal numbers": Switch(flushes_denormals, torch.set_flush_denormal),
    **{
        f"torch.backends.{place}.{name}": attribute(owner, name)
        for place, owner, names in (
            ("mkldnn", torch.backends.mkldnn, ("enabled", "deterministic", "allow_tf32")),
            ("cudnn", torch.backends.cudnn, ("enabled", "benchmark", "deterministic", "allow_tf32")),
            (
                "cuda.matmul",
                torch.backends.cuda.matmul,
                (
                    "allow_tf32",
                    "allow_fp16_reduced_precision_reduction",
                    "allow_bf16_reduced_precision_reduction",
                ),
            ),
            ("opt_einsum", torch.backends.opt_einsum, ("enabled", "strategy")),
        )
        for name in names
    },
    **{
        f"torch.backends.cuda.enable_{name}": Switch(
            getattr(torch.backends.cuda, f"{name}_enabled"), getattr(torch.backends.cuda, f"enable_{name}")
        )
        for name in ("flash_sdp", "mem_efficient_sdp", "math_sdp", "cudnn_sdp")
    },
}


class TorchState:
    """What is expected of the process's torch: as it was found at construction, until a run says otherwise."""

    def __init__(self) -> None:
        self._switches = read_switches()
        self._methods = {owner: methods_of(owner) for owner in owners()}

    def expect_current(self) -> None:
        """The switches as they are set now."""
        self._switches = read_switches()

    def restore(self, whose: str) -> list[str]:
        """Sets back the switches that were changed, and says so: a line for a person, or none.

        Raises BackendError (bad_reference) where methods of torch's own were replaced, which are back then, too.
        """
        patched = [*self._restored_methods()]
        changed = [*self._restored_switches()]
        if patched:
            raise BackendError("bad_reference", patch_text(whose, patched))
        if not changed:
            return []
        line = f"{whose} changed {listed(changed)}: set back, for it is every run's; runs are made with what it was"
        print(f"py_backend: {line}", file=sys.stderr, flush=True)
        return [line]

    def restore_after(self, whose: str) -> list[str]:
        """As `restore`, where those who changed something are gone: what they replaced is said, and nobody refused."""
        try:
            return self.restore(whose)
        except BackendError as error:
            return [error.message]

    def refuse_patches(self, whose: str) -> None:
        """Raises BackendError (bad_reference) where methods of torch's own were replaced, which are back then."""
        patched = [*self._restored_methods()]
        if patched:
            raise BackendError("bad_reference", patch_text(whose, patched))

    def _restored_switches(self) -> Iterator[str]:
        for name, now in read_switches().items():
            expected = self._switches[name]
            if now != expected:
                SWITCHES[name].write(expected)
                yield f"{name} ({expected}, then {now})"

    def _restored_methods(self) -> Iterator[str]:
        for owner, expected in self._methods.items():
            for name, now in methods_of(owner).items():
                if name not in expected and isinstance(owner, type) and hasattr(super(owner, owner), name):
                    delattr(owner, name)  # it hid what the class inherits
                    yield f"{title(owner)}.{name}"
                elif name in expected and now is not expected[name] and not is_torchs_own(now):
                    setattr(owner, name, expected[name])
                    yield f"{title(owner)}.{name}"


def is_torchs_own(replacement: Any) -> bool:
    """Whether torch.compile put it there: it counts the modules that are made."""
    return str(getattr(replacement, "__module__", "")).startswith("torch._dynamo.")


def patch_text(whose: str, patched: list[str]) -> str:
    return f"{whose} replaced {listed(patched)}, which every run of this backend uses: derive a class of your own"


def read_switches() -> dict[str, Any]:
    return {name: read(switch) for name, switch in SWITCHES.items()}


def read(switch: Switch) -> Any:
    """A switch that has a newer form cannot be read once that was used."""
    try:
        return switch.read()
    except RuntimeError:
        return UNREADABLE


def owners() -> list[type | ModuleType]:
    """Of what may be replaced: torch's modules of layers, functions and initialisers, and tensors."""
    layers = {
        value: None
        for module_name, module in [*sys.modules.items()]
        if module_name == "torch.nn" or module_name.startswith("torch.nn.")
        for value in [*vars(module).values()]
        if isinstance(value, type) and value.__module__.startswith("torch.nn.")
    }
    return [torch.nn.functional, torch.nn.init, torch.Tensor, *layers]


def methods_of(owner: type | ModuleType) -> Mapping[str, Any]:
    return {
        name: value
        for name, value in [*vars(owner).items()]
        if callable(value) or isinstance(value, classmethod | staticmethod | property)
    }


def title(owner: type | ModuleType) -> str:
    return owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__qualname__}"
