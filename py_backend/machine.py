"""What the host is, in the system's words: its processor and its memory."""

from __future__ import annotations

import os

BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""Of CPUs that multiply in it, as /proc/cpuinfo names them."""


def processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.processor() or platform.machine()


def processor_flags() -> frozenset[str] | None:
    """What the CPU can do, in the system's words; None where it does not say."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            found = next(line.split(":", 1)[1] for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return None
    return frozenset(found.split())


def bfloat16_on_cpu(flags: frozenset[str] | None) -> str:
    """Whether there is something to say of it, in a line."""
    if flags is None or flags & BFLOAT16_FLAGS:
        return ""
    return "slower than float32 on this CPU: /proc/cpuinfo names none of " + ", ".join(sorted(BFLOAT16_FLAGS))


def free_host_bytes() -> int:
    """Memory that could still be taken without swapping, as the system estimates it."""
    try:
        with open("/proc/meminfo", encoding="utf-8") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
