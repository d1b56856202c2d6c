"""A finished set as a folder: it loads, the reference validator takes it, its sums close, both cards say the same, nothing private is shown."""

import hashlib
import html
import json
import random
import re
from collections import Counter
from pathlib import Path

import mlcroissant
import pytest
from markdown_it import MarkdownIt

from aquilamed import pipeline
from aquilamed.core import lineage, manifest, tables
from aquilamed.core.config import ConfigError
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import Pair, Questions, Source, known
from aquilamed.corpus import importing as corpus_importing
from aquilamed.engine.local import Local
from aquilamed.evals import benchmarks
from aquilamed.hygiene import decontaminate, dedup, holdout, screen
from aquilamed.instruct import importing, score, select, topics
from aquilamed.pipeline import Recipe, Step
from aquilamed.preference import importing as pairs_importing
from aquilamed.release import card, census, dataset, facts, funnel, gaps, licences, markdown

KIND = "conversations"
TITLE = "talks-of-two-wards"
FULL = dataset.Config(kind=KIND, title=TITLE, about="Made up for a test.", about_zh="为测试编写。", published="2026-11-30", creator="Two Wards", url="https://example.org/talks", cite="Two Wards, 2026.")
ORGANS = ("心脏", "肝脏", "肾脏", "肺部", "胃部", "皮肤", "眼睛", "耳朵", "膝盖", "颈椎", "腰部", "甲状腺")
PAINS = ("疼痛", "发炎", "肿胀", "出血", "麻木")


def talks(folder: Path) -> None:
    """60 Chinese rows, one of them twice and one with a name and a telephone number, and 40 English ones, two of which give away an exam question."""
    zh = [{"ask": f"医生您好，我的{organ}{pain}已经{k}天了，应该怎么办？", "answer": f"建议到医院检查{organ}，排除{pain}的常见原因，并按医生的安排{way}，避免劳累。", "ward": organ}
          for k, (organ, pain, way) in enumerate(((o, p, w) for o in ORGANS for p, w in zip(PAINS, ("复查血常规", "做超声检查", "清淡饮食", "注意休息", "按时服药"), strict=True)), start=2)]
    zh[7]["ask"] += "我的电话：13812345678。"
    en = [{"ask": f"My {part} has been sore for {k} weeks, what may help?", "answer": f"Rest the {part}, take note of what makes it worse, and see a doctor if {sign} goes on.", "ward": "general"}
          for k, (part, sign) in enumerate(((p, s) for p in ("knee", "elbow", "shoulder", "ankle", "wrist", "hip", "back", "neck") for s in ("swelling", "fever", "weakness", "numbness", "redness")), start=3)]
    for row in en[:2]:
        row["ask"] += " Which of these organs makes the hormone insulin and gives it into the blood after a meal?"
    for name, rows in (("zh", [*zh, zh[3]]), ("en", en)):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    exam = {"stem": "Which of these organs makes the hormone insulin and gives it into the blood after a meal?", "options": ["liver", "pancreas"], "answer": "B"}
    (folder / "exam.jsonl").write_text(json.dumps(exam), encoding="utf-8")


def recipe(data: Path, *, screened: bool = True) -> Recipe:
    def source(name: str, license: str) -> Source:
        return Source(name=name, path=data / f"{name}.jsonl", format="jsonl", license=license, mapping=Pair(prompt=("ask",), answer="answer", meta={"department": "ward"}))
    exam = Source(name="exam", path=data / "exam.jsonl", format="jsonl", license="CC0-1.0", mapping=Questions(stem="stem", options=("options",), answer="answer"))
    safe = Step(name="safe", stage="hygiene.screen", config=screen.Config(kind=KIND, identifiers="mask" if screened else "report"), inputs={KIND: "talks"})
    return Recipe(name="wards", steps=(
        Step(name="benchmarks", stage="evals.benchmarks", config=benchmarks.Config(sources=(exam,))),
        Step(name="talks", stage="instruct.importing", config=importing.Config(sources=(source("zh", "Apache-2.0"), source("en", "CC-BY-NC-4.0"))), paper="2.2.1"), safe,
        Step(name="once", stage="hygiene.dedup", config=dedup.Config(kind=KIND), inputs={KIND: "safe"}),
        Step(name="clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=KIND, n_planted=5), inputs={KIND: "once", "benchmarks": "benchmarks"}),
        Step(name="scored", stage="instruct.score", config=score.Config(), inputs={KIND: "clean"}),
        Step(name="selected", stage="instruct.select", config=select.Config(drop_score_share=0.2), inputs={KIND: "scored"}),
        Step(name="parted", stage="hygiene.holdout", config=holdout.Config(kind=KIND, share=0.3), inputs={KIND: "selected"}),
        Step(name="card", stage="release.dataset", config=FULL, inputs={KIND: "parted", "heldout": "parted/heldout"}),
    ))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """The run's folder."""
    folder = tmp_path_factory.mktemp("wards")
    talks(folder)
    pipeline.run(recipe(folder), folder / "runs", Local(2), lambda line: None)
    return folder / "runs" / "wards"


@pytest.fixture(scope="module")
def made(home) -> Path:
    """The published folder."""
    return home / "09-card" / "dataset" / TITLE


def rows(folder: Path, kind: str = KIND) -> list[dict]:
    return sorted(tables.rows(folder, kind), key=lambda row: row["id"])


def test_it_loads_with_every_record_in_its_split(home, made, tmp_path):
    import datasets
    found = datasets.load_dataset(str(made), cache_dir=str(tmp_path))
    for split, folder in (("train", home / "08-parted"), ("heldout", home / "08-parted" / "heldout")):
        loaded = sorted(found[split].to_list(), key=lambda row: row["id"])
        for row in loaded:
            row["meta"] = {key: value for key, value in row["meta"].items() if value is not None}
        assert loaded == rows(folder) and loaded


@pytest.mark.parametrize(("kind", "name", "stage"), [("documents", "cmrc2018", corpus_importing), ("preferences", "dpo_zh_demo", pairs_importing)])
def test_texts_and_pairs_of_real_files_load_too(shared_data, tmp_path, kind, name, stage):
    import datasets
    source = vars(known)[kind](shared_data)[name]
    steps = (
        Step(name="read", stage=stage.__name__.removeprefix("aquilamed."), config=stage.Config(sources=(source,))),
        Step(name="safe", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask"), inputs={kind: "read"}),
        Step(name="card", stage="release.dataset", config=dataset.Config(kind=kind, title=name), inputs={kind: "safe"}))
    pipeline.run(Recipe(name="real", steps=steps), tmp_path, Local(2), lambda line: None)
    folder = tmp_path / "real" / "03-card" / "dataset" / name
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    wanted = rows(tmp_path / "real" / "02-safe", kind)
    assert sorted(found["id"]) == [row["id"] for row in wanted] and len(wanted) > 200
    assert not mlcroissant.Dataset(jsonld=str(folder / "croissant.json")).metadata.ctx.issues.errors
    assert "There is no held-out split." in (folder / "README.md").read_text(encoding="utf-8")


def test_a_set_made_anew_under_its_name_is_not_taken_from_the_cache(home, made, tmp_path):
    import datasets
    first = datasets.load_dataset(str(made), cache_dir=str(tmp_path))
    dataset.run(FULL, {KIND: home / "07-selected"}, tmp_path / "again", Local(1))
    second = datasets.load_dataset(str(tmp_path / "again" / "dataset" / TITLE), cache_dir=str(tmp_path))
    assert list(second) == ["train"] and second["train"].num_rows == sum(split.num_rows for split in first.values())


def test_the_reference_validator_takes_its_metadata_and_reads_its_records(home, made):
    found = mlcroissant.Dataset(jsonld=str(made / "croissant.json"))
    assert not found.metadata.ctx.issues.errors and not found.metadata.ctx.issues.warnings
    for split, folder in (("train", home / "08-parted"), ("heldout", home / "08-parted" / "heldout")):
        read = {row[f"{split}/id"].decode(): row for row in found.records(split)}
        assert len(read) == len(rows(folder))
        for row in rows(folder):
            seen = read[row["id"]]
            said = [{key.rpartition("/")[2]: value.decode() for key, value in turn.items()} for turn in seen[f"{split}/messages"]]
            assert said == row["messages"] and seen[f"{split}/meta"][f"{split}/meta/score"].decode() == row["meta"]["score"]


def test_its_head_is_what_the_hub_reads(made):
    from huggingface_hub import DatasetCard
    head = DatasetCard.load(made / "README.md").data.to_dict()
    assert head["language"] == ["en", "zh"] and head["license"] == "other" and head["size_categories"] == ["n<1K"]
    assert [one["split"] for one in head["configs"][0]["data_files"]] == ["train", "heldout"]


def test_the_same_bytes_whenever_and_wherever(home, made, tmp_path):
    dataset.run(FULL, {KIND: home / "08-parted", "heldout": home / "08-parted" / "heldout"}, tmp_path, Local(1))
    again = tmp_path / "dataset" / TITLE
    names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file())
    assert all((made / name).read_bytes() == (again / name).read_bytes() for name in names)
    sums = dict(reversed(line.split("  ")) for line in (made / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((made / name).read_bytes()).hexdigest() for name in names if name != "SHA256SUMS"}


def test_both_cards_say_the_same(made):
    cards = [(made / name).read_text(encoding="utf-8") for name in ("README.md", "README_zh.md")]
    heads = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in cards]
    figures = [[re.findall(r"\d[\d.,]*", line) for line in text.split("\n# ", 1)[-1].splitlines() if line.startswith("|")] for text in cards]
    assert heads[0] == heads[1] and len(heads[0]) == 11 and figures[0] == figures[1] and len(figures[0]) > 60
    assert all(notice in text for notice, text in zip(card.NOTICE.values(), cards, strict=True))
    assert not re.search(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{3,}", cards[1].split("\n## 构成")[1].split("\n## 样例")[0])


def test_the_card_counts_what_the_run_counted(home, made):
    text = (made / "README.md").read_text(encoding="utf-8")
    bodies = {step: manifest.read(home / step) for step in ("02-talks", "03-safe", "04-once", "05-clean", "06-scored", "07-selected", "08-parted")}
    for body in bodies.values():
        counts = body["counts"]
        assert re.search(rf"\| `{body['step']}` \|.*\| {counts['in']} \| {counts['out']} \| {sum(counts['dropped'].values())} \|", text)
        assert all(f"`{reason}` {n}" in text for reason, n in counts["dropped"].items())
    missing = sum(not any(row["meta"]["department"] == organ for row in (*rows(home / "08-parted"), *rows(home / "08-parted" / "heldout"))) for organ in ORGANS)
    lost = sum(sum(body["counts"]["dropped"].values()) for body in bodies.values())
    assert f"101 read from files − {lost} dropped = **{101 - lost}** in this set." in text and bodies["04-once"]["counts"]["dropped"] and bodies["05-clean"]["counts"]["dropped"] == {"benchmark": 2}
    bought = sum(row["source"] == "en" for row in (*rows(home / "08-parted"), *rows(home / "08-parted" / "heldout")))
    assert "| `exam` | 1 |" in text and re.search(rf"\*\*Not for commercial use\*\* – \d+ % of the records: en \({bought}\)\.", text) and f"| Departments | {len(ORGANS) + 1 - missing} | 15+ |" in text


def test_departments_are_named_in_the_cards_language_and_who_scored_is_told(tmp_path, made):
    pairs = [{"ask": f"我有{name}，怎么办？", "answer": f"{name}请到门诊就诊。", "ward": "x"} for name in ("高血压", "哮喘", "偏头痛")]
    (tmp_path / "few.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in pairs), encoding="utf-8")
    source = Source(name="few", path=tmp_path / "few.jsonl", format="jsonl", license="MIT", mapping=Pair(prompt=("ask",), answer="answer"))
    steps = (Step(name="read", stage="instruct.importing", config=importing.Config(sources=(source,))), Step(name="topics", stage="instruct.topics", config=topics.Config(), inputs={KIND: "read"}),
             Step(name="card", stage="release.dataset", config=dataset.Config(kind=KIND, title="few"), inputs={KIND: "topics"}))
    pipeline.run(Recipe(name="few", steps=steps), tmp_path, Local(1), lambda line: None)
    en, zh = ((tmp_path / "few/03-card/dataset/few" / name).read_text(encoding="utf-8") for name in ("README.md", "README_zh.md"))
    assert "| respiratory | 1 |" in en and "| 呼吸内科 respiratory | 1 |" in zh and "| 支气管哮喘 asthma | 1 |" in zh and "呼吸内科 respiratory（1）" in zh and "Who scored" not in en
    assert "Who scored the conversations: the surface of the texts alone" in (made / "README.md").read_text(encoding="utf-8")


def test_every_stage_that_makes_records_is_said_in_words():
    package = Path(card.__file__).parents[1]
    stages = {f"{path.parent.name}.{path.stem}" for group in ("corpus", "hygiene", "instruct", "preference") for path in (package / group).glob("*.py") if "\nVERSION = " in path.read_text(encoding="utf-8")}
    assert stages == set(funnel.WHAT)


def test_what_is_shown_is_masked_and_nothing_is_shown_of_records_that_were_not_screened(home, made, tmp_path):
    assert "13812345678" not in (made / "README.md").read_text(encoding="utf-8") and "> **User**" in (made / "README.md").read_text(encoding="utf-8")
    bare = recipe(home.parents[1], screened=False)
    pipeline.run(bare, tmp_path, Local(1), lambda line: None)
    text = (tmp_path / "wards" / "09-card" / "dataset" / TITLE / "README.md").read_text(encoding="utf-8")
    assert "None are shown: not every record was screened for identifiers." in text and "> **User**" not in text and "may hold personal data" in text
    raw, shown = (json.dumps(found, ensure_ascii=False) for found in (rows(tmp_path / "wards" / "04-once"), facts.examples(KIND, tmp_path / "wards" / "04-once", 100)))
    assert "13812345678" in raw and "13812345678" not in shown and "[电话1]" in shown


def test_splits_that_share_records_or_have_no_past_are_refused(home, tmp_path):
    with pytest.raises(RecordError, match="records stand in the training split and in the held-out one"):
        dataset.run(FULL, {KIND: home / "07-selected", "heldout": home / "08-parted" / "heldout"}, tmp_path, Local(1))
    with pytest.raises(RecordError, match="not of a step that the training records came through"):
        dataset.run(FULL, {KIND: home / "02-talks", "heldout": made_elsewhere(tmp_path)}, tmp_path, Local(1))
    with pytest.raises(RecordError, match="made by no step"):
        dataset.run(FULL, {KIND: made_elsewhere(tmp_path)}, tmp_path, Local(1))


def made_elsewhere(folder: Path) -> Path:
    row = {"messages": [{"role": "user", "content": "哪里"}, {"role": "assistant", "content": "别处"}], "kind": "single", "source": "x", "license": "MIT"}
    tables.scatter(folder / "else", KIND, tables.from_rows(KIND, [row]))
    return folder / "else"


@pytest.mark.parametrize(("field", "value"), [("title", "two wards"), ("title", ""), ("title", ".."), ("published", "30.11.2026"), ("version", "one"), ("n_examples", -1)])
def test_settings_that_cannot_be_meant_are_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field}="):
        dataset.Config(**{"kind": KIND, "title": TITLE, field: value})


def test_the_sum_closes_for_any_run():
    chance = random.Random(5)
    for _ in range(300):
        steps, links = [], {}
        for number in range(chance.randint(1, 9)):
            before = chance.sample(steps, chance.randint(0 if number < 4 else 1, min(len(steps), 3)))
            n_in, n_out = chance.randint(0, 500), chance.randint(0, 500)
            n_in = max(n_in, n_out)
            steps.append(manifest.Made(Path(str(number)), {"step": str(number), "stage": "x", "counts": {"in": n_in, "out": n_out, "dropped": {"why": n_in - n_out}}}))
            links[Path(str(number))] = tuple(one.folder for one in before)
        way = reached(lineage.Lineage(tuple(steps), links))
        found = funnel.balance(way, chance.randint(0, way.steps[-1].n_out))
        assert found.read + found.made == found.dropped + found.aside + found.left and min(found.made, found.aside) >= 0


def reached(way: lineage.Lineage) -> lineage.Lineage:
    """The steps that the last one's records came through: what `lineage.trace` gives."""
    wanted, ways = {way.steps[-1].folder}, [way.steps[-1].folder]
    while ways:
        before = set(way.links[ways.pop()]) - wanted
        wanted |= before
        ways += before
    return lineage.Lineage(tuple(step for step in way.steps if step.folder in wanted), {folder: way.links[folder] for folder in wanted})


def test_a_run_with_two_branches_is_traced_whole(tmp_path):
    def sealed(name: str, stage: str, inputs: dict, counts: Counts) -> str:
        identity = manifest.Identity(stage=stage, version=1, config={}, inputs=inputs)
        folder = tmp_path / name
        manifest.begin(folder, identity)
        (folder / "preferences").mkdir()
        (folder / "preferences" / "x").write_text(name)
        return manifest.seal(folder, identity, counts, step=name[3:], paper="ours", seconds=0, provenance={})["digest"]
    votes = sealed("01-votes", "preference.importing", {}, Counts(n_in=10, n_out=9, dropped={"equal": 1}))
    screened = sealed("02-screened", "hygiene.screen", {"preferences": votes}, Counts(n_in=9, n_out=9))
    pairs = sealed("03-pairs", "preference.objective", {"seeds": votes}, Counts(n_in=20, n_out=20))
    sealed("04-joined", "preference.join", {"a": screened, "b": pairs}, Counts(n_in=29, n_out=29))
    way = lineage.trace(tmp_path / "04-joined" / "preferences")
    assert [step.name for step in way.steps] == ["votes", "screened", "pairs", "joined"]
    assert not way.all_pass(facts.SCREENS) and funnel.balance(way, 29) == funnel.Balance(read=30, made=0, dropped=1, aside=0, left=29)
    with pytest.raises(RecordError, match="what its input 'a' was is not there any more"):
        lineage.trace(move(tmp_path / "02-screened", tmp_path / "04-joined"))


def move(folder: Path, then: Path) -> Path:
    folder.rename(folder.parent.parent / f"{folder.name}-gone")
    return then


@pytest.mark.parametrize(("name", "asks"), [
    ("unknown", "no licence"), ("", "no licence"), ("LicenseRef-research-only", "research only"), ("CC-BY-NC-SA-4.0", "not for commercial"), ("LicenseRef-NonCommercial", "not for commercial"),
    ("CC-BY-ND-4.0", "changed"), ("CC-BY-SA-3.0", "share alike"), ("GPL-3.0-only", "share alike"), ("CC-BY-4.0", "name its authors"), ("Apache-2.0", "name its authors"), ("MIT", "name its authors"),
    ("CC0-1.0", "free"), ("LicenseRef-public-domain", "free"), ("LicenseRef-Gemma", "terms of its own"),
])
def test_what_a_licence_asks(name, asks):
    assert asks in licences.duty(name).en


def test_the_strictest_licence_comes_first_and_the_hub_gets_a_name_it_knows():
    names = ["unknown", "LicenseRef-research-only", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "LicenseRef-Gemma", "CC-BY-SA-4.0", "MIT", "CC0-1.0"]
    assert sorted(reversed(names), key=licences.strictness) == names
    assert licences.for_the_hub({"Apache-2.0"}) == {"license": "apache-2.0"} and licences.for_the_hub({"unknown"}) == {"license": "unknown"}
    assert licences.for_the_hub({"MIT", "unknown"})["license"] == "other" and licences.for_the_hub({"LicenseRef-Gemma"})["license_name"] == "licenseref-gemma"


def test_quoted_words_come_out_as_they_were():
    parts = ["**", "_x_", "<b>", "</script>", "|", "# ", "1. ", "- ", "+ ", "`a`", "[x](y)", "&amp;", "血压 140/90", "\\", "~~", "$x$", "> ", "患者：", " ", "\n", "\n\n", "!", "12) ", "http://a.b", "=== ", "---"]
    chance, shown = random.Random(3), MarkdownIt("commonmark")
    for _ in range(500):
        text = "".join(chance.choices(parts, k=chance.randint(1, 12))).strip()
        rendered = shown.render(markdown.quoted(text))
        plain = html.unescape(re.sub(r"</?(p|br|blockquote)[^>]*>", "\n", rendered))
        assert "<" not in re.sub(r"</?(p|br ?/?|blockquote)>", "", rendered).replace("<br />", "") and plain.split() == text.split(), (text, rendered)


def test_a_source_is_counted_over_all_its_languages_and_kinds():
    found = census.Census(Counter({("web", "zh", "single", "unknown"): 3, ("web", "en", "multi", "unknown"): 4, ("book", "en", "multi", "MIT"): 2}), Counter(), frozenset(), {}, Counter(), Counter())
    assert found.under(lambda name: name == "unknown") == {"web": 7} and found.by(1) == {"zh": 3, "en": 6}


def test_shares_are_never_rounded_to_nothing_or_all():
    assert [gaps.percent(share) for share in (0, 0.00001, 0.004, 0.0996, 0.125, 0.994, 0.9999, 1)] == ["0 %", "< 0.1 %", "0.4 %", "10.0 %", "12 %", "99 %", "> 99 %", "100 %"]
    assert [markdown.size(n) for n in (999, 1_000, 12_345_678)] == ["999 B", "1.0 kB", "12.3 MB"]
