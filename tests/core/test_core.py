"""Settings, identities, manifests, records and the way rows are dropped."""

import dataclasses
from typing import Literal

import pyarrow as pa
import pytest

from aquilamed.core import chance, manifest, tables, text
from aquilamed.core.config import canonical_json, check, override
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError, FolderBusy, RecordError, StaleOutput


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    lr: float = 1e-4
    schedule: Literal["cosine", "constant"] = "cosine"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    threshold: float = 0.5
    langs: tuple[str, ...] = ("zh", "en")
    limit: int | None = None
    pack: bool = True
    optim: Inner = Inner()

    def __post_init__(self):
        check(0 <= self.threshold <= 1, f"threshold={self.threshold}: expected 0..1")


def test_override_parses_by_the_fields_type():
    made = override(Config(), {"threshold": "0.6", "langs": "zh", "limit": "10", "pack": "false", "optim.lr": "2e-6"})
    assert (made.threshold, made.langs, made.limit, made.pack, made.optim.lr) == (0.6, ("zh",), 10, False, 2e-6)
    assert override(made, {"limit": "none"}).limit is None


@pytest.mark.parametrize(("key", "value", "says"), [
    ("thresold", "0.6", "did you mean 'threshold'"), ("threshold", "high", "float"), ("pack", "1", "true or false"),
    ("optim.schedule", "linear", "cosine"), ("threshold", "2", "0..1"), ("optim", "x", "edit the recipe"), ("limit.x", "1", "limit has no settings of its own")])
def test_override_refuses_and_says_why(key, value, says):
    with pytest.raises(ConfigError, match=says):
        override(Config(), {key: value})


def test_what_has_no_stable_spelling_is_refused():
    with pytest.raises(ConfigError, match="fingerprinted"):
        canonical_json({"fn": print})


def identity(**changes):
    return manifest.Identity(**{"stage": "corpus.rules", "version": 1, "config": Config(), "inputs": {"documents": "ab"}, **changes})


def seal(folder, counts, which=None):
    return manifest.seal(folder, which or identity(), counts, step="s", paper="2.1.1", seconds=1.0, provenance={"host": folder.name})


def test_a_finished_step_is_reused_and_a_changed_one_is_refused(tmp_path):
    assert not manifest.is_done(tmp_path, identity())
    (tmp_path / "data").write_text("x")
    seal(tmp_path, Counts(n_in=2, n_out=1, dropped={"low_score": 1}))
    assert manifest.is_done(tmp_path, identity())
    with pytest.raises(StaleOutput, match=r"config.threshold: 0.5 -> 0.6"):
        manifest.is_done(tmp_path, identity(config=Config(threshold=0.6)))


def test_a_digest_says_what_not_where(tmp_path):
    digests = []
    for host in ("laptop", "cluster"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "data").write_text("x")
        digests.append(seal(tmp_path / host, Counts(n_in=0, n_out=0))["digest"])
    assert digests[0] == digests[1]
    (tmp_path / "laptop" / "data").write_text("y")
    assert seal(tmp_path / "laptop", Counts(n_in=0, n_out=0))["digest"] != digests[0]


def test_lost_records_are_an_error(tmp_path):
    with pytest.raises(RecordError, match="1 records unaccounted"):
        seal(tmp_path, Counts(n_in=3, n_out=1, dropped={"dup": 1}))


def test_a_folder_is_one_processes(tmp_path):
    with manifest.lock(tmp_path), pytest.raises(FolderBusy, match="in use by process"), manifest.lock(tmp_path):
        pass
    with manifest.lock(tmp_path):
        pass


def documents(*words):
    return tables.from_rows("documents", [{"text": word, "source": "s", "license": "x", "meta": {"row": str(i)}} for i, word in enumerate(words)])


def test_the_first_reason_drops_a_row_and_counts_add_up():
    table = documents("短", "高血压患者应限制钠盐", "!!!!", "hypertension")
    kept, dropped = tables.sift(table, {"short": [True, False, False, False], "symbols": [True, False, True, False]}, {"symbols": pa.array(["a", "b", "c", "d"])})
    assert kept["text"].to_pylist() == ["高血压患者应限制钠盐", "hypertension"]
    assert list(zip(dropped["reason"].to_pylist(), dropped["detail"].to_pylist(), strict=True)) == [("short", None), ("symbols", "c")]
    assert tables.count(kept, dropped).as_json() == {"in": 4, "out": 2, "dropped": {"short": 1, "symbols": 1}}


def test_shards_depend_on_the_set_of_rows_alone(tmp_path):
    words = [f"文本 text {i}" for i in range(50)] + ["文本 text 7"]
    tables.scatter(tmp_path / "a", "documents", documents(*words), shard_bytes=1000)
    table = documents(*words)
    tables.scatter(tmp_path / "b", "documents", table.take(list(reversed(range(51)))), shard_bytes=1000)
    one, two = ({p.name: p.read_bytes() for p in tables.shards(tmp_path / x, "documents")} for x in "ab")
    assert one == two and len(one) > 1
    assert sorted(tables.read(tmp_path / "a", "documents")["text"].to_pylist()) == sorted(words)


def test_a_parquet_file_cut_in_half_is_named(tmp_path):
    tables.scatter(tmp_path, "documents", documents("高血压", "流感"))
    path = tables.shards(tmp_path, "documents")[0]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RecordError, match="part-00000.parquet: not a whole Parquet file"):
        tables.read(tmp_path, "documents")


def test_a_row_of_another_type_is_refused():
    with pytest.raises(RecordError, match="documents columns"):
        tables.from_rows("documents", [{"id": "1", "text": 5, "source": "s"}])


def test_ids_ignore_width_case_and_blanks_but_nothing_else():
    assert text.content_id("ＢＭＩ 24") == text.content_id("bmi24") != text.content_id("BMI25")
    assert text.content_id("a", "b") != text.content_id("ab")
    assert text.content_id("高血压") != text.content_id("高血壓")


@pytest.mark.parametrize(("words", "lang"), [
    ("高血压患者应限制钠盐摄入。", "zh"), ("高血壓患者應限制鈉鹽攝入。", "zh"), ("Patients should limit salt.", "en"),
    ("BMI 24，血压 140/90 mmHg，建议复查。", "zh"), ("糖尿病 type 2 diabetes mellitus 治疗 with metformin therapy", "mixed"),
    ("高血圧の患者は塩分を控えてください", "other"), ("12345", "other"), ("", "other"), ("Пациент болен", "other")])
def test_language_by_script(words, lang):
    assert text.language(words) == lang


def test_chance_belongs_to_the_record():
    draws = [chance.chooser(1, key).random() for key in ("a", "b", "a")]
    assert draws[0] == draws[2] != draws[1] and chance.chooser(2, "a").random() != draws[0]
    shares = [chance.share(1, str(i)) for i in range(2000)]
    assert 0.47 < sum(shares) / 2000 < 0.53 and 0 <= min(shares) <= max(shares) < 1
