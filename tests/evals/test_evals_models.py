"""Scores through the prefix tree, against plain separate forward passes of tiny models."""

import itertools
import json
import math

import pytest
import tiny
import torch

from aquilamed.core.errors import ConfigError
from aquilamed.core.records import make
from aquilamed.evals import choice, judge, lm_eval, perplexity, preferences, sampling
from aquilamed.models import chat, folders, generate
from aquilamed.tree import branches

torch.set_num_threads(1)
ARCHITECTURES = ("gemma3_text", "llama", "qwen2")
STYLE = choice.Style(form="plain", readings=judge.CHOICE_READINGS, max_tokens=600, max_new_tokens=4)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp("tiny"), request.param), device="cpu")


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp("gemma")), device="cpu")


def question(stem, options, answers, *, context="", subject="", source="t"):
    return make("questions", {"stem": stem, "options": options, "answers": answers, "context": context, "subject": subject,
                              "source": source, "license": "CC0-1.0"})


QUESTIONS = [
    question("发热三天，首先应做什么？", ["测体温", "手术", "不处理", "输血"], [0], subject="内科"),
    question("Which vitamin prevents scurvy?", ["A", "C", "D"], [1], subject="nutrition"),
    question("高血压患者应限制什么？", ["钠盐", "水果"], [0], subject="内科"),
    question("Is the drug effective?", ["yes", "no", "maybe"], [2], context="A trial of 40 patients found no difference."),
]
SHOTS = [question(f"例题{i}：正常体温约多少度？", ["37", "4" + str(i)], [0], subject="内科") for i in range(4)] + [
    question(f"Example {i}: which one is a drug?", ["aspirin", f"stone {i}"], [0]) for i in range(4)]


def plain_logp(model, prompt, continuation):
    """Sum of log p of `continuation` by one ordinary forward pass."""
    ids = torch.tensor([[*prompt, *continuation]])
    with torch.no_grad():
        logp_TV = model.network(ids).logits[0].log_softmax(-1)
    return sum(logp_TV[t - 1, ids[0, t]].item() for t in range(len(prompt), ids.shape[1]))


def read(asked):
    return {(answer.id, answer.reading): answer for answer in asked.answers}


@pytest.mark.parametrize(("form", "n_shots"), [("plain", 0), ("plain", 2), ("chat", 2)])
def test_choices_equal_separate_passes(model, form, n_shots):
    style = choice.Style(form=form, readings=judge.CHOICE_READINGS[:3], max_tokens=2000, n_shots=n_shots)
    found = read(choice.score_choices(model, QUESTIONS, style, SHOTS))
    assert len(found) == 3 * len(QUESTIONS)
    tokenizer = model.tokenizer
    for q in QUESTIONS:
        answer = found[q["id"], "letter"]
        lead = " " if form == "plain" and q["lang"] == "en" else ""
        prompt = tokenizer(answer.prompt, add_special_tokens=False)["input_ids"]
        if form == "plain" and tokenizer.bos_token_id is not None:
            prompt = [tokenizer.bos_token_id, *prompt]
        ids = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]  # noqa: E731, B023
        letters = [plain_logp(model, prompt, ids(lead + "ABCD"[i])) for i in range(len(q["options"]))]
        texts = [plain_logp(model, prompt, ids(lead + option)) for option in q["options"]]
        assert answer.raw["logp"] == pytest.approx(letters, abs=1e-4)
        assert found[q["id"], "text"].raw["logp"] == pytest.approx(texts, abs=1e-4)
        assert answer.parsed == "ABCD"[letters.index(max(letters))]
        per_byte = [logp / len(option.encode()) for logp, option in zip(texts, q["options"], strict=True)]
        assert found[q["id"], "text"].parsed == "ABCD"[per_byte.index(max(per_byte))]


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_exported_requests_are_those_that_were_answered(gemma, form):
    """In every reading of log-probabilities, plain passes over the exported context and continuation give the exported value; each context is what the row says was shown."""
    exams = [question("Which drug lowers fever?", ["Aspirin", "Insulin"], [0], source="medqa_us_test"), QUESTIONS[0], {**QUESTIONS[3], "source": "pubmedqa_test"}]
    readings = ("letter", "text", "text-prior", "bare", "harness")
    asked = choice.score_choices(gemma, exams, choice.Style(form=form, readings=readings, max_tokens=900))
    found, by_id = [answer.row("exam", 1) for answer in asked.answers], {one["id"]: one for one in exams}
    samples = lm_eval._samples(found, by_id, {"form": form})
    assert len(samples) == len(found) == 5 * 3 - 1                                       # the Chinese exam is no task of lm-eval's
    prompts = {(row["id"], row["reading"]): row["prompt"] for row in found}
    for sample in samples:
        contexts = [one["arg_0"] for one in sample["arguments"].values()]
        n = len(by_id[sample["doc"]["id"]]["options"])
        assert contexts[:n] == n * [prompts[sample["doc"]["id"], sample["filter"]]] and len(contexts) == (2 * n if sample["filter"] == "text-prior" else n)
        values = [plain_logp(gemma, shown(gemma, one["arg_0"], form if sample["filter"] != "harness" else "plain"), gemma.tokenizer(one["arg_1"], add_special_tokens=False)["input_ids"]) for one in sample["arguments"].values()]
        assert [float(value) for value, _ in sample["filtered_resps"]] == pytest.approx(values, abs=1e-4)
    assert len({prompts[exams[0]["id"], reading] for reading in readings}) == (3 if form == "chat" else 2)       # lm-eval puts MedQA as our plain form does


def shown(model, text, form):
    return chat.text_ids(model.tokenizer, text) if form == "plain" else model.tokenizer(text, add_special_tokens=False)["input_ids"]


def test_prior_is_the_text_after_the_bare_form(gemma):
    style = choice.Style(form="plain", readings=("text-prior",), max_tokens=500)
    found = read(choice.score_choices(gemma, QUESTIONS[:1], style))[QUESTIONS[0]["id"], "text-prior"]
    cue = chat.text_ids(gemma.tokenizer, "答案：")
    wanted = [plain_logp(gemma, cue, gemma.tokenizer(o, add_special_tokens=False)["input_ids"]) for o in QUESTIONS[0]["options"]]
    assert found.raw["prior"] == pytest.approx(wanted, abs=1e-4)


def test_the_prompt_is_in_the_question_s_language(gemma):
    found = read(choice.score_choices(gemma, QUESTIONS, choice.Style(form="plain", readings=("letter",), max_tokens=500)))
    assert found[QUESTIONS[2]["id"], "letter"].prompt == "题目：高血压患者应限制什么？\nA. 钠盐\nB. 水果\n答案："
    assert found[QUESTIONS[3]["id"], "letter"].prompt == (
        "Context: A trial of 40 patients found no difference.\nQuestion: Is the drug effective?\nA. yes\nB. no\nC. maybe\nAnswer:")


def test_order_and_packing_do_not_change_scores(gemma):
    style = choice.Style(form="plain", readings=("letter", "text"), max_tokens=2000, n_shots=2)
    one = choice.score_choices(gemma, QUESTIONS, style, SHOTS)
    other = choice.score_choices(gemma, QUESTIONS[::-1], style, SHOTS[::-1])
    assert one.answers == other.answers                       # sorted by id, so to the last bit
    alone = [a for q in QUESTIONS for a in choice.score_choices(gemma, [q], style, SHOTS).answers]
    for a, b in zip(sorted(alone, key=lambda a: (a.id, a.reading)), sorted(one.answers, key=lambda a: (a.id, a.reading)), strict=True):
        assert a.raw["logp"] == pytest.approx(b.raw["logp"], abs=1e-4)


def test_shared_beginnings_are_computed_once(gemma):
    prefix = tuple(range(5, 105))
    some = [branches.Branch((*prefix, 7, i, i + 1), ((9,), (8, i))) for i in range(20, 40)]
    found = branches.logp(gemma.network, [*some, *some])
    assert branches.read(gemma.network, [*some, *some]).n_read < 0.2 * sum(branch.total() for branch in some)
    for branch, values in zip(some, found, strict=False):
        assert values == pytest.approx([plain_logp(gemma, branch.prompt, c) for c in branch.continuations], abs=1e-4)
    assert found[:20] == found[20:]


def test_several_lengths_of_common_beginnings(gemma):
    chance = torch.Generator().manual_seed(0)
    draw = lambda n: tuple(torch.randint(5, 290, (n,), generator=chance).tolist())  # noqa: E731
    trunk = draw(200)
    some = [branches.Branch((*trunk[:cut], *draw(extra)), (draw(1), draw(3))) for cut, extra in itertools.product((0, 40, 150, 200), (1, 30))]
    some.append(branches.Branch(trunk, (draw(2),)))
    some.append(branches.Branch(trunk, (draw(4),)))
    for room in (16, 300, 4000):
        found = branches.logp(gemma.network, some, pack_tokens=room)
        for branch, values in zip(some, found, strict=True):
            assert values == pytest.approx([plain_logp(gemma, branch.prompt, c) for c in branch.continuations], abs=2e-4)


def test_what_cannot_be_asked_is_counted(gemma):
    two = question("哪些是降压药？", ["氨氯地平", "缬沙坦", "青霉素"], [0, 1])
    long = question("长" * 300, ["甲", "乙"], [0])
    style = choice.Style(form="plain", readings=("letter",), max_tokens=500)
    asked = choice.score_choices(gemma, [two, long, *QUESTIONS], style)
    assert sorted((reason, item["id"]) for item, reason, _ in asked.dropped) == [("several_answers", two["id"]), ("too_long", long["id"])]
    as_set = choice.score_choices(gemma, [two], choice.Style(form="chat", readings=("letter", "generated"), max_tokens=500, max_new_tokens=3))
    assert [a.reading for a in as_set.answers] == ["generated"] and "所有正确" in as_set.answers[0].prompt


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_a_reply_goes_on_from_the_prompt_that_the_letters_read(model, form):
    """Letters alone, replies alone and both: the same values and texts, and both together read no prompt twice."""
    several = question("哪些是降压药？", ["氨氯地平", "缬沙坦", "青霉素"], [0, 1])
    ask = lambda *readings: choice.score_choices(model, [*QUESTIONS, several], choice.Style(form=form, readings=readings, max_tokens=2000, n_shots=2, max_new_tokens=9), SHOTS)  # noqa: E731
    letters, replies, both = ask("letter"), ask("generated"), ask("letter", "generated")
    assert both.tokens["read"] - replies.tokens["read"] <= len(QUESTIONS)             # an English letter has two tokens in this vocabulary
    assert len(both.answers) == 2 * len(QUESTIONS) + 1 and [item["id"] for item, _, _ in letters.dropped] == [several["id"]]
    found = read(both)
    for answer in letters.answers:
        assert answer.raw["logp"] == pytest.approx(found[answer.id, "letter"].raw["logp"], abs=1e-5)
    for answer in replies.answers:
        text = found[answer.id, "generated"].raw["text"]
        assert text == answer.raw["text"] == greedy(model, answer.prompt, form, 9)


def test_a_thought_that_the_chat_template_opens_is_no_answer(tmp_path):
    """Qwen3-Thinking's template ends with `<think>`: what comes before `</think>` is not read, and a thought that never ends settles on nothing."""
    model = folders.load(tiny.make(tmp_path), device="cpu")
    opening = {"assistant\n' }}{% endif": "assistant\n<think>\n' }}{% endif",
               "'\n' + message['content'] | trim": "'\n' + ('<think>\n</think>' if message['role'] == 'assistant' else '') + message['content'] | trim"}
    for plain, other in opening.items():
        assert plain in model.tokenizer.chat_template
        model.tokenizer.chat_template = model.tokenizer.chat_template.replace(plain, other)
    [answer] = choice.score_choices(model, QUESTIONS[:1], choice.Style(form="chat", readings=("generated",), max_tokens=500, max_new_tokens=3)).answers
    assert answer.prompt.endswith("<think>\n") and answer.raw["text"].startswith("<think>") and answer.parsed is None
    assert judge.judge("generated", {**answer.raw, "text": "<think>也许是A", "cut": False})[0] is None and judge.judge("generated", {**answer.raw, "text": "<think>也许是B</think>A", "cut": False})[0] == "A"


def greedy(model, prompt, form, n):
    """The reply by whole passes, cut where the plain form's next paragraph begins."""
    ids = shown(model, prompt, form)
    said, stops = [], chat.stop_ids(model.tokenizer)
    while len(said) < n and not (said and said[-1] in stops):
        with torch.no_grad():
            said.append(int(model.network(torch.tensor([[*ids, *said]])).logits[0, -1].argmax()))
    text = model.tokenizer.decode(said, skip_special_tokens=True)
    return text.split("\n\n")[0] if form == "plain" else text


def test_a_plain_reply_ends_with_its_paragraph(gemma, monkeypatch):
    """From its fourth token on this model says line ends alone: two of them end the paragraph, and nothing is said behind it."""
    [line_end] = gemma.tokenizer("\n", add_special_tokens=False)["input_ids"]
    steps, real = [], generate._choose
    monkeypatch.setattr(generate, "_choose", lambda logits_BV, *rest: steps.append(len(logits_BV)) or (real(logits_BV, *rest) if len(steps) < 4 else [line_end] * len(logits_BV)))
    asked = choice.score_choices(gemma, QUESTIONS, choice.Style(form="plain", readings=("generated",), max_tokens=500, max_new_tokens=40))
    assert steps == [len(QUESTIONS)] * 5 and all(answer.raw["text"] and "\n" not in answer.raw["text"] and not answer.raw["cut"] for answer in asked.answers)
    monkeypatch.setattr(generate, "_choose", real)
    longest = choice.score_choices(gemma, QUESTIONS, choice.Style(form="plain", readings=("generated",), max_tokens=500, max_new_tokens=2)).answers
    assert all(answer.raw["cut"] for answer in longest)                                  # two tokens, and no end among them


def test_worked_examples(gemma):
    style = choice.Style(form="plain", readings=("letter",), max_tokens=2000, n_shots=2)
    found = read(choice.score_choices(gemma, QUESTIONS, style, SHOTS))
    assert found[QUESTIONS[0]["id"], "letter"].prompt.count("答案：A\n\n") == 2
    with pytest.raises(ConfigError, match="5 worked examples wanted, 4 declared"):
        choice.score_choices(gemma, QUESTIONS, choice.Style(form="plain", readings=("letter",), max_tokens=2000, n_shots=5), SHOTS)
    with pytest.raises(ConfigError, match="must not be scored themselves"):
        choice.score_choices(gemma, QUESTIONS, style, [*SHOTS, QUESTIONS[0]])


def test_equal_options_settle_on_nothing():
    assert judge.judge("letter", {"logp": [-1.0, -1.0, -2.0], "answers": [0]}) == (None, 0.0)
    assert judge.judge("text", {"logp": [-6.0, -4.0], "option_bytes": [6, 2], "answers": [0]}) == ("A", 1.0)
    assert judge.judge("text-prior", {"logp": [-6.0, -4.0], "prior": [-9.0, -4.5], "answers": [1]}) == ("A", 0.0)
    assert judge.judge("generated", {"text": "答案：ＡＣ", "n_options": 4, "answers": [0, 2]}) == ("AC", 1.0)
    assert judge.judge("margin", {"chosen": -5, "rejected": -9, "reference_chosen": -6, "reference_rejected": -9.5, "beta": 0.1}) == ("chosen", 1.0)
    assert judge.judge("logprob", {"chosen": -6, "rejected": -4, "chosen_bytes": 6, "rejected_bytes": 2}) == ("chosen", 1.0)


@pytest.mark.parametrize("text", ["患者发热三天，体温三十九度。", "The patient has had a fever for three days."])
def test_bits_per_byte_by_hand(model, text):
    document = make("documents", {"text": text, "source": "s", "license": "CC0-1.0"})
    answer = perplexity.bits_per_byte(model, [document], 10).answers[0]
    start = 1 if model.tokenizer.bos_token_id is not None else model.tokenizer.eos_token_id
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    nats = -sum(plain_logp(model, [start], ids[low:low + 9]) for low in range(0, len(ids), 9))
    assert answer.raw["bytes"] == len(text.encode()) and answer.raw["tokens"] == len(ids)
    assert answer.score == pytest.approx(nats / math.log(2) / len(text.encode()), abs=1e-4)


def test_empty_documents_and_the_byte_budget(gemma):
    empty = make("documents", {"text": "", "source": "s", "license": "CC0-1.0"})
    assert perplexity.bits_per_byte(gemma, [empty], 10).dropped == [(empty, "empty", "")]
    documents = [{"text": "字" * n, "id": str(n)} for n in (5, 30, 2, 1)]
    taken = perplexity.within_bytes(documents, 24, lambda d: -int(d["id"]))
    assert [d["id"] for d in taken] == ["5", "2", "1"]        # 30 characters are 90 bytes: never, the rest fill 15 + 6 + 3


def pair(prompt, chosen, rejected):
    return make("preferences", {"prompt": [{"role": "user", "content": prompt}], "chosen": chosen, "rejected": rejected, "kind": "subjective",
                                "source": "p", "license": "CC0-1.0"})


PAIRS = [pair("我发烧了怎么办？", "多喝水，测体温，必要时就医。", "不知道。"), pair("Is aspirin safe?", "Ask a doctor first.", "Yes!")]


def test_preferences_equal_separate_passes(model, tmp_path):
    other = folders.load(tiny.make(tmp_path, seed=1), device="cpu") if model.tokenizer.bos_token_id is not None else model
    known = preferences.logps(other, PAIRS, 500)
    found = read(preferences.score_pairs(model, PAIRS, 500, 0.1, known))
    for p in PAIRS:
        raw = found[p["id"], "margin"].raw
        prompt = chat.prompt(model.tokenizer, p["prompt"])
        for side in ("chosen", "rejected"):
            rest = [*model.tokenizer(p[side], add_special_tokens=False)["input_ids"], model.tokenizer.convert_tokens_to_ids("<|im_end|>")]
            assert raw[side] == pytest.approx(plain_logp(model, prompt, rest), abs=1e-3)
        by_hand = 0.1 * ((raw["chosen"] - known[p["id"]].chosen) - (raw["rejected"] - known[p["id"]].rejected))
        assert judge.log_ratio(raw) == pytest.approx(by_hand)
    dropped = preferences.score_pairs(model, PAIRS, 40, 0.1, {}).dropped
    assert sorted((item["lang"], reason) for item, reason, _ in dropped) == [("en", "too_long"), ("zh", "too_long")]


def test_a_model_is_indifferent_to_itself(gemma):
    found = preferences.score_pairs(gemma, PAIRS, 500, 0.1, preferences.logps(gemma, PAIRS, 500)).answers
    assert [a.score for a in found if a.reading == "margin"] == [0.5, 0.5]


def test_samples(gemma):
    asked = sampling.sample(gemma, sampling.items(()), 6, 0.0, 0)
    assert [a.lang for a in asked.answers] == ["zh"] * 6 + ["en"] * 6
    assert all(a.raw["stopped"] == (a.score == 1.0) and a.raw["tokens"] <= 6 for a in asked.answers)
    summary = sampling.summary(asked.answers)
    assert summary["zh"]["n"] == 6 and summary["en"]["mean_tokens"] <= 6
    assert json.loads(json.dumps(summary)) == summary
