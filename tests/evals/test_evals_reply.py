"""What a reply settles on, in Chinese and English: a table of replies written by us, and what real authors wrote about real questions."""

import json
import re
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from aquilamed.core import tables
from aquilamed.core.sources import known
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local
from aquilamed.evals import judge
from aquilamed.evals.reply import letters, read_choice
from aquilamed.evals.visible import runs_on

TABLE = [json.loads(line) for line in Path(__file__).with_name("replies.jsonl").read_text(encoding="utf-8").splitlines()]


def reading(row: dict) -> str | None:
    found = read_choice(row["reply"], row["n_options"], row.get("options", ()))
    return None if found is None else letters(found)


def test_the_table_is_large_and_in_both_languages():
    langs, kinds = Counter(row["lang"] for row in TABLE), Counter(row["kind"] for row in TABLE)
    assert len(TABLE) >= 1_200 and langs["zh"] >= 600 and langs["en"] >= 550 and langs["mixed"] >= 14
    assert len(kinds) >= 20 and sum(row["reads"] is None for row in TABLE) >= 600
    twice = Counter((row["reply"], row["n_options"], str(row.get("options"))) for row in TABLE)
    assert max(twice.values()) == 1, twice.most_common(1)


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in TABLE}))
def test_every_reply_is_read_right(kind):
    wrong = [(row["reply"], row["reads"], reading(row)) for row in TABLE if row["kind"] == kind and reading(row) != row["reads"]]
    assert not wrong


def test_replies_by_somebody_who_never_saw_the_rules():
    """220 replies and their readings, written without a look at the rules: none credited by accident, and most of what settles on something read."""
    blind = [json.loads(line) for line in Path(__file__).with_name("replies_blind.jsonl").read_text(encoding="utf-8").splitlines()]
    found = Counter("none" if (read := reading(row)) is None else read == row["reads"] for row in blind if row["reads"] is not None)
    assert not [row["reply"] for row in blind if row["reads"] is None and reading(row)]
    assert len(blind) == 220 and found[False] == 0 and found[True] >= 108, found


@pytest.mark.parametrize(("reply", "reads"), [
    ("A错误，B正确，C错误，D错误", None),                                     # commas: clauses of one sentence
    ("A错误；B正确；C错误；D错误。", "B"), ("A正确；B错误；C正确；D正确。", None), ("A错误；B正确；C正确；D错误。", None), ("A错误；B正确；C错误。", None), ("A不对，属磺脲类；B不对；C对，属双胍类；D不对。", "C"),
    ("Ａ．正确，可出现板状腹；Ｂ．错误，无痛性出血；Ｃ．错误；Ｄ．错误，宫缩规律。", "A"), ("A: Incorrect - too slow.\nB: Correct - it blocks the node.\nC: Incorrect.\nD: Wrong.", "B"), ("A: Correct.\nB: Correct.\nC: Incorrect.\nD: Correct.", None),
    ("A项，见于低钾，错误；B项，抬高，正确；C项，延长，错误；D项，错误。", "B"), ("A项，见于低钾，正确；B项，抬高，错误；C项，延长，正确；D项，正确。", None), ("A错误率高；B正确率高；C错误率低；D正确率低。", None)])
def test_the_only_one_that_is_judged_right_of_all(reply, reads):
    found = read_choice(reply, 4)
    assert (None if found is None else letters(found)) == reads


def test_what_follows_another_question_changes_nothing():
    """So a reply may end as soon as it runs on: cut at any sign behind that place, it reads the same."""
    running = [row for row in TABLE if runs_on(row["reply"])]
    assert len(running) >= 6
    for row in running:
        cuts = [row["reply"][:end] for end in range(1, len(row["reply"]) + 1) if runs_on(row["reply"][:end])]
        assert {reading({**row, "reply": cut}) for cut in cuts} == {reading(row)}, row
    thinking = "<think>想想\n题目：哪项？是B。"
    assert not runs_on(thinking) and not runs_on(thinking + "</think>B") and runs_on(thinking + "</think>B\n题目：")
    assert not runs_on("题目：下列哪项") and not runs_on("B\n题目") and runs_on("Ｂ\n題目：")


@pytest.mark.parametrize(("reply", "reads"), [
    ("答案是A", None), ("答案是A。", "A"), ("答案是A，因为阿司匹林", "A"), ("答案是A。所以选A", "A"), ("The answer is B", None), ("The answer is B because it lowers the pres", "B"), ("B", None), ("B.", "B"), ("B\n", "B"),
    ("选ＡＣ", None), ("A正确", None), ("题干说高热。A正确，其余", "A"), ("Aspirin", None), ("The answer is Aspirin", None), ("The answer is Aspirin.", "A")])
def test_what_a_cut_reply_names_last_is_not_read(reply, reads):
    """`答案是A` may go on with `或B`; cut or not, a finished statement reads the same."""
    options = ("Aspirin", "Heparin", "Warfarin", "None")
    found = {cut: read_choice(reply, 4, options, cut=cut) for cut in (True, False)}
    assert (None if found[True] is None else letters(found[True])) == reads and found[False] is not None and found[True] in (None, found[False])


def test_what_settles_on_nothing_is_unparsed_and_never_credited():
    for row in TABLE:
        if row["reads"] is not None:
            continue
        for right in range(row["n_options"]):
            raw = {"text": row["reply"], "n_options": row["n_options"], "options": list(row.get("options", ())), "answers": [right]}
            assert judge.judge(judge.GENERATED, raw) == (None, 0.0), row


@pytest.mark.parametrize("row", [row for row in TABLE if row["kind"] in ("said", "letters that are no options", "denied")], ids=lambda row: row["reply"][:20])
def test_width_case_of_marks_and_layout_do_not_matter(row):
    """Full-width letters and digits, blanks around, bold type: the same reading."""
    wide = re.sub(r"[A-Za-z0-9:.,()]", lambda found: chr(ord(found[0]) + 0xFEE0), row["reply"])
    options = row.get("options", ())
    for reply in (wide, f"\n {row['reply']} \n", f"**{row['reply']}**", f"<think>也许是A？The answer is B.</think>\n{row['reply']}"):
        found = read_choice(reply, row["n_options"], options)
        assert (None if found is None else letters(found)) == row["reads"], reply


def test_a_long_reply_takes_no_time():
    for part in ("答案是A。", "A、", "答案是 ", "not ", "<think>", "\\boxed{", "The answer is B or ", "\n", "不属于", "the one that ", "B也", "A is ", "'A' ", "(A)", "if ", "students "):
        read_choice(part * 5_000, 5, ("yes", "no", "maybe", "糖尿病", "高血压"))


def test_authors_explanations_are_read_as_the_published_answers(shared_data):
    """MedMCQA's explanations name the answer in their authors' own ways, or don't."""
    with open(shared_data / "benchmarks/medmcqa/dev.json", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["exp"]]
    found = Counter()
    for row in rows:
        read = read_choice(row["exp"], 4, [row["opa"], row["opb"], row["opc"], row["opd"]])
        found["none" if read is None else read == {row["cop"] - 1}] += 1
    assert found[True] >= 750 and found[False] <= 3, found


def test_chinese_authors_explanations_are_read_as_the_published_answers(shared_data):
    """CMExam's judge each option in brackets (`（C对）`), and few say which is the answer; what is read of the others is read right."""
    header, *rows = openpyxl.load_workbook(shared_data / "benchmarks/cmexam_val.xlsx", read_only=True).active.iter_rows(values_only=True)
    found = Counter()
    for row in (dict(zip(header, row, strict=True)) for row in rows[::4]):
        options = re.findall(r"^\s*[A-Z]\s+(.*)$", row["Options"].replace("\\n", "\n"), re.MULTILINE)
        read = read_choice(row["Explanation"] or "", len(options), options)
        found["none" if read is None else letters(read) == "".join(sorted(row["Answer"].strip()))] += 1
    assert found[True] >= 50 and found[False] <= 1, found


def test_consultations_and_textbooks_answer_no_question(shared_data, tmp_path):
    sources = [known.conversations(shared_data)[name] for name in ("huatuo26m", "medicalgpt")]
    gather("conversations", sources, tmp_path, Local(1))
    texts = [message["content"] for row in tables.rows(tmp_path, "conversations") for message in row["messages"]]
    with open(shared_data / "benchmarks/pubmedqa/ori_pqal.json", encoding="utf-8") as file:
        texts += [context for row in json.load(file).values() for context in (*row["CONTEXTS"], row["LONG_ANSWER"])]
    with open(shared_data / "pretrain/en_medical/openstax_nursing.jsonl", encoding="utf-8") as file:
        texts += [part for line in list(file)[::8] for part in json.loads(line)["text"].split("\n\n")]
    read = [text for text in texts if read_choice(text, 5)]
    assert len(texts) > 18_000 and not read, read[:5]
