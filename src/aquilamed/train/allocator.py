"""What a process takes of the machine's memory: how much at most, and what it gives back.

Memory that a step has freed is kept for the next one, where glibc would give it back: the kernel clears every page that is asked for anew.
"""

import ctypes
import platform
import resource
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_MAX, _MOST = -1, -4, 2**31 - 1
"""Parameters of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Ask glibc to, for the rest of this process; whether it did."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_MMAP_MAX, 0) and libc.mallopt(_TRIM_THRESHOLD, _MOST))


def peak_bytes() -> int:
    """The most that this process has held in memory; what its parent held before it, which getrusage reports too, does not count where /proc tells them apart."""
    status = Path("/proc/self/status")
    if status.exists():
        found = [line.split()[1] for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:")]
        if found:
            return int(found[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
