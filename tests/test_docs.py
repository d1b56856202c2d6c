"""The documents say what is so: both READMEs agree, and what they name exists."""

import dataclasses
import importlib
import itertools
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from aquilamed import cli, pipeline
from aquilamed.core import manifest, records, tables
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import Source, known
from aquilamed.engine.local import Local
from aquilamed.evals import catalogue, ledger, task
from aquilamed.train import data

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README_zh.md")
DOCUMENTS = (*READMES, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
CLUSTERS = "docs/clusters.md"
HOSPITAL = "recipes/hospital.py"
"""The recipe that the READMEs tell the reader to write."""
GUIDE, OWN = "docs/instructions.md", "recipes/own.py"
"""The guide to instructions and pairs, and the recipe that it tells the reader to write."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOP = ("src/", "docs/", "recipes/", "tests/", "benchmarks/")
WORD = re.compile(r"[^\W\d_]\w*")
PACKAGE = ROOT / "src" / "aquilamed"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, lang: str = "") -> list[str]:
    return [body for found, body in FENCE.findall(read(name)) if not lang or found == lang]


def spans(name: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", read(name)))


def rows_below(name: str, heading: str) -> list[list[str]]:
    """The cells of the first table below `heading`, its own head left out."""
    after = read(name).split(f"\n## {heading}\n", 1)[1].split("\n## ")[0]
    lines = list(itertools.takewhile(lambda line: line.startswith("|"), itertools.dropwhile(lambda line: not line.startswith("|"), after.splitlines())))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def public() -> list[tuple[str, Source]]:
    """(kind, source) of every public set."""
    return [(kind, source) for kind in records.SCHEMAS for source in vars(known)[kind](Path("")).values()]


def first_cells(heading: str) -> list[str]:
    return [row[0].strip("`") for row in rows_below("docs/formats.md", heading)]


@pytest.fixture(scope="module")
def quickstart() -> pipeline.Recipe:
    return pipeline.load(ROOT / "recipes/quickstart.py")


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Every word of the sources, and every public set's name and path."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "recipes").glob("*.py"), *(ROOT / name for name in ("Makefile", "pyproject.toml", "constraints.txt"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(WORD.findall(text)) | {name for _, source in public() for name in (source.name, source.path.as_posix())} | {source.path.as_posix() for source in known.shots(Path("")).values()}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory) -> pipeline.Recipe:
    """The READMEs' own recipe, loaded from beside the quickstart."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copy(ROOT / "recipes/quickstart.py", folder)
    (folder / "hospital.py").write_text(blocks("README.md", "python")[0], encoding="utf-8")
    return pipeline.load(folder / "hospital.py")


def test_both_readmes_have_the_same_headings_code_and_pictures():
    texts = [read(name) for name in READMES]
    levels = [re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE) for text in texts]
    codes = [FENCE.findall(text) for text in texts]
    pictures = [re.findall(r"!\[[^\]]*\]\([^)]*\)|<!--[^>]*-->", text) for text in texts]
    assert levels[0] == levels[1] and len(levels[0]) > 5
    assert codes[0] == codes[1] and len(codes[0]) > 5
    assert pictures[0] == pictures[1] and set(spans(READMES[0])) == set(spans(READMES[1]))


@pytest.mark.parametrize(("name", "notice"), [("README.md", "Not for clinical use"), ("README_zh.md", "不得用于临床")])
def test_the_notice_stands_near_the_top(name, notice):
    assert notice in "\n".join(read(name).splitlines()[:5])


@pytest.mark.parametrize(("name", "heading"), [("README.md", "The pipeline"), ("README_zh.md", "流程")])
def test_the_step_table_is_the_quickstart(quickstart, name, heading):
    found = [(folder, stage.strip("`"), paper) for folders, stage, paper, _ in rows_below(name, heading) for folder in re.findall(r"`([^`]+)`", folders)]
    assert found == [(folder.name, step.stage, step.paper) for step, folder in quickstart.numbered(Path("runs"))]


@pytest.mark.parametrize(("name", "heading"), [("README.md", "Recipes"), ("README_zh.md", "配方")])
def test_every_recipe_is_listed(name, heading):
    assert sorted(row[0].strip("`") for row in rows_below(name, heading)) == sorted(f"recipes/{path.name}" for path in (ROOT / "recipes").glob("*.py"))


@pytest.mark.parametrize("name", READMES)
def test_every_command_can_be_given(quickstart, hospital, name):
    lines = [line for block in blocks(name, "sh") for line in block.splitlines() if line.strip()]
    inline = [span for span in spans(name) if re.match(r"(make|aquilamed) \w", span)]
    recipes = {"recipes/quickstart.py": quickstart, HOSPITAL: hospital}
    for words in map(shlex.split, [*lines, *inline]):
        if words[0] == "make":
            assert set(words[1:]) <= set(re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[1].split()), words
            continue
        if words[0] == ".venv/bin/python":
            assert words[1:3] == ["-m", "pip"] and all(word in read("constraints.txt").split() for word in words if "==" in word), words
            continue
        assert words[0] == "aquilamed", f"{words[0]}: no tool of the project"
        asked = cli.parser().parse_args(words[1:])
        if words[1] == "eval":
            assert_can_be_asked(quickstart, asked)
        elif words[1] in ("run", "plan"):
            recipe = (recipes.get(str(asked.recipe)) or pipeline.load(ROOT / asked.recipe)).with_settings(asked.settings)
            pipeline.select(recipe, asked.first, asked.last)
        else:
            assert_is_in_a_run(quickstart, words[2])


def assert_can_be_asked(quickstart: pipeline.Recipe, asked) -> None:
    """That an evaluation names tasks of the catalogue, and steps of the quickstart or what an evaluation of one makes."""
    assert asked.tasks == ["all"] or catalogue.named(asked.tasks)
    for path in filter(lambda path: path.startswith("runs/"), map(str, (asked.model, asked.replay, *asked.compare))):
        made = Path(path).name.removeprefix("eval-")
        assert_is_in_a_run(quickstart, f"runs/quickstart/{made}" if path.startswith("runs/eval-") else path)


def assert_is_in_a_run(quickstart: pipeline.Recipe, path: str) -> None:
    parts = Path(path).parts
    folders = {folder.name for _, folder in quickstart.numbered(Path("runs"))}
    assert parts[0] == "runs" and parts[1] in ("quickstart", "hospital") and (len(parts) == 2 or parts[2] in folders | {"report.html", "ledger.json"}), path


@pytest.mark.parametrize("name", READMES)
def test_settings_named_in_the_text_exist(quickstart, name):
    named = [match for span in spans(name) for match in re.findall(r"--set ([\w-]+(?:\.\w+)+=\S+)", span)]
    assert named
    quickstart.with_settings(named)
    with pytest.raises(ConfigError):
        quickstart.with_settings(["sft.optim.epoch=2"])


def test_the_example_reads_the_readers_files(hospital, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    rows = "标题,提问,回答,科室\n高血压,高血压患者能吃党参吗？,可以少量服用，请遵医嘱。,心血管科\n"
    (tmp_path / "data/visits.csv").write_bytes(rows.encode("gb18030"))
    leaflet = {"title": "用药须知", "body": "Take with water. 饭后服用。"}
    (tmp_path / "data/leaflets.jsonl").write_text(json.dumps(leaflet, ensure_ascii=False) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = {}
    for step in hospital.steps:
        if step.name in ("web", "talks"):
            own = dataclasses.replace(step.config, sources=step.config.sources[-1:])
            pipeline.stage_of(step).run(own, {}, tmp_path / step.name, Local(1))
            made[step.name] = next(tables.rows(tmp_path / step.name, "documents" if step.name == "web" else "conversations"))
    assert made["web"]["text"] == "用药须知\n\nTake with water. 饭后服用。"
    assert [message["content"] for message in made["talks"]["messages"]] == ["高血压\n高血压患者能吃党参吗？", "可以少量服用，请遵医嘱。"]
    assert made["talks"]["meta"]["department"] == "心血管科"


def test_the_guides_recipes_and_commands_can_be_given(tmp_path):
    own, asked, _ = blocks(GUIDE, "python")
    (tmp_path / "own.py").write_text(own, encoding="utf-8")
    (tmp_path / "asked.py").write_text(asked, encoding="utf-8")
    first, second = pipeline.load(tmp_path / "own.py"), pipeline.load(tmp_path / "asked.py")
    assert second.name == first.name and [step.name for step in second.steps[:len(first.steps)]] == [step.name for step in first.steps]
    for step in second.steps:
        pipeline.stage_of(step)
    folders = {folder.as_posix() for _, folder in first.numbered(Path("runs"))}
    for words in (shlex.split(line) for block in blocks(GUIDE, "sh") for line in block.splitlines()):
        asked_for = cli.parser().parse_args(words[1:])
        if words[1] == "run":
            assert str(asked_for.recipe) == OWN
            pipeline.select(first.with_settings(asked_for.settings), asked_for.first, asked_for.last)
        else:
            assert words[2] in folders | {"runs/own"}, words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_named_exists(quickstart, words, name):
    wrong = [span for span in spans(name) if not exists(span, quickstart, words)]
    assert not wrong, f"{name} names what is not there: {wrong}"


def exists(span: str, quickstart: pipeline.Recipe, words: set[str]) -> bool:
    """Whether a code span names a file, a test, a module, a setting, a step's folder, or words of the sources."""
    path, _, test = span.partition("::")
    if span in words or span in (HOSPITAL, OWN, "asked.py", "benchmarks/results"):
        return True
    if path.startswith(TOP) or (ROOT / path).is_file():
        return (ROOT / path).exists() and (not test or f"def {test}(" in read(path))
    if re.fullmatch(r"\d\d-[\w-]+", span):
        return span in {folder.name for _, folder in quickstart.numbered(Path("runs"))}
    if re.fullmatch(r"[a-z_]+(\.\w+)+", span) and resolves(span, quickstart):
        return True
    return not span.isascii() or set(WORD.findall(re.sub(r"<[^>]*>|NN", " ", span))) <= words


def resolves(span: str, quickstart: pipeline.Recipe) -> bool:
    """Whether it is a module below the package, a field of a stage's Config (`ledger.Config.order`), or a setting of a step."""
    parts = span.split(".")
    if (PACKAGE / "/".join(parts)).is_dir() or (PACKAGE / "/".join(parts)).with_suffix(".py").is_file():
        return True
    if parts[0] == "aquilamed":
        return resolves(".".join(parts[1:]), quickstart)
    for step in quickstart.steps:
        config = type(step.config)
        if len(parts) == 3 and parts[1] == "Config" and step.stage.endswith(f".{parts[0]}"):
            return parts[2] in {field.name for field in dataclasses.fields(config)}
    holder = importlib.import_module("aquilamed.train.settings").Optim
    return parts[0] == "optim" and parts[1] in {field.name for field in dataclasses.fields(holder)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_resolve(name):
    for target in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", read(name))):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path
        assert found.exists(), f"{name}: {target} is not there"
        headings = [re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in found.read_text(encoding="utf-8").splitlines() if line.startswith("#")] if anchor else []
        assert not anchor or anchor in headings, f"{name}: {target}: no such heading"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_path_of_a_machine_is_named(name):
    words = FENCE.sub("", read(name)) if name == CLUSTERS else read(name)        # a batch script begins with its shell, a pod has a mount
    assert not re.findall(r"(?<![\w.~)\]/<>*:])/(?:[a-z_]+/?)+|~/\S+|[A-Z]:\\\S+", words)


def test_formats_lists_the_keys_that_are_written(tmp_path):
    identity = manifest.Identity(stage="corpus.rules", version=1, config={}, inputs={})
    manifest.begin(tmp_path, identity)
    body = manifest.seal(tmp_path, identity, Counts(n_in=0, n_out=0), step="rules", paper="2.1.1", seconds=0.0, provenance={})
    assert first_cells("manifest.json") == list(body)
    assert {row[0]: re.findall(r"`(\w+)`", row[1]) for row in rows_below("docs/formats.md", "Records")} == {kind: schema.names for kind, schema in records.SCHEMAS.items()}
    assert first_cells("trees.arrow") == data.SCHEMA.names and first_cells("answers.parquet") == task.SCHEMA.names


def test_formats_lists_the_ledgers_keys():
    answer = {"id": "a", "task": "t", "lang": "zh", "reading": "letter", "score": 1.0, "parsed": "A", "group": "a", "version": 1, "prompt_hash": "0", "bits": None, "bytes": None}
    rows = ledger.lines({"base": {("t", "zh", "letter"): [answer]}}, ledger.Config(order=("base",), base="base", limits={"t": 0.1}))
    assert first_cells("ledger.json") == list(rows[0])


def test_formats_shows_where_public_sets_lie():
    wanted = [[f"`{source.name}`", kind, f"`{source.path.as_posix()}`", source.format, source.license] for kind, source in public()]
    assert rows_below("docs/formats.md", "Public data sets") == wanted


def test_every_claim_of_the_paper_has_a_module_and_a_verdict(quickstart):
    claims = [[cell.strip() for cell in line.strip("|").split("|")] for line in read("docs/paper.md").splitlines() if line.startswith("|") and not line.startswith(("| §", "|---"))]
    assert len(claims) > 40
    for section, said, module, verdict, _ in claims:
        assert said and verdict in ("same", "chosen by us", "different"), said
        assert not section or (re.fullmatch(r"\d(\.\d){0,2}", section) and module), said
        assert all(resolves(part, quickstart) for part in re.findall(r"`([^`]+)`", module)), module


def test_what_was_measured_is_in_the_results(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    page = importlib.import_module("page")
    assert read("docs/benchmarks.md") == page.page() and "not reached" in page.page()
    for lang, name in (("en", "README.md"), ("zh", "README_zh.md")):
        assert page.BLOCK.search(read(name))[0] == page.short(lang)
    goals = (page.Goal("^a TRL$", 3), page.Goal("^b", 0.75, "ours"))
    row = {"work": "a", "peer_name": "TRL", "ratio": 2.9, "ours": 1.0}
    assert [page.goal(row, goals), page.goal({**row, "ratio": 3.0}, goals), page.goal({**row, "work": "b"}, goals), page.goal({**row, "work": "c"}, goals)] == ["3 ×, not reached", "3 ×", "0.75", "–"]
