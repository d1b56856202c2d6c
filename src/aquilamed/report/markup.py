"""Markup that can't be broken by what it shows: everything that is not `Html` already is escaped; and how figures are written."""

import html
from collections.abc import Iterable, Sequence

VOID = {"meta", "input", "br", "hr", "line", "rect", "circle", "path", "polyline"}


class Html(str):
    """Text that is markup already."""


def tag(name: str, *children: object, **attributes: object) -> Html:
    """One element; `class_` is written `class`, other underscores become dashes; None and False attributes are left out."""
    shown = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(_text(value))}"'
                    for key, value in attributes.items() if value is not None and value is not False)
    inside = join(children)
    return Html(f"<{name}{shown}/>" if name in VOID and not inside else f"<{name}{shown}>{inside}</{name}>")


def join(children: Iterable[object]) -> Html:
    """The children one after another; nested sequences are opened, None and empty ones left out."""
    parts = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, list | tuple):
            parts.append(join(child))
        elif child is not None and child != "":
            parts.append(html.escape(_text(child)))
    return Html("".join(parts))


def both(english: str, chinese: str) -> Html:
    """English with the Chinese beside it in smaller text."""
    return join([english, " ", tag("span", chinese, class_="zh", lang="zh-Hans")])


def section(identity: str, english: str, chinese: str, *children: object) -> Html:
    """A section with a bilingual heading; nothing where it has no content."""
    inside = join(children)
    return tag("section", tag("h2", both(english, chinese)), inside, id=identity) if inside else Html("")


def table(heads: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = (), class_: str = "") -> Html:
    """A table whose rows become blocks of labelled lines in a narrow window; columns in `numbers` are aligned as figures."""
    styles = ["number" if i in numbers else None for i in range(len(heads))]
    head = tag("tr", [tag("th", both(*names) if names[1] else names[0], class_=style, scope="col") for names, style in zip(heads, styles, strict=True)])
    body = [tag("tr", [tag("td", tag("div", cell), class_=" ".join(filter(None, [style, "none" if cell == "–" else None])) or None, data_label=names[0])
                       for cell, names, style in zip(row, heads, styles, strict=True)]) for row in rows]
    return tag("table", tag("thead", head), tag("tbody", body), class_=f"stack {class_}".strip()) if body else Html("")


def folded(summary: object, *children: object, class_: str | None = None) -> Html:
    """What is shown only on a click; all of it is in the page."""
    return tag("details", tag("summary", summary), *children, class_=class_)


def whole(value: float) -> str:
    """`12,345`."""
    return f"{round(value):,}"


def compact(value: float) -> str:
    """Four figures at most: `950`, `12.3k`, `4.56M`."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}" if abs(value) < 1000 * limit else f"{value / limit:,.0f}{unit}"
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"


def percent(value: float, digits: int = 1) -> str:
    """A share, 0..1, as `41.2 %`."""
    return f"{100 * value:.{digits}f} %"


def signed(value: float, digits: int) -> str:
    """With its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def clock(seconds: float) -> str:
    """`0.4 s`, `42 s`, `3 min 05 s`, `2 h 07 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
