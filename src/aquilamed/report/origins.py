"""Where everything comes from: sources with their licences, and what the run was made with."""

import json
from collections.abc import Iterator, Mapping

from aquilamed.report.markup import Html, clock, folded, section, table, tag, whole
from aquilamed.report.runs import Run, Step

UNKNOWN = "unknown"


def sources(run: Run) -> Html:
    """Every source that an import read, and the base model."""
    rows = [row for step in run.steps for row in _sources(step)]
    heads = [("Source", "来源"), ("Step", "步骤"), ("Licence", "许可"), ("Rows", "行数"), ("Encoding", "编码")]
    lost = sum(UNKNOWN in str(row[2]) for row in rows)
    warning = tag("p", f"{lost} without a known licence: a data card names them first.", class_="remark") if lost else ""
    return section("sources", "Sources and licences", "来源与许可", warning, table(heads, rows, numbers=(3,)))


def _sources(step: Step) -> Iterator[list[object]]:
    if step.stage == "models.prepare":
        name, size = step.notes.get("source", "base model"), step.notes.get("parameters")
        yield [tag("b", name), step.label, _license(step.notes.get("license", UNKNOWN)), f"{whole(size)} parameters" if size else "–", "–"]
    for part, notes in (("", step.notes), (", worked examples", step.notes.get("shots") or {})):
        rows, licenses = notes.get("rows") or {}, notes.get("licenses")
        if isinstance(licenses, Mapping):
            for name in sorted({*rows, *licenses}):
                encodings = ", ".join(f"{encoding} {n}" for encoding, n in (notes.get("encodings") or {}).get(name, {}).items())
                yield [tag("b", name), step.label + part, _license(licenses.get(name, UNKNOWN)), whole(rows[name]) if name in rows else "–", encodings or "–"]


def _license(name: str) -> Html:
    return tag("span", name or UNKNOWN, class_="unknown" if (name or UNKNOWN) == UNKNOWN else None)


def provenance(run: Run) -> Html:
    """Versions, machine, time, the command that makes the run again, and every setting and note in full."""
    made = [step.body.get("provenance") or {} for step in run.steps]
    packages: dict[str, list[str]] = {}
    for one in made:
        for name, version in (one.get("packages") or {}).items():
            packages.setdefault(name, []).append(version)
    times = sorted(one["time"] for one in made if one.get("time"))
    facts = [
        ("Made", f"{times[0]} to {times[-1]}" if times else ""), ("Time in all", clock(sum(step.body["seconds"] for step in run.steps))),
        ("Code", _distinct(one.get("git") for one in made)), ("Python", _distinct(one.get("python") for one in made)),
        ("Machine", _distinct(one.get("machine") for one in made)), ("Cores", _distinct(one.get("cores") for one in made)),
        ("Worker threads", _distinct(one.get("workers") for one in made)),
        ("Packages", "  ".join(f"{name} {_distinct(versions)}" for name, versions in packages.items() if any(versions))),
        ("Set aside", ", ".join(run.outdated) and f"folders of an earlier form of the recipe, not shown here: {', '.join(run.outdated)}"),
    ]
    shown = tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts if value], class_="facts")
    about, command = _again(run)
    bodies = [folded([tag("b", step.label), " ", tag("small", step.stage)], tag("pre", _settings(step))) for step in run.steps]
    return section("provenance", "Provenance", "出处", shown, tag("p", about, class_="about"), tag("pre", command, class_="command"),
                   folded("Settings and notes of every step", bodies, class_="settings"))


def _again(run: Run) -> tuple[str, str]:
    """What makes the run's figures again, and the command; an evaluation has no recipe file."""
    home = run.folder.resolve().parent.name
    if run.is_evaluation:
        return "The same figures from the answers on disk, without the model:", f"aquilamed eval --replay {home}/{run.name}"
    return "The same recipe makes the same run; finished steps are not made again:", f"aquilamed run recipes/{run.name}.py" + (f" --home {home}" if home != "runs" else "")


def _distinct(values) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values if value not in (None, "")))


def _settings(step: Step) -> str:
    shown = {key: step.body.get(key) for key in ("config", "inputs", "notes", "outputs", "fingerprint", "digest")}
    return json.dumps(shown, ensure_ascii=False, indent=1)
