"""Whether the records of a folder were searched for benchmark items: the certificates in its lineage.

A step that only sifts, joins, splits or reshapes records is as certified as all the records that went into it: manifests name their inputs
by digest, so the way back to each `hygiene.decontaminate` is walked through the run folder. A record that came from anywhere else has none.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core import lineage, manifest
from aquilamed.core.errors import RecordError, Uncertified

CERTIFICATE, LEAKS = "certificate.json", "leaks.json"
STAGE = "hygiene.decontaminate"


def notes(folder: Path, kind: str, *, allow: bool) -> dict:
    """What a training step says of its data: `certified`, benchmark -> items and digest, or `uncertified`, why.

    Raises:
        Uncertified: some records have no certificate, and `allow` is false.
        RecordError: a file of the folder is not the one that its step made.
    """
    _check_whole(folder, kind)
    try:
        return {"certified": covered(folder)}
    except Uncertified as error:
        if not allow:
            raise Uncertified(f"{error}\nPut a {STAGE} step before it, or train on it as it is with --allow-uncertified (recorded in the manifest).") from error
        return {"uncertified": str(error)}


def covered(folder: Path) -> dict[str, dict]:
    """Benchmark -> {"n", "digest"} of those that every record in `folder` was searched for.

    Raises:
        Uncertified: there is none.
    """
    found = [{one["source"]: {"n": one["n"], "digest": one["digest"]} for one in certificate["benchmarks"]} for certificate in certificates(folder)]
    common = {source: one for source, one in found[0].items() if all(other.get(source) == one for other in found)}
    if not common:
        raise Uncertified(f"{folder}: its records were searched for different benchmarks: {'; '.join(sorted({', '.join(sorted(one)) for one in found}))}")
    return common


def certificates(folder: Path) -> list[dict]:
    """The certificate of every branch that the records of `folder` came through."""
    home = lineage.step_of(folder)
    body = home and manifest.read(home)
    if not body:
        raise Uncertified(f"{folder}: made by no step, so nothing tells that benchmark items were searched for in it")
    if body["stage"] == STAGE:
        return [json.loads((home / CERTIFICATE).read_text(encoding="utf-8"))]
    parents = list(_parents(home, body))
    if not parents:
        raise Uncertified(f"{folder}: {home.name} ({body['stage']}) brings in records that were not searched for benchmark items")
    return [certificate for parent in parents for certificate in certificates(parent)]


def _parents(home: Path, body: dict) -> Iterator[Path]:
    """The folders whose records went into a step."""
    for name, parent in lineage.parents(home, body):
        if parent is None:
            raise Uncertified(f"{home.name}: what its input {name!r} was is not there any more, so its certificate can't be read")
        yield parent


def _check_whole(folder: Path, kind: str) -> None:
    home = lineage.step_of(folder)
    for name, output in (manifest.read(home)["outputs"].items() if home else ()):
        if name.startswith(f"{kind}/") and manifest.file_sha256(home / name) != output["sha256"]:
            raise RecordError(f"{home / name}: changed since its step made it; make {home.name} again (remove its folder and run the recipe)")
