"""Which rules answers are judged by: `judge` and `reply` together have one number, raised by hand when an equal `raw` can be judged otherwise.

It is written to results.json, so that a replay can tell whether the numbers moved because the rules did, and how the rules changed.
"""

VERSION = 2
CHANGES = {
    1: "the first numbered rules; before them a reply was read by its last phrase like an answer, now by what it states, and what it states must agree (docs/decisions.md)",
    2: "denials, doubts and suppositions are seen anywhere in their clause, and judgements (`A is correct`) are guarded as other statements are; a reply that was cut right behind what it names settles on nothing; "
       "help that is denied behind its mention, or named in thinking alone, does not count",
}
"""Version -> what it judges otherwise than the one before."""


def since(version: int) -> list[str]:
    """What changed after `version`: `2: …`, the oldest first."""
    return [f"{number}: {said}" for number, said in sorted(CHANGES.items()) if number > version]
