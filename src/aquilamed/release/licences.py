"""What a licence asks of those who use or pass on a part of a data set, by its name; the strictest first."""

import dataclasses
import re

UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Duty:
    """What a group of licences asks."""

    en: str
    zh: str
    names: re.Pattern
    """Finds the licences of the group, in capitals."""


DUTIES = (
    Duty("no licence known: its owner has to be asked before anybody else gets it", "许可不明：须先征得权利人同意，方可提供给他人", re.compile(r"^(UNKNOWN)?$")),
    Duty("research only", "仅限研究", re.compile("RESEARCH")),
    Duty("not for commercial use", "不得用于商业目的", re.compile(r"(^|-)NC(-|$)|NON-?COMMERCIAL")),
    Duty("may not be passed on changed", "不得修改后再分发", re.compile(r"(^|-)ND(-|$)|NO-?DERIV")),
    Duty("share alike: what is made of it gets the same licence; name its authors", "相同方式共享：衍生作品须采用相同许可，并注明作者", re.compile(r"(^|-)SA(-|$)|GPL|ODBL")),
    Duty("name its authors and the licence", "须注明作者与许可", re.compile(r"^(CC-BY|MIT|APACHE|BSD|ISC|ODC-BY|CDLA-PERMISSIVE)")),
    Duty("free of duties", "无附加义务", re.compile(r"^CC0|PUBLIC-?DOMAIN|^PDDL|^UNLICENSE|^0BSD")),
    Duty("terms of its own: read them", "另有专门条款，须自行阅读", re.compile("")),
)
"""In the order in which a name is looked for."""
STRICTNESS = (0, 1, 2, 3, 7, 4, 5, 6)
"""Places in `DUTIES`, the strictest first: terms that we have not read may ask for much."""
WARNED = 4
"""So many of the strictest are named at the head of a card."""
HUB = frozenset({
    "apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "cc-by-nd-4.0", "odc-by",
    "odbl", "pddl", "unlicense", "isc", "gpl-3.0", "agpl-3.0", "gfdl",
})
"""Names of licences that the hub knows, of those that data have."""


def duty(license: str) -> Duty:
    """What `license` asks."""
    return next(one for one in DUTIES if one.names.search((license or "").upper()))


def strictness(license: str) -> int:
    """0 is the strictest."""
    return STRICTNESS.index(DUTIES.index(duty(license)))


def for_the_hub(licenses: set[str]) -> dict[str, str]:
    """The card's keys for the licence of a whole set: its name where there is one and the hub knows it, else `other` or `unknown`."""
    if all(strictness(one) == 0 for one in licenses):
        return {"license": "unknown"}
    only = next(iter(licenses)).lower() if len(licenses) == 1 else ""
    return {"license": only} if only in HUB else {"license": "other", "license_name": "several-see-card" if len(licenses) > 1 else only, "license_link": "README.md"}
