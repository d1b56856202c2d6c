"""Conservation of records, step by step; and what the data are made of: languages, domains, tokens."""

from collections import Counter
from collections.abc import Mapping

from aquilamed.report.headline import TRAINING
from aquilamed.report.markup import Html, both, clock, join, percent, section, table, tag, whole
from aquilamed.report.runs import Run, Step

SHADES = {"zh": "s1", "en": "s2", "mixed": "s3", "other": "s4", "medical": "s1", "general": "s2", "instruction": "s3",
          "single": "s1", "multi": "s2", "exam": "s3", "subjective": "s1", "objective": "s2", "vote": "s3", "unmarked": "s4", "trained": "s1", "context": "s3"}
"""What a part of a bar stands for -> its CSS class; what is not here was dropped."""


def conservation(run: Run) -> Html:
    """Every step: in = out + dropped."""
    heads = [("Step", "步骤"), ("Stage · paper", "阶段 · 论文"), ("In", "入"), ("Out", "出"), ("Dropped", "剔除"), ("Languages out", "语言"),
             ("Seconds", "秒"), ("Digest", "摘要")]
    total = sum(step.body["seconds"] for step in run.steps)
    about = tag("p", f"In every step the records that come in are those that go out and those that are dropped; {len(run.steps)} steps, {clock(total)}.", class_="about")
    return section("conservation", "Every record accounted for", "记录守恒", about,
                   table(heads, [_account(step) for step in run.steps], numbers=(2, 3, 6), class_="accounts"))


def _account(step: Step) -> list[object]:
    lost = step.n_dropped
    reasons = [tag("span", f"{whole(lost)}", class_="sum"), tag("span", [tag("span", reason, " ", tag("b", whole(n)), " ") for reason, n in step.drops], class_="reasons")] if lost else "–"
    paper = "ours" if step.body.get("paper", "ours") == "ours" else f"§ {step.body['paper']}"
    langs = [tag("span", f"{lang} {n:,}") for lang, n in sorted(step.langs.items(), key=lambda one: list(SHADES).index(one[0]) if one[0] in SHADES else 99)] or "–"
    balance = "=" if step.n_in == step.n_out + lost else "≠"
    return [tag("b", step.label), tag("span", step.stage, " ", tag("small", f"v{step.body['version']} · {paper}")), whole(step.n_in),
            join([tag("span", balance, class_="sign" if balance == "=" else "sign lost"), " ", whole(step.n_out)]), join(reasons if isinstance(reasons, list) else [reasons]),
            tag("span", langs, class_="lines"), f"{step.body['seconds']:.1f}", tag("code", step.body["digest"][:12])]


def data(run: Run) -> Html:
    """Languages and domains of each data step, tokens of each training step."""
    shown = [step for step in run.steps if sum(step.langs.values()) and step.group in ("corpus", "instruct", "preference", "train")]
    langs = [_bar(step.label, step.langs) for step in shown]
    domains = [bar for step in run.steps for bar in _domains(step)]
    parts = [_part("Languages of what each step gives", "各步骤输出的语言", langs), _part("Domains and kinds", "领域与类型", domains), _tokens(run)]
    return section("data", "Data", "数据", [part for part in parts if part])


def _part(english: str, chinese: str, bars: list[Html]) -> Html | None:
    return tag("div", tag("h3", both(english, chinese)), tag("div", bars, class_="bars")) if bars else None


def _domains(step: Step) -> list[Html]:
    """Of a mix by tokens; of a split by records on each side, where a cell is a domain or a kind."""
    cells = step.notes.get("cells")
    if not isinstance(cells, Mapping):
        return []
    if all(isinstance(cell, Mapping) and "got" in cell for cell in cells.values()):
        again = step.notes.get("repeated_tokens", 0)
        remarks = [*(f"short of its budget: {line}" for line in step.notes.get("warnings") or ()), *([f"{whole(again)} tokens are repeats"] if again else [])]
        sources: Counter = Counter()
        for cell in cells.values():
            sources.update({name: found["got"] for name, found in cell.get("sources", {}).items()})
        return [_bar(f"{step.label}, tokens", _by_domain(cells, "got"), "; ".join(remarks)), *([_bar(f"{step.label}, tokens by source", sources)] if len(sources) > 1 else [])]
    return [_bar(f"{step.label}, {side}", _by_domain(found, "records")) for side, found in cells.items()
            if found and all(isinstance(cell, Mapping) and "records" in cell for cell in found.values())]


def _by_domain(cells: Mapping[str, Mapping], key: str) -> Counter:
    found: Counter = Counter()
    for name, cell in cells.items():
        found[name.partition(" ")[0]] += cell[key]
    return found


def _tokens(run: Run) -> Html | None:
    bars = []
    for step in run.of(*TRAINING):
        ledger, langs = step.notes.get("token_ledger"), step.notes.get("trained_tokens_by_lang")
        if ledger:
            epochs = step.config.get("optim", {}).get("epochs", 1)
            bars.append(_bar(f"{step.label}, all tokens" + (f" (one of {epochs} epochs)" if epochs > 1 else ""), ledger))
        if langs:
            again = step.notes.get("repeated_tokens", 0)
            bars.append(_bar(f"{step.label}, trained", langs, f"{whole(again)} of them are repeats of documents that the mix drew more than once" if again else ""))
    return _part("Tokens of each training step", "各训练步骤的词元账", bars)


def _bar(label: str, parts: Mapping[str, float], remark: str = "") -> Html:
    """Shares of a whole as one bar, each named below it with its figure."""
    total = sum(parts.values()) or 1
    places = {name: number for number, name in enumerate(SHADES)}
    ordered = sorted(((name, value, SHADES.get(name, "s5")) for name, value in parts.items()), key=lambda part: (places.get(part[0], len(places)), part[0]))
    pieces = [tag("span", class_=shade, style=f"width:{100 * value / total:.3f}%") for _, value, shade in ordered if value]
    names = [tag("span", tag("i", class_=shade), f"{name} ", tag("b", percent(value / total)), tag("small", f" {whole(value)}")) for name, value, shade in ordered]
    return tag("div", tag("p", label, class_="label"), tag("div", pieces, class_="bar"), tag("p", names, class_="legend"),
               tag("p", remark, class_="remark") if remark else "", class_="share")
