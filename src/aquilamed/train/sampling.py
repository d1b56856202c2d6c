"""What the model answers to fixed questions while it trains: samples.jsonl, and two figures that give alarm.

The noise of an answer belongs to its question, so that answers differ from step to step for the weights' sake alone.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch

from aquilamed.models import chat, folders
from aquilamed.models.generate import generate
from aquilamed.train import ranks
from aquilamed.train.settings import Optim

FILE = "samples.jsonl"
QUESTIONS = {
    "zh": ("感冒发烧38.5度，需要马上去医院吗？", "高血压患者平时饮食要注意什么？", "胸口突然剧痛并向左臂放射，我该怎么办？", "请用一句话解释什么是糖尿病。"),
    "en": ("What should I watch for after a minor head injury?", "Which vaccines does a healthy adult need?", "My chest hurts and my left arm is numb. What should I do?",
           "Explain in one sentence what anaemia is."),
}
"""ours"""
BEGINNINGS = {"zh": ("高血压是指", "患者，女，56岁，因", "糖尿病的主要症状有", "今天天气"), "en": ("Hypertension is defined as", "The patient, a 56-year-old woman,", "The main symptoms of diabetes are", "The weather today")}
"""ours: what pre-training goes on from"""

Sample = Callable[[int], dict]
"""(step) -> figures: mean tokens of an answer, and mean entropy in nats of the distributions that its tokens were drawn from."""


def sampler(model: folders.Model, network, optim: Optim, out: Path, *, chats: bool) -> Sample | None:
    """What samples `network` and appends a line an answer to samples.jsonl; None where `optim.watch` asks for none."""
    if not optim.watch.sample_every:
        return None
    asked = [(lang, text) for lang, texts in (QUESTIONS if chats else BEGINNINGS).items() for text in texts]
    tokenizer = model.tokenizer
    prompts = [chat.prompt(tokenizer, [{"role": "user", "content": text}]) if chats else chat.text_ids(tokenizer, text) for _, text in asked]

    def sample(step: int) -> dict:
        was_training = network.training
        answers, entropies = network.apart(lambda inner: _answered(folders.Model(inner, tokenizer, model.folder), prompts, optim))
        network.train(was_training)
        rows = [{"step": step, "lang": lang, "prompt": text, "answer": tokenizer.decode(answer, skip_special_tokens=True), "tokens": len(answer), "entropy": round(entropy, 4)}
                for (lang, text), answer, entropy in zip(asked, answers, entropies, strict=True)]
        if ranks.rank() == 0:
            _append(out / FILE, step, rows)
        return {"sampled_tokens": sum(map(len, answers)) / len(answers), "sampled_entropy": round(sum(entropies) / len(entropies), 4)}
    return sample


@torch.compiler.set_stance("force_eager")                # the shapes change from token to token
@torch.no_grad()
def _answered(model: folders.Model, prompts: list[list[int]], optim: Optim) -> tuple[list[list[int]], list[float]]:
    """(answers, mean entropy of each)."""
    answers = generate(model, prompts, [str(k) for k in range(len(prompts))], max_new_tokens=optim.watch.sample_tokens, temperature=1.0, seed=optim.seed)
    return answers, [_entropy(model.network, prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]


def _entropy(network, prompt: list[int], answer: list[int]) -> float:
    ids_BT = torch.tensor([prompt + answer], device=next(network.parameters()).device)
    logp_TV = network(input_ids=ids_BT, logits_to_keep=len(answer) + 1, use_cache=False).logits[0, :-1].float().log_softmax(-1)
    return float(-(logp_TV.exp() * logp_TV).sum(-1).mean())


def _append(path: Path, step: int, rows: list[dict]) -> None:
    """Lines of this step or later ones, which a broken-off run left, are dropped."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] < step]
    path.write_text("".join(line + "\n" for line in (*kept, *(json.dumps(row, ensure_ascii=False) for row in rows))), encoding="utf-8")
