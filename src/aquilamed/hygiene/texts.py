"""The text of a record, whatever its kind, and a record with other text."""

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import records


def texts_of(kind: str, table: pa.Table) -> pa.Array:
    """`"\\n".join(records.words_of(kind, row))` of every row."""
    if kind == "documents":
        return _whole(table["text"])
    if kind == "conversations":
        return _contents(table["messages"])
    if kind == "preferences":
        prompt, chosen, rejected = _contents(table["prompt"]), _whole(table["chosen"]), _whole(table["rejected"])
        answers = pc.binary_join_element_wise(chosen, rejected, "\n")
        silent = pc.equal(pc.list_value_length(_whole(table["prompt"])), 0)
        return pc.if_else(silent, answers, pc.binary_join_element_wise(prompt, answers, "\n"))
    return pa.array(["\n".join(records.words_of(kind, row)) for row in table.to_pylist()], pa.string())


def with_words(kind: str, row: dict, words: list[str]) -> dict:
    """`row` with its words (as `records.words_of` gives them) replaced and its id made anew; its language stays."""
    if kind == "documents":
        changed = {"text": words[0]}
    elif kind == "conversations":
        changed = {"messages": _spoken(row["messages"], words)}
    else:
        changed = {"prompt": _spoken(row["prompt"], words), "chosen": words[-2], "rejected": words[-1]}
    return records.make(kind, {**row, **changed})


def _spoken(messages: list[dict], words: list[str]) -> list[dict]:
    return [{"role": message["role"], "content": word} for message, word in zip(messages, words, strict=False)]


def _contents(column: pa.ChunkedArray) -> pa.Array:
    column = _whole(column)
    contents = pa.ListArray.from_arrays(column.offsets, pc.struct_field(column.values, "content"))
    return pc.binary_join(contents, "\n")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
