"""What people said of two answers to the same prompt, stored one ballot a row: in SQLite by default, in PostgreSQL by its URL, or as JSON lines.

The table only grows. Who changes their mind casts another ballot; the last one counts. Pages that collect votes append here, `preference.votes` reads.
"""

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from aquilamed.core.config import canonical_json
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.turns import trouble

VERDICTS = ("a", "b", "tie", "both_bad")
ASPECT_VERDICTS = ("a", "b", "tie")
PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{1,64}")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
TABLE = "ballots"
LINES = ".jsonl"
LOCKED_SECONDS = 60
"""How long a writer waits for another one, in SQLite."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ballot:
    """One person's verdict on one comparison.

    Raises:
        RecordError: a field can't be what it should be; it is named.
    """

    rater: str
    """A pseudonym of letters, digits, `_` and `-`: never a name, a number at work or an address."""
    cast_at: str
    """When, ISO 8601 with its offset from UTC; kept in UTC."""
    prompt: Sequence[Mapping[str, str]]
    """The turns before the answers, `role` and `content`; the last is the user's."""
    answer_a: str
    """As shown first."""
    answer_b: str
    verdict: str
    """One of `VERDICTS`."""
    model_a: str = ""
    """Who wrote `answer_a`."""
    model_b: str = ""
    aspects: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Aspect (`fluency`) -> one of `ASPECT_VERDICTS`."""
    reason: str = ""
    """The rater's own words; kept in the store, never copied into pairs."""

    def __post_init__(self):
        _need(isinstance(self.rater, str) and bool(PSEUDONYM.fullmatch(self.rater)), "rater", "expected a pseudonym of letters, digits, _ and -")
        object.__setattr__(self, "cast_at", utc(self.cast_at))
        _need(self.verdict in VERDICTS, "verdict", f"expected one of {', '.join(VERDICTS)}")
        _need(isinstance(self.prompt, Sequence) and all(isinstance(turn, Mapping) and {"role", "content"} == set(turn) and all(isinstance(said, str) for said in turn.values()) for turn in self.prompt), "prompt", "expected a list of role and content")
        reason, detail = trouble([dict(turn) for turn in self.prompt], last="user")
        _need(not reason, "prompt", f"{reason}: {detail}")
        for name in ("answer_a", "answer_b", "model_a", "model_b", "reason"):
            _need(isinstance(getattr(self, name), str) and (bool(getattr(self, name).strip()) or not name.startswith("answer")), name, "expected a text")
        _need(isinstance(self.aspects, Mapping) and all(isinstance(name, str) and value in ASPECT_VERDICTS for name, value in self.aspects.items()), "aspects",
              f"expected a name and one of {', '.join(ASPECT_VERDICTS)} for each")
        for name, said in {"prompt": [turn["content"] for turn in self.prompt], "aspects": list(self.aspects), "answer_a": [self.answer_a], "answer_b": [self.answer_b],
                           "model": [self.model_a, self.model_b], "reason": [self.reason]}.items():
            _need(not any(UNSTORABLE.search(text) for text in said), name, "holds a character that no database takes (NUL, or half of a pair)")


def opened(store: str):
    """The database at `store` (a file's path, or a URL), with the table made where it is not there yet; for `append`.

    Raises:
        ConfigError: it can't be opened.
    """
    if store.endswith(LINES):
        raise ConfigError(f"{store}: JSON lines are only read; ballots are cast into a database: a file of another name, or a URL")
    if "://" not in store:
        Path(store).parent.mkdir(parents=True, exist_ok=True)
    engine = _engine(store)
    from sqlalchemy.schema import CreateTable
    with _told(store), engine.begin() as connection:
        connection.execute(CreateTable(table(), if_not_exists=True))        # many processes may open it at once
    return engine


def append(database, ballots: Iterable[Ballot]) -> None:
    """Store `ballots` in `database` (from `opened`), all of them or none."""
    rows = [{**dataclasses.asdict(ballot), "prompt": [dict(turn) for turn in ballot.prompt], "aspects": dict(ballot.aspects)} for ballot in ballots]
    if rows:
        with _told(str(database.url)), database.begin() as connection:
            connection.execute(table().insert(), rows)


def read(store: str, until: str = "") -> list[Ballot]:
    """The ballots of a database or a file of JSON lines in the order in which they were stored, those cast before `until` where it is given.

    Raises:
        ConfigError: nothing is there, or it can't be opened.
        RecordError: a row is no ballot; its place is named.
    """
    if "://" not in store and not Path(store).is_file():
        raise ConfigError(f"{store}: not there; a file or database of ballots is read from it")
    found = _lines(Path(store)) if store.endswith(LINES) else _rows(store)
    return [ballot for ballot in found if not until or ballot.cast_at < utc(until)]


def digest(ballots: Sequence[Ballot]) -> str:
    """Stands for the ballots in a step's identity."""
    return hashlib.sha256(canonical_json([dataclasses.asdict(ballot) for ballot in ballots]).encode()).hexdigest()


def check_store(store: str) -> None:
    """Raises ConfigError for a store with a password in it: settings are recorded in the manifest."""
    if re.search(r"://[^/@]*:[^/@]+@|[?&]password=", store):
        raise ConfigError("store: holds a password, and settings are recorded; leave it out and give it to the driver (PGPASSWORD or a password file)")


def _lines(path: Path) -> list[Ballot]:
    found = []
    names = {field.name for field in dataclasses.fields(Ballot)}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            _need(isinstance(row, dict), "row", "expected an object")
            _need(set(row) <= names, "row", f"unknown keys {', '.join(sorted(set(row) - names))}; there are {', '.join(sorted(names))}")
            found.append(Ballot(**row))
        except (ValueError, TypeError, RecordError) as error:
            raise RecordError(f"{path}, line {number}: {error}") from error
    return found


def _rows(store: str) -> list[Ballot]:
    import sqlalchemy
    stored = table()
    with _told(store), _engine(store).connect() as connection:
        rows = connection.execute(sqlalchemy.select(stored).order_by(stored.c.id)).mappings().all()
    found = []
    for row in rows:
        try:
            found.append(Ballot(**{key: value for key, value in row.items() if key != "id"}))
        except RecordError as error:
            raise RecordError(f"{store}: ballot {row['id']}: {error}") from error
    return found


def table():
    """The table, as SQLAlchemy has it; its words are the fields of `Ballot`."""
    from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text
    texts = [Column(name, Text, nullable=False) for name in ("answer_a", "answer_b", "model_a", "model_b", "reason")]
    return Table(TABLE, MetaData(), Column("id", Integer, primary_key=True, autoincrement=True), Column("rater", String(64), nullable=False), Column("cast_at", String(40), nullable=False),
                 Column("prompt", JSON, nullable=False), *texts, Column("verdict", String(8), nullable=False), Column("aspects", JSON, nullable=False))


def _engine(store: str):
    try:
        import sqlalchemy
    except ModuleNotFoundError as error:
        raise ConfigError(f"{store}: reading votes needs the package sqlalchemy (pip install 'aquilamed[votes]')") from error
    try:
        return sqlalchemy.create_engine(store) if "://" in store else sqlalchemy.create_engine(f"sqlite:///{store}", connect_args={"timeout": LOCKED_SECONDS})
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise ConfigError(f"{store}: no database URL ({error}); expected a file, or postgresql://user@host/name") from error
    except ModuleNotFoundError as error:
        raise ConfigError(f"{store}: its driver is not installed ({error.name}); for PostgreSQL: pip install 'psycopg[binary]'") from error


@contextlib.contextmanager
def _told(store: str) -> Iterator[None]:
    """Turns what a database says into a ConfigError that names the store."""
    import sqlalchemy
    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ConfigError(f"{store}: can't be used as a database of ballots: {said}") from error


def utc(text: str) -> str:
    """A time with its offset as UTC, to the microsecond: its letters sort as the times do.

    Raises:
        RecordError: it is none, or has no offset.
    """
    try:
        when = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise RecordError(f"cast_at: {text!r}: expected a time like 2026-11-30T10:20:30+08:00") from error
    _need(when.tzinfo is not None, "cast_at", f"{text!r} has no offset from UTC")
    try:
        return when.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError as error:
        raise RecordError(f"cast_at: {text!r} is before the year 1 or after 9999 in UTC") from error


def _need(condition: bool, name: str, expected: str) -> None:
    if not condition:
        raise RecordError(f"{name}: {expected}")
