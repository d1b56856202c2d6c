"""The processes that train one model together, started by torchrun or alone: who they are, and what they agree on.

Rank 0 runs the recipe; the others wait until it comes to a step that all ranks train, and join it (`follow`). Weights, gradients and optimizer
state are sharded over the ranks by PyTorch's FSDP2; a step's result does not depend on their number but for the order of sums.
"""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Mapping

import torch
import torch.distributed as dist

WAIT = datetime.timedelta(days=30)
"""How long a rank waits for the others: a step that only rank 0 makes may take days."""


def start() -> int:
    """Join the ranks that torchrun started; this process's rank, 0 where it is alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return rank()
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=WAIT)
    return rank()


def end() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def wait() -> None:
    """Until every rank is here."""
    if size() > 1:
        dist.monitored_barrier(timeout=WAIT, group=_words()) if rank() == 0 else dist.monitored_barrier(group=_words())


def tell(word: str) -> None:
    """Say `word` to the other ranks; rank 0 alone calls it."""
    if size() > 1:
        dist.broadcast_object_list([word], src=0, group=_words())


def heard() -> str:
    """The next word of rank 0."""
    word = [""]
    dist.broadcast_object_list(word, src=0, group=_words())
    return word[0]


@contextlib.contextmanager
def first() -> Iterator[bool]:
    """True on rank 0, which does the work inside; the others go on when it is done."""
    yield rank() == 0
    wait()


def sums(figures: Mapping[str, torch.Tensor | float], device: torch.device) -> dict[str, float]:
    """The figures of all ranks together: one exchange, and one wait for the device; every rank has the same names."""
    names = sorted(figures)
    values = torch.stack([torch.as_tensor(figures[name], dtype=torch.float64, device=device) for name in names])
    if size() > 1:
        dist.all_reduce(values, group=_words() if device.type == "cpu" else None)
    return dict(zip(names, values.tolist(), strict=True))


def any_of(wish: bool) -> bool:
    """Whether any rank wishes it; all ranks ask together."""
    if size() == 1:
        return wish
    wishes = torch.tensor(int(wish))
    dist.all_reduce(wishes, group=_words())
    return bool(wishes)


def gathered(mine: list) -> list:
    """The results for the items that every rank took as its `items[rank()::size()]`, in the order of the items."""
    if size() == 1:
        return mine
    parts: list = [None] * size()
    dist.all_gather_object(parts, mine, group=_words())
    return [parts[place % size()][place // size()] for place in range(sum(map(len, parts)))]


def share(items: list, fill: Callable[[list], object]) -> list[tuple[object, bool]]:
    """This rank's part of `items`, each with True; ranks with fewer get `fill(items)` with False, for all must take as many steps."""
    mine = [(item, True) for item in items[rank()::size()]]
    return mine + [(fill(items), False)] * (-(-len(items) // size()) - len(mine))


def device(network) -> torch.device:
    """Where `network` computes: where its weights are, or this rank's GPU while they wait in CPU memory."""
    return torch.device("cuda", torch.cuda.current_device()) if size() > 1 and torch.cuda.is_available() else next(network.parameters()).device


def sharded(module: torch.nn.Module, layers, *, offload: bool = False) -> torch.nn.Module:
    """`module` with its parameters spread over the ranks, gathered a layer at a time; gradients are summed, not averaged.

    It may lie on the CPU: FSDP2 takes it to the GPU layer by layer, and with `offload` back after each.
    """
    from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, MixedPrecisionPolicy, OffloadPolicy, fully_shard, register_fsdp_forward_method
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32) if torch.cuda.is_available() else MixedPrecisionPolicy()
    place = CPUOffloadPolicy(pin_memory=torch.cuda.is_available()) if offload else OffloadPolicy()
    for layer in layers:
        fully_shard(layer, mp_policy=policy, offload_policy=place)
    fully_shard(module, mp_policy=policy, offload_policy=place)
    register_fsdp_forward_method(module, "apart")
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)
    return module


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor's whole value, on every rank; any other tensor itself."""
    from torch.distributed.tensor import DTensor
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _words():
    """Words and waiting travel over the CPU, whatever the gradients do."""
    global _GROUP
    if _GROUP is None:
        _GROUP = dist.new_group(backend="gloo", timeout=WAIT)
    return _GROUP


_GROUP = None
