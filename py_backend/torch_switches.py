"""Torch's switches, which are the process's: how each is read, and set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

DENORMAL, ONE = 1e-310, 1.0
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Switch:
    """How a switch is read, and set."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def attribute(owner: Any, name: str) -> Switch:
    return Switch(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def flushes_denormals() -> bool:
    """torch says nowhere whether it does; what it sets is this thread's, for Python's floats too."""
    return DENORMAL * ONE == 0.0


def fp32_precisions() -> dict[str, Switch]:
    """The newer form of some of the switches below, as far as this torch has it; what is `none` is as the one above it
    says, so all comes before its parts."""
    places = (
        "",
        "cuda.matmul",
        "cudnn",
        "cudnn.conv",
        "cudnn.rnn",
        "mkldnn",
        "mkldnn.matmul",
        "mkldnn.conv",
        "mkldnn.rnn",
    )
    owners = {f"torch.backends.{place}".rstrip("."): owner_at(place) for place in places}
    return {
        f"{name}.fp32_precision": attribute(owner, "fp32_precision")
        for name, owner in owners.items()
        if hasattr(owner, "fp32_precision")
    }


def owner_at(place: str) -> Any:
    owner: Any = torch.backends
    for name in filter(None, place.split(".")):
        owner = getattr(owner, name, None)
    return owner


SWITCHES: dict[str, Switch] = {
    "the default dtype": Switch(torch.get_default_dtype, torch.set_default_dtype),
    "the default device": Switch(lambda: torch.empty(0).device, lambda _: torch.set_default_device(None)),
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
                    "allow_fp16_accumulation",
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
    "torch.backends.mha.set_fastpath_enabled": Switch(
        torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled
    ),
    "torch.backends.nnpack.enabled": Switch(
        torch._C._get_nnpack_enabled, lambda value: torch.backends.nnpack.set_flags(value)
    ),
    **{
        f"torch.backends.cuda.{choose.__name__}": Switch(choose, choose)
        for choose in (torch.backends.cuda.preferred_linalg_library, torch.backends.cuda.preferred_blas_library)
    },
    **fp32_precisions(),
}


def read_switches() -> dict[str, Any]:
    return {name: read(switch) for name, switch in SWITCHES.items()}


def read(switch: Switch) -> Any:
    """A switch that has a newer form cannot be read once that was used."""
    try:
        return switch.read()
    except RuntimeError:
        return UNREADABLE
