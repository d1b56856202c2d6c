"""A process's peak is its own: not its parent's, which getrusage hands on."""

import os
import subprocess
import sys

from test_train_together import HERE

from aquilamed.train import allocator


def test_a_childs_peak_is_not_its_parents():
    held = bytearray(400_000_000)
    held[::4096] = b"x" * len(held[::4096])
    done = subprocess.run([sys.executable, "-c", "from aquilamed.train import allocator; print(allocator.peak_bytes())"], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(HERE.parents[1] / "src")})
    assert allocator.peak_bytes() > 400_000_000 > 2 * int(done.stdout)
