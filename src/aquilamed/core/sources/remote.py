"""Files in object stores: listed and fetched one by one by the job that reads them, and gone from this machine after.

`s3://` and `gs://` are read by Arrow's own clients (an endpoint, region or scheme may stand in the URL: `s3://bucket/x?endpoint_override=host:9000&scheme=http`),
every other scheme (`hf://datasets/org/name@revision/…`, `https://…`) by fsspec. Nothing is asked of the network but what the recipe names.
"""

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from aquilamed.core.errors import ConfigError, RecordError

_NATIVE = ("s3", "gs", "gcs")
_MARKS = ("ETag", "etag", "sha256", "md5Hash", "blob_id", "Last-Modified", "LastModified", "last_modified", "mtime", "modified", "created")
"""What fsspec's drivers call the digest or the time of an object, surest first."""
_WILD = re.compile(r"[*?{]")
_OPTIONS = re.compile(r"\?[a-z_]+=[^/?]*(?:/[^?]*)?$")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remote:
    """One object."""

    url: str
    """Where it is, as the recipe spells its store."""
    name: str
    """Its path below the folder or the first wildcard of the source."""
    size: int
    stamp: str
    """Its digest or when it was last changed, as the store tells; with the size it stands for the content in a step's identity."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.url}\x1f{self.size}\x1f{self.stamp}".encode()).hexdigest()


def is_remote(path: Path | str) -> bool:
    return "://" in str(path)


def listing(url: str, fits: Callable[[str], bool]) -> list[Remote]:
    """The objects of `url`: one, all below a folder whose name `fits`, or those that a pattern matches; sorted by name.

    Raises:
        ConfigError: there are none, the store can't be reached, or its driver is not installed.
    """
    from pyarrow import fs
    store, root = _store(url)
    pattern = _pattern(url)
    try:
        info = store.get_file_info(root)
        found = [info] if info.type == fs.FileType.File else store.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    except _failures() as error:
        raise _told(url, error) from error
    names = [(entry.path.removeprefix(root).lstrip("/") or Path(urlsplit(entry.path).path).name, entry) for entry in found if entry.type == fs.FileType.File]
    if info.type != fs.FileType.File:
        names = [(name, entry) for name, entry in names if (pattern.fullmatch(name) if pattern else fits(name)) and not Path(name).name.startswith(".")]
    if not names:
        raise ConfigError(f"{url}: nothing there that fits; check the bucket, the path and format=")
    try:
        return [Remote(url=_spelled(url, root, entry.path), name=name, size=entry.size or 0, stamp=_stamp(store, entry)) for name, entry in sorted(names, key=lambda pair: pair[0])]
    except _failures() as error:
        raise _told(url, error) from error


def _stamp(store, entry) -> str:
    """What changes when the content does: the store's digest or time, else the digest of what it gives."""
    from pyarrow import fs
    if isinstance(store, fs.PyFileSystem):
        told = store.handler.fs.info(entry.path)
        if mark := next((str(told[key]) for key in _MARKS if told.get(key)), ""):
            return mark
    if entry.mtime_ns:
        return str(entry.mtime_ns)
    with store.open_input_stream(entry.path, compression=None) as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def fetch(remote: Remote, folder: Path) -> Path:
    """The object as a file of its own name below `folder`, whole or not at all.

    Raises:
        RecordError: the store stops answering.
    """
    path = folder / remote.digest[:16] / Path(remote.name).name
    path.parent.mkdir(parents=True, exist_ok=True)
    store, place = _store(remote.url)
    partial = path.with_name(path.name + ".partial")
    try:
        with store.open_input_stream(place, compression=None) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 22)
    except _failures() as error:
        raise RecordError(f"{remote.url}: {_short(error)}; the store stopped answering or the object is gone: run the same command again") from error
    os.replace(partial, path)
    return path


def read(url: str) -> bytes:
    """What the object at `url` holds: for small files that are read beside others.

    Raises:
        ConfigError: it is not there, or the store can't be read.
    """
    store, place = _store(url)
    try:
        with store.open_input_stream(place, compression=None) as file:
            return file.read()
    except _failures() as error:
        raise _told(url, error) from error


class _Address(NamedTuple):
    """A URL in its parts."""

    scheme: str
    base: str
    """Bucket and path up to the folder of the first wildcard."""
    tail: str
    """What follows, from the first wildcard's folder on; empty: there is none."""
    options: str
    """`?endpoint_override=…` and its like, for Arrow."""


def _parts(url: str) -> _Address:
    """`url` taken apart; a web address has no wildcards, there `?` begins a query.

    Raises:
        ConfigError: a user or key stands in it.
    """
    scheme, _, rest = url.partition("://")
    if "@" in rest.partition("/")[0]:
        raise ConfigError(f"{scheme}://…: a key in the address would reach the manifest; give it by the environment (AWS_ACCESS_KEY_ID, HF_TOKEN, …)")
    if scheme in ("http", "https"):
        return _Address(scheme, rest, "", "")
    options = match[0] if scheme in _NATIVE and (match := _OPTIONS.search(rest)) else ""
    place = rest.removesuffix(options)
    wild = _WILD.search(place)
    base = place[:wild.start()].rpartition("/")[0] if wild else place
    return _Address(scheme, base, place[len(base) + 1:] if wild else "", options)


def _store(url: str):
    """(Arrow file system, path in it up to the first wildcard) of a URL.

    Raises:
        ConfigError: no driver for the scheme, or a URL that it can't read.
    """
    from pyarrow import fs
    scheme, base, _, options = _parts(url)
    try:
        if scheme in _NATIVE:
            return fs.FileSystem.from_uri(f"{scheme}://{quote(base)}{options}")
        import fsspec
        store, root = fsspec.core.url_to_fs(f"{scheme}://{base}")
        return fs.PyFileSystem(fs.FSSpecHandler(store)), root
    except ImportError as error:
        raise ConfigError(f"{url}: {_short(error)}; pip install 'aquilamed[stores]', or the fsspec driver for {scheme}://") from error
    except _failures() as error:
        raise _told(url, error) from error


def _pattern(url: str) -> re.Pattern | None:
    """What follows the first wildcard's folder, as a pattern on names; `*` stays in a folder, `**` does not, `{a,b}` is either."""
    tail = re.escape(_parts(url).tail)
    spelled = tail.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    spelled = re.sub(r"\\\{(.*?)\\\}", lambda found: f"(?:{found[1].replace(',', '|')})", spelled)
    return re.compile(spelled) if tail else None


def _spelled(url: str, root: str, path: str) -> str:
    """The URL of `path`, a path below `root`, with the store and options of `url`."""
    scheme, base, _, options = _parts(url)
    return f"{scheme}://{base.rstrip('/')}{path.removeprefix(root.rstrip('/'))}{options}"


def _failures() -> tuple:
    """What stores raise where they can't be reached or refuse."""
    found: list[type[Exception]] = [OSError, ValueError, RuntimeError]
    for package in ("httpx", "httpx2", "aiohttp"):
        try:
            module = __import__(package)
        except ImportError:
            continue
        found.append(module.ClientError if package == "aiohttp" else module.HTTPError)
    return tuple(found)


def _told(url: str, error: Exception) -> ConfigError:
    return ConfigError(f"{url}: the store can't be read ({_short(error)}); check the address, the network and your credentials (AWS_ACCESS_KEY_ID, HF_TOKEN, …)")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
