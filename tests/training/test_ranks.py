"""Whatever the quantizer, two ranks hold the same model, and it is the one that a single worker would hold.

Every job below runs in each of two gloo processes that hold half of the data, started once.
"""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from pydantic import TypeAdapter
from torch import Tensor, multiprocessing

from raysweep import parallel
from raysweep.models.quantizers import QuantizerConfig
from raysweep.schema import Tree
from tests.models.pairs import QUANTIZERS
from tests.tiny import frames, tiny_parts

WORKERS = 2
STEPS = 10
DRAWING = "optvq that draws"
KINDS: dict[str, Tree] = QUANTIZERS | {
    "optvq by cross-entropy": QUANTIZERS["optvq"] | {"loss": "ce", "normalize": "dim"},
    DRAWING: QUANTIZERS["optvq"] | {"use_prob": True},
}
HASHED = [*QUANTIZERS, DRAWING]
ALONE: list[str] = [kind for kind in KINDS if kind != DRAWING]
"""Those that one worker makes too; where each rank draws its own, it makes the like."""


def _share(values: Tensor) -> Tensor:
    return values.chunk(parallel.place().workers)[parallel.place().rank]


def _hash(kind: str, gan: bool) -> dict[str, str]:
    """Of every parameter and buffer after STEPS steps, the discriminator's too."""
    loss = {"loss.disc_start": 0, "loss.disc_every": 1, "loss.disc_weight": 0.8 if gan else 0.0}
    parts = tiny_parts(
        {"model.quantizer": KINDS[kind], "loss.perceptual_net": "none", "training.steps": 20} | loss
    )
    torch.manual_seed(parallel.place().rank)  # of what a rank draws for itself
    start = _digests(parts.state.tokenizer, parts.state.discriminator)
    for step in range(STEPS):
        parts.step(_share(frames(4, seed=step)))
    end = _digests(parts.state.tokenizer, parts.state.discriminator)
    assert any(start[name] != end[name] for name in end if name.startswith("discriminator")) == gan
    assert any(start[name] != end[name] for name in end if "quantize" in name) or kind == "fsq"
    return end


def _digests(tokenizer: torch.nn.Module, discriminator: torch.nn.Module) -> dict[str, str]:
    networks = {"tokenizer": tokenizer, "discriminator": discriminator}
    return {
        f"{network}.{name}": hashlib.sha256(value.detach().numpy().tobytes()).hexdigest()
        for network, module in networks.items()
        for name, value in [*module.named_parameters(), *module.named_buffers()]
    }


def _quantizer(kind: str) -> dict[str, Tensor]:
    """Some steps of the quantizer alone -> means over the batch, and everything that it holds."""
    torch.manual_seed(0)
    settings = KINDS[kind] | {"embedding_dim": 4}
    quantizer = TypeAdapter(QuantizerConfig).validate_python(settings).build()
    generator = torch.Generator().manual_seed(1)
    losses, sums = [], []
    for _ in range(4):
        leaf = _share(torch.randn(6, 4, 4, 4, generator=generator)).requires_grad_()
        quantized = quantizer(leaf)
        (quantized.latent_NDhw.square().mean() + quantized.loss).backward()
        losses.append(parallel.mean(quantized.loss.detach()))
        sums.append(parallel.total(torch.stack([codes.sum() for codes in quantized.codes])))
    gradients = {
        f"gradient of {name}": parallel.mean(p.grad) for name, p in quantizer.named_parameters()
    }
    seen = {"losses": torch.stack(losses), "codes": torch.stack(sums)}
    return seen | gradients | dict(quantizer.state_dict())


def _jobs() -> dict[str, Any]:
    hashes = {f"{kind}, GAN {gan}": _hash(kind, gan) for kind in HASHED for gan in (False, True)}
    return hashes | {kind: _quantizer(kind) for kind in KINDS}


def _worker(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=WORKERS
    )
    torch.save(_jobs(), folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the two ranks made of every job."""
    folder = tmp_path_factory.mktemp("group")
    multiprocessing.spawn(_worker, (folder,), nprocs=WORKERS)
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(WORKERS)]


@pytest.mark.parametrize("gan", [False, True])
@pytest.mark.parametrize("kind", HASHED)
def test_every_parameter_and_buffer_is_equal_across_ranks(ranks, kind, gan) -> None:
    first, second = (rank[f"{kind}, GAN {gan}"] for rank in ranks)
    assert len(first) > 50
    assert first == second


@pytest.mark.parametrize("kind", ALONE)
def test_the_quantizer_is_that_of_one_worker_with_the_whole_batch(ranks, kind) -> None:
    torch.testing.assert_close(ranks[0][kind], _quantizer(kind), atol=1e-5, rtol=1e-4)
