"""Any Hugging Face encoder, fine-tuned to one number for each text: log-odds or a score. paper 2.1.1 (multilingual BERT)

Several labels may count as yes and several as no: all are taught apart, and the number is the log-odds of yes. On a CPU all batches of a width have one shape, so that no text's number can depend on its neighbours, not even in its last bits;
on a GPU a batch is bounded by its padded tokens. Products are bf16 on a GPU, and on a CPU that multiplies bf16 by itself.
"""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors import SafetensorError

from aquilamed.core.errors import ModelUnavailable
from aquilamed.models.encoder_settings import Settings

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

GPU_TOKENS, CPU_TOKENS = 32_768, 2_048
"""Padded tokens of a batch: read on a GPU; trained on a CPU (on a GPU half of the first)."""
WIDTH, BLOCK = 32, 512
"""On a CPU widths are multiples of the first, and a batch has the second's tokens. ours: chosen by trial, which no command repeats"""
CHARS_PER_TOKEN = 12
"""No more characters than this for each token that is read are tokenised: most tokens are shorter by far."""
_ONE_AT_A_TIME = threading.Lock()
"""A forward pass uses every core by itself; two at a time would only hold twice the memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesson:
    """What an encoder is taught with, and how it is judged after each epoch."""

    texts: Sequence[str]
    targets: np.ndarray
    """A class, by its place in `yes`; a score on any scale where that is empty."""
    dev_texts: Sequence[str]
    judge: Callable[[np.ndarray], float]
    """How good the raw outputs for `dev_texts` are: higher is better."""
    yes: tuple[bool, ...] = ()
    """For every class, whether it counts as yes."""
    seed: int = 0


def fine_tune(source: Path, lesson: Lesson, settings: Settings, out: Path, layers: int = 0) -> dict:
    """Teach the encoder in `source`, or its first `layers` alone, and save the best epoch's in `out`; what each epoch reached on the development texts.

    Equal seeds, texts and settings give equal weights on one machine; order and dropout follow `lesson.seed`.

    Raises:
        ModelUnavailable: not an encoder that transformers can load.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(lesson.seed)
    network, tokenizer = _loaded(source, device, yes=list(lesson.yes), layers=layers)
    ids = _ids(tokenizer, lesson.texts, settings.max_tokens)
    dev_ids = _ids(tokenizer, lesson.dev_texts, settings.max_tokens)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    n_updates = settings.epochs * -(-len(ids) // settings.batch)
    rate = transformers.get_linear_schedule_with_warmup(optimizer, round(settings.warmup * n_updates), n_updates)
    reached, best = [], None
    for epoch in range(settings.epochs):
        order = np.random.default_rng([lesson.seed, epoch]).permutation(len(ids))
        for start in range(0, len(order), settings.batch):
            _update(network, tokenizer, [(ids[k], lesson.targets[k]) for k in order[start:start + settings.batch]], lesson)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            rate.step()
            optimizer.zero_grad()
        reached.append(lesson.judge(_forward(network, tokenizer, dev_ids)))
        if best is None or reached[-1] > reached[best]:
            best, kept = epoch, {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        if epoch - best >= settings.patience:
            break
    network.load_state_dict(kept)
    network.cpu().save_pretrained(out)
    tokenizer.save_pretrained(out)
    return {"dev_by_epoch": [round(float(value), 4) for value in reached], "best_epoch": best + 1}


def raw(folder: Path, texts: Sequence[str], max_tokens: int) -> np.ndarray:
    """One number for each text by the encoder in `folder`, to 4 decimals; loaded once in a process."""
    with alone():
        network, tokenizer = _cached(str(folder))
        return np.round(_forward(network, tokenizer, _ids(tokenizer, texts, max_tokens)), 4)


def groups(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Places of the texts, shortest first, in batches of at most `tokens` with their padding."""
    order = sorted(range(len(lengths)), key=lambda k: (lengths[k], k))
    group: list[int] = []
    for place in order:
        if group and (len(group) + 1) * lengths[place] > tokens:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def batches(ids: Sequence[list[int]], pad: int, device: torch.device) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """(places, ids, mask) of batches to be read; the tensors may have more rows than there are places."""
    if device.type == "cuda":
        for places in groups([len(row) for row in ids], GPU_TOKENS):
            yield places, *padded([ids[k] for k in places], pad, device)
        return
    by_width: dict[int, list[int]] = {}
    for place, row in enumerate(ids):
        by_width.setdefault(-(-max(1, len(row)) // WIDTH) * WIDTH, []).append(place)
    for width, places in sorted(by_width.items()):
        rows = max(1, BLOCK // width)
        for start in range(0, len(places), rows):
            some = places[start:start + rows]
            filled = [ids[k] for k in some] + [ids[some[0]]] * (rows - len(some))
            yield some, *padded(filled, pad, device, width)


def padded(ids: Sequence[list[int]], pad: int, device, width: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, mask), both (batch, longest), or as wide as asked."""
    longest = width or max(1, *map(len, ids))
    ids_BT = torch.tensor([row + [pad] * (longest - len(row)) for row in ids], device=device)
    mask_BT = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids], device=device)
    return ids_BT, mask_BT


def _update(network, tokenizer, pairs: list[tuple[list[int], float]], lesson: Lesson) -> None:
    """Gradients of the mean loss over `pairs`, whatever the micro-batches."""
    network.train()
    device = network.device
    most = GPU_TOKENS // 2 if device.type == "cuda" else CPU_TOKENS
    shares = torch.tensor(np.bincount(lesson.targets, minlength=len(lesson.yes)) / len(lesson.targets), dtype=torch.float32, device=device) if lesson.yes else None
    for places in groups([len(ids) for ids, _ in pairs], most):
        ids_BT, mask_BT = padded([pairs[k][0] for k in places], tokenizer.pad_token_id, device)
        target_B = torch.tensor([pairs[k][1] for k in places], device=device)
        with _products(device):
            said_BC = network(input_ids=ids_BT, attention_mask=mask_BT).logits.float()
        if lesson.yes:                                  # every class weighs as much as any other
            loss = torch.nn.functional.cross_entropy(said_BC, target_B, 1 / (len(shares) * shares.clamp(min=1e-6)), reduction="sum")
        else:
            loss = torch.nn.functional.mse_loss(said_BC[:, 0], target_B.float(), reduction="sum")
        (loss / len(pairs)).backward()


@torch.no_grad()
def _forward(network, tokenizer, ids: Sequence[list[int]]) -> np.ndarray:
    network.eval()
    found = np.zeros(len(ids))
    yes = torch.tensor(network.config.yes, dtype=torch.bool, device=network.device)
    for places, ids_BT, mask_BT in batches(ids, tokenizer.pad_token_id, network.device):
        with _products(network.device):
            said_BC = network(input_ids=ids_BT, attention_mask=mask_BT).logits[:len(places)].float()
        found[places] = (said_BC[:, yes].logsumexp(1) - said_BC[:, ~yes].logsumexp(1) if len(yes) else said_BC[:, 0]).cpu().numpy()
    return found


def fast_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices by itself, some four times as fast as float32."""
    return torch.backends.cpu.get_cpu_capability() != "DEFAULT" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _products(device: torch.device):
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" or fast_bfloat16())


def _ids(tokenizer, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Token ids of each text, cut to `max_tokens` with the closing special token kept."""
    found = tokenizer([text[:CHARS_PER_TOKEN * max_tokens] for text in texts])["input_ids"] if texts else []
    end = [tokenizer.sep_token_id] if tokenizer.sep_token_id is not None else []
    return [row if len(row) <= max_tokens else row[:max_tokens - len(end)] + end for row in found]


def _loaded(source: Path, device: str, *, yes: list[bool] | None = None, layers: int = 0):
    """(network, tokenizer); with a new head where `yes` says what its outputs mean, and the first `layers` alone where that is not 0."""
    try:
        config = transformers.AutoConfig.from_pretrained(source, local_files_only=True)
        if yes is not None:
            config.num_labels, config.yes = max(len(yes), 1), yes
        if layers:
            config.num_hidden_layers = layers
            if getattr(config, "layer_types", None):
                config.layer_types = config.layer_types[:layers]

        tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        network = transformers.AutoModelForSequenceClassification.from_pretrained(
            source, config=config, dtype=torch.float32, ignore_mismatched_sizes=True, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelUnavailable(f"{source}: can't be loaded as a sequence classifier: {error}") from error
    network.config.pad_token_id = tokenizer.pad_token_id
    return network.to(device), tokenizer


@functools.cache
def _cached(folder: str):
    return _loaded(Path(folder), "cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one forward pass run at a time in this process."""
    with _ONE_AT_A_TIME:
        yield
