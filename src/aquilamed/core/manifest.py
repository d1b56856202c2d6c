"""What a finished step is: its settings, its inputs by digest, its outputs by digest. See docs/formats.md.

  identity.json  written first: what the folder is being made from
  manifest.json  written last, by rename: its presence means every output is whole

Identity is hashed; provenance (host, time, device) is only recorded, so it never changes a digest.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core.config import as_json, canonical_json
from aquilamed.core.counts import Counts
from aquilamed.core.errors import FolderBusy, RecordError, StaleOutput

MANIFEST, IDENTITY, LOG = "manifest.json", "identity.json", "log.txt"
PASSES = "passes"
"""Sub-folder for what passes over the shards leave to one another and to a later try; gone when the step is sealed."""
UNHASHED = ("metrics.jsonl", "samples.jsonl", "tracked", LOG, IDENTITY, MANIFEST)
"""Files and folders of a step that are not outputs: they carry times, or are there only where somebody watches."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Identity:
    """All that decides what a step's output means."""

    stage: str
    """Module path below the package: `corpus.rules`."""
    version: int
    """The stage's `VERSION`: raised by hand when equal settings give other output."""
    config: object
    """The stage's frozen `Config`."""
    inputs: dict[str, str]
    """Input name -> digest of that step's manifest, or of the file outside."""

    @property
    def fingerprint(self) -> str:
        return sha256(canonical_json(self).encode())


@dataclasses.dataclass(frozen=True)
class Made:
    """A finished step."""

    folder: Path
    body: dict
    """Its manifest."""

    @property
    def name(self) -> str:
        return self.body["step"]

    @property
    def stage(self) -> str:
        return self.body["stage"]

    @property
    def n_in(self) -> int:
        return self.body["counts"]["in"]

    @property
    def n_out(self) -> int:
        return self.body["counts"]["out"]

    @property
    def n_dropped(self) -> int:
        return sum(self.body["counts"]["dropped"].values())

    @property
    def drops(self) -> list[tuple[str, int]]:
        """(reason, records), the largest first."""
        return sorted(((reason, n) for reason, n in self.body["counts"]["dropped"].items() if n), key=lambda item: (-item[1], item[0]))


def begin(folder: Path, identity: Identity) -> None:
    """Mark `folder` as being made from `identity`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / IDENTITY, as_json(identity))


def seal(folder: Path, identity: Identity, counts: Counts, *, step: str, paper: str, seconds: float, provenance: dict) -> dict:
    """Hash every output and write the manifest. Call once, after the last output is closed.

    Raises:
        RecordError: records went in that neither came out nor were dropped.
    """
    lost = counts.n_in - counts.n_out - sum(counts.dropped.values())
    if lost:
        raise RecordError(f"{folder}: {lost} records unaccounted for: {counts.as_json()}")
    shutil.rmtree(folder / PASSES, ignore_errors=True)
    outputs = {
        path.relative_to(folder).as_posix(): {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*")) if path.is_file() and path.relative_to(folder).parts[0] not in UNHASHED
    }
    body = {
        "step": step, "stage": identity.stage, "version": identity.version, "paper": paper,
        "config": as_json(identity.config), "inputs": identity.inputs, "fingerprint": identity.fingerprint,
        "outputs": outputs, "counts": counts.as_json(), "lang_counts": dict(sorted(counts.langs.items())),
        "notes": as_json(counts.notes), "seconds": round(seconds, 3), "provenance": provenance,
        "digest": sha256(canonical_json([identity.fingerprint, {p: o["sha256"] for p, o in outputs.items()}]).encode()),
    }
    write_json(folder / MANIFEST, body)
    return body


def read(folder: Path) -> dict | None:
    """The manifest in `folder`, or None if its step has not finished."""
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def is_done(folder: Path, wanted: Identity) -> bool:
    """True if `folder` holds the finished output of `wanted`; False if nothing finished is there.

    Raises:
        StaleOutput: it holds the finished output of something else.
    """
    found = read(folder)
    if found is None:
        return False
    if found["fingerprint"] == wanted.fingerprint:
        return True
    changed = differences({k: found[k] for k in ("stage", "version", "config", "inputs")}, as_json(wanted))
    raise StaleOutput(
        f"{folder} was made with other settings:\n" + "\n".join(f"  {line}" for line in changed)
        + "\nRemake it with --replace, or give this step another name in the recipe."
    )


def differences(old: object, new: object, path: str = "") -> list[str]:
    """One line per leaf that differs: `config.min_chars: 40 -> 1`."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for key in sorted(old.keys() | new.keys())
                for line in differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))]
    return [] if old == new else [f"{path}: {_short(old)} -> {_short(new)}"]


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder`; the lock dies with the process that holds it.

    Raises:
        FolderBusy: another process holds it; its pid is named.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise FolderBusy(f"{folder} is in use by process {file.read().strip()}; wait for it or stop it") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def write_json(path: Path, value: object) -> None:
    """Write JSON whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
