"""What a training step needs, before it runs: memory of a device by parts, arithmetic, disk. Nothing is computed: the network has shapes alone.

Memory follows from what the loop keeps: weights, gradients and moments in float32, spread over the devices; what FSDP2 gathers; what autograd saves
of one forward pass, counted on a network without values; the head's chunks of logits.
"""

import contextlib
import dataclasses
from pathlib import Path

import torch
import transformers
from torch._subclasses.fake_tensor import FakeTensorMode

from aquilamed.core.errors import ConfigError
from aquilamed.train import session
from aquilamed.train.flops import Shape, shape_of
from aquilamed.train.machines import Machine
from aquilamed.train.settings import Optim
from aquilamed.tree.head import CHUNK, KEPT
from aquilamed.tree.score import CPU_PACK

RUNTIME = {True: 1.5e9, False: 0.62e9}
"""Bytes of PyTorch with its libraries and their scratch space on a GPU and on a CPU. ours: CPU as measured, GPU an assumption"""

HOLES = {"full": 1.3, "lora": 1.9}
"""On a CPU: memory that the heap takes for the activations, by what is kept of them; what is not kept leaves holes. ours: fitted to two architectures' runs
(tests/train/test_train_forecast.py), whose peaks vary by 5 % from run to run"""


@dataclasses.dataclass(frozen=True)
class Needs:
    """Of one training step."""

    memory: dict[str, float]
    """Part -> bytes of one device."""
    flops: float
    """Of the whole step, all epochs; useful ones alone."""
    extra_flops: float
    """Of layers computed a second time."""
    disk: float
    """Bytes of the checkpoints while it trains and of the model at its end."""
    n_params: int
    n_trained: int

    @property
    def total(self) -> float:
        return sum(self.memory.values())


def empty(folder: Path, optim: Optim, *, on_gpu: bool):
    """The network that `folder`/config.json, or that file itself, describes, as it is trained, without values.

    Raises:
        ConfigError: there is none, or transformers doesn't know it.
    """
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            network = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16 if on_gpu else torch.float32, attn_implementation="sdpa")
            return session.with_adapters(network, optim) if optim.mode == "lora" else network
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{folder}: no model can be planned from it ({str(error).splitlines()[0]}); name a config.json with --shape") from error


def needs(network, optim: Optim, tokens: float, *, asked_share: float, machine: Machine, judged: bool = False) -> Needs:
    """What training `network` (of `empty`) on so many tokens an epoch needs on `machine`; `asked_share` of them are trained, the others are context."""
    on_gpu, n = machine.device.on_gpu, machine.n
    micro = optim.micro_tokens or (optim.length if on_gpu else CPU_PACK)
    shape = shape_of(network)
    whole, trained = (sum(p.numel() for p in network.parameters() if p.requires_grad or everything) for everything in (True, False))
    layers = [sum(p.numel() for p in one.parameters()) for one in network.get_decoder().layers]
    width, n_kinds = 2 if on_gpu else 4, max(_kinds(network), 1)
    held = 0 if optim.offload and n > 1 else 1 / n
    memory = {
        "weights": (4 * whole - (4 - optim.lora.bits / 8) * shape.body if optim.mode == "lora" and optim.lora.bits else 4 * whole) * held,
        "gradients": 4 * trained * held, "moments": 8 * trained * held, **({"best weights": 4 * trained * held} if judged else {}),
        "gathered": width * (2 * max(layers) + whole - sum(layers)) if n > 1 else 2 * whole if on_gpu else 0,
        "activations": activations(network, micro, optim) * (1 if on_gpu else HOLES[optim.mode]), "masks": micro * micro * width * n_kinds + micro * micro,
        "head": 4 * network.config.get_text_config().vocab_size * (3 * min(CHUNK, micro) + (micro if micro <= KEPT else 0)) + (_head_gradients(network) * 4 * shape.head if n > 1 and trained == whole else 0),
        "runtime": RUNTIME[on_gpu],
    }
    flops = optim.epochs * tokens * _per_token(shape, optim.length, asked_share)
    again = optim.epochs * tokens * 2.0 * shape.body if optim.recompute else 0.0
    disk = optim.keep_checkpoints * (12 * trained + (4 * trained if judged else 0)) + 4 * whole
    return Needs(memory, flops, again, disk, whole, trained)


def activations(network, tokens: int, optim: Optim) -> float:
    """Bytes that autograd keeps of one forward pass over so many tokens; with `recompute`, of the layers' inputs and of one layer."""
    layers = network.get_decoder().layers
    everything = _saved(network, tokens)
    if not optim.recompute:
        return everything
    hidden = tokens * network.config.get_text_config().hidden_size * network.dtype.itemsize
    return len(layers) * hidden + everything / len(layers)


def _saved(network, tokens: int) -> float:
    """Bytes of the tensors that the backward pass of the body needs, each storage once, without parameters and masks; the CPU's kernels are asked, without values."""
    kept, body = {}, network.get_decoder()

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage                  # held, so that no other takes its place
        return tensor
    with FakeTensorMode(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), _training(network):
        values = {name: torch.empty(one.shape, dtype=one.dtype, requires_grad=one.requires_grad) for name, one in (*body.named_parameters(), *body.named_buffers())}
        ids, bias = torch.zeros(1, tokens, dtype=torch.long), torch.zeros(1, 1, tokens, tokens, dtype=network.dtype)
        masks = {kind: bias for kind in network.config.get_text_config().layer_types} if _kinds(network) > 1 else bias
        torch.func.functional_call(body, values, kwargs={"input_ids": ids, "position_ids": ids, "attention_mask": masks, "use_cache": False})
        others = {tensor.untyped_storage()._cdata for tensor in (*values.values(), bias)}
    return float(sum(storage.nbytes() for key, storage in kept.items() if key not in others))


@contextlib.contextmanager
def _training(network):
    before = network.training
    network.train()
    yield
    network.train(before)


def _kinds(network) -> int:
    return len(set(getattr(network.config.get_text_config(), "layer_types", None) or ()))


def _head_gradients(network) -> int:
    """Whole gradients of the head's size before FSDP2 spreads them: the head's, and the embedding's where both are one matrix."""
    tied = network.get_output_embeddings().weight is network.get_input_embeddings().weight
    return 2 if tied else 1


def _per_token(shape: Shape, length: int, asked_share: float) -> float:
    """Floating-point operations of a token that sees half of `length`."""
    return 2.0 * (shape.body * shape.body_passes + asked_share * shape.head * shape.head_passes + shape.attention * length * 3)
