"""What the benchmarks compare is the same work: the plain-Python rules drop what ours drop, and the corpora are what they say."""

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.corpus import rules
from aquilamed.hygiene import unsafe

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import corpora  # noqa: E402
import corpus  # noqa: E402
import ours_rules  # noqa: E402
import plain_rules  # noqa: E402
import tables as results  # noqa: E402

TRAPS = [
    "", " \n ", "a", "。", "完\n\n完\n完", "A.B. C.", "x.\u00a0y", "3.5 mg．3", "ＡＢＣ\u200b赌\u00ad博", "𠀀𠀁 𠀀𠀁\U000f0000", "Itâ€™s Â© naÃ¯ve é»", "，。、，；", "the the of of and and",
    "点击这里！点击这里，关注公众号召", "高血壓\r\n高血压\t高 血 压", "١٢٣ ½ ²", "錕斤拷锟斤拷鍖荤敓鐢", "İstanbul ẞ ſ", "porn porn 色情。淫秽", "[[{}]] <a|b> #1 @x",
]


@pytest.fixture(scope="module")
def clinic() -> list[dict]:
    return corpora.clinic()


def test_plain_python_finds_the_same_figures_and_reasons(clinic):
    texts = TRAPS + [row["text"] for row in clinic[::7]]
    table = tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"} for text in texts])
    config = rules.Config()
    plain = plain_rules.Plain(corpus.settings_of(config))
    figures = rules.figures(table["text"].combine_chunks())
    for number, text in enumerate(texts):
        mine, _, _ = plain._figures(text)
        assert {name: values[number] for name, values in figures.items()} == pytest.approx(mine, abs=1e-12), text
    words = unsafe.kinds_of(table["text"].combine_chunks())
    masks, *_ = rules.breaches(config, table)
    _, dropped = tables.sift(table, {**masks, "unsafe": words.is_valid()})
    reasons = dict(zip(dropped["text"].to_pylist(), dropped["reason"].to_pylist(), strict=True))
    assert {row["text"]: plain.reason(row["text"], row["lang"]) for row in table.to_pylist()} == {text: reasons.get(text) for text in texts}
    assert {"unsafe", "boilerplate", "too_short", "scrambled", "garbled"} <= set(reasons.values())


def test_texts_are_cut_at_sentence_ends():
    # sentences of 15 bytes, 30 wanted: two each; the rest of 15 stays, being half of it
    assert corpora.pieces("甲乙丙丁。" * 5, 30) == ["甲乙丙丁。甲乙丙丁。"] * 2 + ["甲乙丙丁。"]
    assert corpora.pieces("甲乙丙丁。" * 4 + "完", 30) == ["甲乙丙丁。甲乙丙丁。"] * 2
    assert corpora.pieces("Take 0.5 mg. Twice.", 5) == ["Take 0.5 mg.", "Twice."] and corpora.pieces("short") == ["short"]


def test_any_number_of_documents_half_of_each_language_and_always_the_same(tmp_path):
    made = corpora.documents(9001, data=tmp_path / "absent")
    assert Counter(made["lang"].to_pylist()) == {"zh": 4501, "en": 4500} and made.equals(corpora.documents(9001, data=tmp_path / "absent"))
    assert len(set(made["id"].to_pylist())) == len(made) and Counter(made["source"].to_pylist())["made"] > 4000
    bytes_of_made = [len(row["text"].encode()) for row in made.to_pylist() if row["source"] == "made"]
    assert 950 < sum(bytes_of_made) / len(bytes_of_made) < 1200


def test_results_of_other_works_stay(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    results.publish("x", [results.row("a", 20.0, 10.0, "peer", unit="docs/s", runs=1, equal=True)], {"peer": "1"})
    results.publish("x", [results.row("b", 1.0, 4.0, "peer", unit="docs/s", runs=3, equal=False, note="n")], {"numpy": "2"})
    found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert [(row["work"], row["ratio"]) for row in found["rows"]] == [("a", 2.0), ("b", 0.25)] and found["versions"] == {"peer": "1", "numpy": "2"}
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["a", "20.0", "10.0"]


def test_works_take_turns_and_the_median_counts():
    log, seconds = [], {"a": [3.0, 1.0, 2.0], "b": [9.0, 9.0, 1.0]}
    work = lambda name: lambda: log.append(name) or {"seconds": seconds[name].pop(0)}  # noqa: E731
    assert [median for _, median in results.alternate(3, (work("a"), work("b")))] == [2.0, 9.0] and log == list("ababab")


def test_spoiled_texts_are_not_what_they_were():
    import rule_limits
    text, rng = "高血压是一种常见的慢性病，需要长期服药。" * 3, corpora.chooser(0, "x")
    assert all(spoil(text, rng) != text for spoil in rule_limits.SPOILED.values())
    assert sorted(rule_limits.SPOILED["shuffled"](text, rng)) == sorted(text)
    assert pa.array([rule_limits.SPOILED["mojibake"]("it’s", rng)])[0].as_py() != "it’s"


@pytest.mark.parametrize("work", ["rules", "same"])
def test_our_side_of_the_comparison_runs_and_drops_the_dirt(clinic, tmp_path, work):
    tables.write(tmp_path / "in" / "documents" / tables.part(0), tables.from_rows("documents", clinic))
    ours_rules._passed(work, tmp_path / "in", tmp_path / "out")
    kept, dropped = (tables.read(folder, "documents") for folder in (tmp_path / "out", tmp_path / "out" / "dropped"))
    assert len(kept) + len(dropped) == len(clinic) and len(dropped) > 20
    assert ("identifier" in dropped["reason"].to_pylist()) == (work == "rules")
