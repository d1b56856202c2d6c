"""The spread of scores and relevance on the report, and dialogues from both tails."""

import fake_run

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.report import runs, tails


def rows(n):
    for k in range(n):
        for lang, asked, said in (("zh", f"第{k}天仍发热，电话13812345678", "请复诊。"), ("en", f"Day {k}: still a fever <b>", "Come back.")):
            messages = [{"role": role, "content": text} for role, text in zip(("user", "assistant") * 2, (asked, said, "谢谢" if lang == "zh" else "Thanks", "好" if lang == "zh" else "Bye"), strict=True)]
            yield {"messages": messages, "kind": "multi", "lang": lang, "source": "s", "license": "MIT", "meta": {"score": f"{k % 7 + 1}", "relevance": f"{0.5 + k / 100:.4f}"}}


def made(folder, n):
    maker = fake_run.Maker(folder)
    for name, stage, source in (("scored", "instruct.score", None), ("related", "instruct.relevance", "scored")):
        out = maker.step(name, stage, Counts(n_in=2 * n, n_out=2 * n), inputs={"conversations": source} if source else {})
        tables.scatter(out, "conversations", tables.from_rows("conversations", rows(n)))
    maker.step("selected", "instruct.select", Counts(n_in=2 * n, n_out=2 * n, notes={"relevance_limits": {"zh": [0.55, 0.8], "en": [0.55, 0.85]}}), inputs={"conversations": "related"})
    return runs.load(folder)


def test_both_tails_are_shown_masked_and_in_order(tmp_path):
    run = made(tmp_path / "r", 40)
    page = tails.show(run)
    assert page.count("<svg") == 2 and page.count('class="line faint"') == 3            # limits 0.55, 0.80 and 0.85, each once
    assert "13812345678" not in page and "fever &lt;b&gt;" in page and "zh 40, en 40" in page
    places = [page.index(f"relevance {value:.3f}") for value in (0.5, 0.51, 0.52, 0.89, 0.88, 0.87)]
    assert places == sorted(places) and "relevance 0.530" not in page and "relevance 0.860" not in page


def test_few_dialogues_stand_in_one_tail_only_and_no_figures_make_no_section(tmp_path):
    low, high = tails.tails([(0.1, "a", "zh"), (0.2, "b", "zh"), (0.3, "c", "zh"), (0.4, "d", "zh"), (0.1, "e", "en")])
    assert [one[1] for one in low] == ["a", "b", "c", "e"] and [one[1] for one in high] == ["d"]
    maker = fake_run.Maker(tmp_path / "empty")
    maker.step("scored", "instruct.score", Counts(n_in=0, n_out=0))
    assert tails.show(runs.load(tmp_path / "empty")) == ""
