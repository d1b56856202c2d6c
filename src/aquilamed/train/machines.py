"""Machines that a plan is made for: `24xA100-40G`, `8xH100`, `laptop`."""

import dataclasses
import os
import re

from aquilamed.core.config import check, nearest
from aquilamed.core.errors import ConfigError

LAPTOP = "laptop"
GB = 10**9


@dataclasses.dataclass(frozen=True)
class Device:
    """One GPU, or the processor and memory of this machine."""

    memory: float
    """Bytes."""
    flops: float
    """Dense matrix products in the type that training multiplies in, floating-point operations a second; 0: to be measured here."""
    utilisation: float
    """Share of `flops` that a step's useful arithmetic is taken to reach. ours: an assumption on GPUs, which the plan states"""
    on_gpu: bool = True


DEVICES = {
    "A100-40G": Device(40 * GB, 312e12, 0.4), "A100-80G": Device(80 * GB, 312e12, 0.4),
    "H100": Device(80 * GB, 989e12, 0.35), "H200": Device(141 * GB, 989e12, 0.35),
    "L40S": Device(48 * GB, 362e12, 0.35), "A10": Device(24 * GB, 125e12, 0.35), "RTX4090": Device(24 * GB, 165e12, 0.35),
}
"""Memory, and bf16 without sparsity, by the makers' data sheets (nvidia.com)."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """So many equal devices."""

    name: str
    device: Device
    n: int


def named(text: str) -> Machine:
    """The machine that `text` means: a device's name, with `Nx` before it where there are several; `laptop` is this machine.

    Raises:
        ConfigError: no such device; the nearest name is offered.
    """
    found = re.fullmatch(r"(?:(\d+)x)?(.+)", text.strip())
    n, name = int(found[1] or 1) if found else 0, found[2] if found else text
    check(n >= 1, f"--on {text}: expected at least one device, as in 8xH100")
    if name == LAPTOP:
        check(n == 1, f"--on {text}: {LAPTOP} is this one machine")
        return Machine(name, Device(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), 0.0, 0.5, on_gpu=False), 1)
    if name not in DEVICES:
        raise ConfigError(f"--on {text}: no device {name!r}{nearest(name, [*DEVICES, LAPTOP])}")
    return Machine(text.strip(), DEVICES[name], n)
