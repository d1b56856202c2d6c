"""Dedup in passes: killed and continued, in pieces of any size, against an index, and which record of a cluster stays."""

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from ray import cloudpickle

from aquilamed.core import manifest, tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import clusters, dedup, minhash, repeats
from killed import continued_everywhere

ZH = "高血压是指安静状态下动脉血压持续高于正常的慢性病，早期多没有明显症状，常在体检时发现，应当长期随访并限盐。"
EN = ("Hypertension is a chronic condition in which the resting arterial blood pressure stays above normal, often without any "
      "obvious early symptoms, and it is usually found at a routine check before it has done harm to the heart.")
OTHER = {"zh": "糖尿病以慢性高血糖为特征，长期控制不佳会累及眼、肾、神经和血管，须监测空腹与餐后血糖。",
         "en": "Diabetes is marked by high blood sugar over years, and poor control harms the eyes, the kidneys, the nerves and the vessels of the body."}
TAIL = {"zh": "完。", "en": " The end."}
LANGS = [("zh", ZH), ("en", EN)]


def document(text, **meta):
    return {"text": text, "source": "s", "license": "MIT", "meta": meta}


def shards(folder, *parts):
    """A folder whose shards hold these texts or rows."""
    for number, part in enumerate(parts):
        rows = [document(row) if isinstance(row, str) else row for row in part]
        tables.write(folder / "documents" / tables.part(number), tables.from_rows("documents", rows))
    return folder


def run(source, out, engine=None, **settings):
    inputs = source if isinstance(source, dict) else {"documents": source}
    return dedup.run(dedup.Config(**settings), inputs, out, engine or Local(1))


def kept(folder):
    return sorted(tables.read(folder, "documents")["text"].to_pylist())


def dropped(folder):
    return {row["text"]: (row["reason"], row["detail"]) for row in tables.read(folder / "dropped", "documents").to_pylist()}


def written(folder):
    """Path and bytes of every output."""
    files = (path for path in folder.rglob("*") if path.is_file() and manifest.PASSES not in path.relative_to(folder).parts)
    return sorted((str(path.relative_to(folder)), path.read_bytes()) for path in files)


@pytest.fixture
def web(tmp_path):
    """Three shards in which the same few texts come back in other words."""
    rng, texts = random.Random(0), []
    for k in range(60):
        text = f"{ZH}第{k % 20}段补充，内容是{k % 20}号病历" if k % 2 else f"{EN} This is note number {k % 20} of the {k % 20} that were kept."
        at = rng.randrange(len(text))
        texts.append(text if k % 3 else text[:at] + "又" + text[at:])
    return shards(tmp_path / "web", texts[:25], texts[25:40], texts[40:])


def test_a_run_killed_before_any_job_goes_on_to_equal_bytes(web, tmp_path):
    whole = run(web, tmp_path / "whole", index=True)
    wanted = written(tmp_path / "whole")

    def check(counts, at):
        assert counts == whole and written(tmp_path / f"killed-{at}") == wanted, at
    n_jobs = continued_everywhere(lambda engine, at: run(web, tmp_path / f"killed-{at}", engine, index=True), check)
    assert n_jobs >= 3 + 21 + 3 + 1 + 3


def test_pieces_of_any_size_give_equal_bytes(web, tmp_path, monkeypatch):
    run(web, tmp_path / "whole", index=True)
    monkeypatch.setattr(clusters, "KEYS_AT_ONCE", 7)
    monkeypatch.setattr(clusters, "PAIRS_AT_ONCE", 3)
    run(web, tmp_path / "pieces", Local(2), index=True)
    assert len(list((tmp_path / "pieces" / manifest.PASSES).glob("pairs-*.npy"))) == 21 * 9
    assert written(tmp_path / "pieces") == written(tmp_path / "whole") and dropped(tmp_path / "whole")


@pytest.mark.parametrize(("lang", "text"), LANGS)
def test_new_data_are_compared_with_an_index(tmp_path, lang, text):
    longer, other = text + TAIL[lang], OTHER[lang]
    run(shards(tmp_path / "old", [text], [text]), tmp_path / "first", index=True)
    assert kept(tmp_path / "first") == [text]
    fresh = shards(tmp_path / "new", [longer, other], [other + TAIL[lang], text.upper().replace("，", ", ")])
    counts = run({"documents": fresh, "seen": tmp_path / "first"}, tmp_path / "second", index=True)
    name = tables.read(tmp_path / "first", "documents")["id"][0].as_py()
    assert kept(tmp_path / "second") == [other + TAIL[lang]], "what was seen stays, of new rows the longest"
    assert dropped(tmp_path / "second")[longer] == ("near_duplicate", name) and counts.n_in == 4
    again = {"documents": fresh, "seen": tmp_path / "first", "seen_later": tmp_path / "second"}
    assert run(again, tmp_path / "third").n_out == 0
    one_folder = run({"documents": shards(tmp_path / "only", [other]), "seen": tmp_path / "first"}, tmp_path / "fourth")
    assert one_folder.n_out == 1


def test_pairs_within_what_was_seen_are_not_looked_at_again(tmp_path):
    """Two steps that did not see one another may each keep a copy; a third drops neither, and what is new falls to the smaller id."""
    for name in ("a", "b"):
        run(shards(tmp_path / name, [ZH + name]), tmp_path / f"{name}-out", index=True)
    counts = run({"documents": shards(tmp_path / "c", [ZH + "c"]), "seen_a": tmp_path / "a-out", "seen_b": tmp_path / "b-out"}, tmp_path / "c-out")
    assert counts.n_in == 1 and counts.dropped == {"near_duplicate": 1}
    best = min(tables.read(tmp_path / f"{name}-out", "documents")["id"][0].as_py() for name in ("a", "b"))
    assert dropped(tmp_path / "c-out")[ZH + "c"][1] == best


def test_an_index_that_is_missing_or_made_otherwise_is_refused(tmp_path):
    source = shards(tmp_path / "in", [ZH, EN])
    run(source, tmp_path / "bare")
    with pytest.raises(ConfigError, match=r"bare: has no index to compare with; make that step with index=True"):
        run({"documents": source, "seen": tmp_path / "bare"}, tmp_path / "out")
    run(source, tmp_path / "loose", index=True, threshold=0.4)
    with pytest.raises(ConfigError, match=r"loose: its index was made for .*'rows_per_band': 3.*, this step compares .*'rows_per_band': 6.*use equal settings"):
        run({"documents": source, "seen": tmp_path / "loose"}, tmp_path / "out")


@pytest.mark.parametrize(("lang", "text"), LANGS)
def test_the_best_stays_by_quality_then_length_then_id(tmp_path, lang, text):
    longer = text + TAIL[lang]
    rows = [document(text, quality="5.5"), document(longer, quality="5"), document(longer + TAIL[lang])]
    run(shards(tmp_path / "a", rows), tmp_path / "a-out")
    assert kept(tmp_path / "a-out") == [text]
    run(shards(tmp_path / "b", rows[1:]), tmp_path / "b-out")
    assert kept(tmp_path / "b-out") == [longer], "a known quality is better than none"
    run(shards(tmp_path / "c", [text, longer]), tmp_path / "c-out")
    assert kept(tmp_path / "c-out") == [longer]
    ends = {"zh": ("甲", "乙"), "en": (" now", " yet")}[lang]
    equal = tables.from_rows("documents", [document(text + end) for end in ends])
    tables.write(tmp_path / "d" / "documents" / tables.part(0), equal)
    run(tmp_path / "d", tmp_path / "d-out")
    assert tables.read(tmp_path / "d-out", "documents")["id"].to_pylist() == [min(equal["id"].to_pylist())]


def test_equal_but_for_blanks_is_exact_though_the_words_differ(tmp_path):
    """`heart attack` and `heartattack` have one id and no shingle in common."""
    assert len(set(minhash.shingle_sets(pa.array(["heart attack", "heartattack"]))[0])) == 2
    run(shards(tmp_path / "in", ["heart attack"], ["heartattack"]), tmp_path / "out")
    assert [reason for reason, _ in dropped(tmp_path / "out").values()] == ["exact_duplicate"]


def test_script_twins_are_told_from_other_near_copies(tmp_path):
    twin = "高血壓是指安靜狀態下動脈血壓持續高於正常的慢性病，早期多沒有明顯症狀，常在體檢時發現，應當長期隨訪並限鹽。"
    run(shards(tmp_path / "in", [ZH, twin, ZH + "完。", EN]), tmp_path / "out")
    name = tables.from_rows("documents", [document(ZH + "完。")])["id"][0].as_py()
    assert kept(tmp_path / "out") == sorted([ZH + "完。", EN])
    assert dropped(tmp_path / "out") == {ZH: ("near_duplicate", name), twin: ("near_duplicate", name)}, "twins of each other, near copies of what stays"
    run(shards(tmp_path / "two", [ZH, twin]), tmp_path / "two-out")
    assert [reason for reason, _ in dropped(tmp_path / "two-out").values()] == ["script_twin"] and len(kept(tmp_path / "two-out")) == 1


@pytest.mark.parametrize(("lang", "text"), LANGS)
def test_what_was_nearly_dropped_is_written_with_the_other(tmp_path, lang, text):
    ends = {"zh": "此外还应戒烟限酒，坚持运动，做好记录。",
            "en": " Besides, smoking should stop, drinking be limited and the pressure be taken at home."}
    longer = text + ends[lang]
    run(shards(tmp_path / "in", [text, longer], [longer + TAIL[lang], OTHER[lang]]), tmp_path / "out")
    ids = {words: tables.from_rows("documents", [document(words)])["id"][0].as_py() for words in (text, longer, longer + TAIL[lang])}
    assert dropped(tmp_path / "out") == {longer: ("near_duplicate", ids[longer + TAIL[lang]])}
    found = {row["text"]: row for row in tables.read(tmp_path / "out" / "near", "documents").to_pylist()}
    assert set(found) == {text, longer + TAIL[lang]} and {row["reason"] for row in found.values()} == {"near_duplicate"}
    assert found[text]["detail"] in (ids[longer], ids[longer + TAIL[lang]])
    a, b = (set(map(int, minhash.shingle_sets(pa.array([words]))[0])) for words in (text, longer))
    assert 0.5 < found[text]["nearness"] <= len(a & b) / len(a | b) / 0.8 < 1


def test_short_texts_meet_only_their_equals(tmp_path):
    texts = ["发热", "发热。", "发热咳嗽", "咳嗽", "！！", "！！！", "", "fever", "Fever!", "fever cough", "胸痛 3 天", "胸痛3天！", "胸痛 4 天"]
    counts = run(shards(tmp_path / "in", texts), tmp_path / "out")
    assert counts.dropped == {"near_duplicate": 3}
    gone = {text.strip("！!。") for text in dropped(tmp_path / "out")}
    assert gone == {"发热", "fever", "胸痛 3 天"}, "of each two the longer stays, mark included"


def test_candidates_of_one_key_are_the_first_and_the_one_before():
    """By order, not by place: of a page that stands n times there are fewer than 2 n pairs."""
    few = minhash.candidates(np.array([7, 7, 9, 7, 7], np.uint64), np.array([10, 11, 12, 13, 14]), np.array([3, 0, 1, 2, 5]))
    assert {(code >> 32, code & 0xFFFFFFFF) for code in few.tolist()} == {(11, 13), (10, 11), (11, 14), (10, 13), (10, 14)}
    assert len(minhash.candidates(np.zeros(5000, np.uint64), np.arange(5000), np.arange(5000))) == 2 * 4999 - 1
    assert len(minhash.candidates(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))) == 0


def test_a_damaged_index_description_is_not_taken(tmp_path):
    source = shards(tmp_path / "in", [ZH])
    run(source, tmp_path / "old", index=True)
    about = tmp_path / "old" / dedup.INDEX / dedup.ABOUT
    about.write_text(json.dumps({**json.loads(about.read_text()), "version": dedup.VERSION - 1}))
    with pytest.raises(ConfigError, match="use equal settings"):
        run({"documents": source, "seen": tmp_path / "old"}, tmp_path / "out")


def test_shards_without_rows_and_rows_without_pairs_pass(tmp_path):
    run(shards(tmp_path / "in", [], [ZH, EN], []), tmp_path / "out", index=True)
    assert kept(tmp_path / "out") == sorted([ZH, EN]) and not (tmp_path / "out" / "dropped").exists()
    counts = run({"documents": shards(tmp_path / "none", []), "seen": tmp_path / "out"}, tmp_path / "none-out", index=True)
    assert counts.n_in == counts.n_out == 0
    assert run({"documents": shards(tmp_path / "again", [ZH]), "seen": tmp_path / "none-out", "seen_b": tmp_path / "out"}, tmp_path / "last").n_out == 0


@pytest.mark.parametrize("stage", [dedup, repeats], ids=["dedup", "repeats"])
def test_jobs_can_be_sent_to_other_processes(web, tmp_path, stage):
    """What a job holds is plain data: it gives equal bytes after a journey."""
    class Sent(Local):
        def map(self, fn, items):
            return [cloudpickle.loads(cloudpickle.dumps(fn(item))) for fn, item in ((cloudpickle.loads(cloudpickle.dumps(fn)), item) for item in items)]

    for name, engine in (("here", Local(1)), ("sent", Sent(1))):
        stage.run(stage.Config(), {"documents": web}, tmp_path / name, engine)
    assert written(tmp_path / "here") == written(tmp_path / "sent")
