"""What `instruct.safety` would drop of real sets, per set and reason, with every hit to be judged by eye. `python benchmarks/safety.py ../shared/data`

There is no peer: no tool that we know of tells an answer that does harm from one that warns, in both languages. How many doses are read at all is
printed too, for a list that never finds one would have no false ones either.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import dosing, importing, safety


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        importing.run(importing.Config(sources=tuple(known.conversations(data).values())), {}, Path(folder), Local(1))
        table = tables.read(Path(folder), "conversations")
    safety.inspect(table.slice(0, 10))
    start = time.process_time()
    found = safety.inspect(table)
    seconds = time.process_time() - start
    sources, answers = table["source"].to_pylist(), [[m["content"] for m in messages if m["role"] == "assistant"] for messages in table["messages"].to_pylist()]
    counted = Counter((source, reason) for source, harms in zip(sources, found, strict=True) for reason in harms)
    for source, n in sorted(Counter(sources).items()):
        told = ", ".join(f"{reason} {counted[source, reason]}" for reason in safety.REASONS if counted[source, reason])
        sys.stdout.write(f"{source}: {told or 'nothing'} of {n}\n")
    for source, harms, said in zip(sources, found, answers, strict=True):
        for reason, shown in harms.items():
            text, words = said[int(shown.split(":")[0].split()[1]) - 1], shown.split(": ", 1)[1].split(" + ")[0]
            at = max(text.find(words), 0)
            sys.stdout.write(f"    {source} {reason} {shown} | {' '.join(text[max(at - 50, 0):at + 110].split())}\n")
    spoken = tables.pa.array([text for said in answers for text in said])
    doses = [len(dosing.search(spoken, factor)) for factor in (0.0, 1.0, 1.5)]
    sys.stdout.write(f"answers with a daily dose of a drug of the table: {doses[0]}; above its most: {doses[1]}, above 1.5 times: {doses[2]}; {len(table) / seconds:.0f} conversations a CPU-second\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
