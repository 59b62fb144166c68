"""taming-transformers' own models, with the same weights: the same codes and the same frames, both ways."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from raysweep.config import RunConfig
from raysweep.experiment.layout import Experiment
from raysweep.export import export_for
from raysweep.models.published.fitting import open_checkpoint
from raysweep.models.tokenizer import Tokenizer
from raysweep.training import checkpoint
from tests.tiny import QUANTIZERS, frames, tiny_parts, tiny_run

SMALL = {"ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1, "attn_resolutions": [], "resolution": 32}
CONFIGS = {
    "f16-like": {**SMALL, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2, "attn_resolutions": [2]},
    "attention at every level": {
        **SMALL,
        "ch_mult": [1, 2, 2],
        "attn_resolutions": [8, 16, 32],
    },
    "no attention but the middle's": SMALL,
    "wider blocks": {**SMALL, "ch": 64, "ch_mult": [2, 1, 3], "attn_resolutions": [16]},
}
F16 = {
    "ch": 128,
    "ch_mult": [1, 1, 2, 2, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [16],
    "resolution": 256,
}
SIZES = [(32, 32), (32, 64), (64, 16)]


def peer_model(taming: ModuleType, config: dict[str, Any], **sizes: int) -> nn.Module:
    """A VQModel in eval mode whose weights are all random, with codes among the latent vectors."""
    z_channels = sizes.pop("z_channels", 16)
    ddconfig = {"double_z": False, "z_channels": z_channels, "in_channels": 3, "out_ch": 3}
    torch.manual_seed(0)
    model = taming.VQModel(
        {**ddconfig, **config, "dropout": 0.0},
        {"target": "taming.modules.losses.vqperceptual.DummyLoss"},
        sane_index_shape=True,
        **sizes,
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name or name.endswith("bias"):
                parameter += 0.2 * torch.randn_like(parameter)
        latent = model.quant_conv(model.encoder(frames(8, 64)))
        vectors = latent.permute(0, 2, 3, 1).reshape(-1, latent.shape[1])
        codebook = model.quantize.embedding.weight
        drawn = vectors[torch.randint(len(vectors), (len(codebook),))]
        codebook.copy_(drawn + 0.3 * vectors.std(0) * torch.randn_like(drawn))
    return model.eval()


def ema_peer(taming: ModuleType, model: nn.Module) -> nn.Module:
    """`model` with EMAVQ's quantizer, whose published constructor raises a NameError; trained for a step."""
    kind, (codes, dim) = taming.EMAVectorQuantizer, model.quantize.embedding.weight.shape
    quantizer = kind.__new__(kind)
    nn.Module.__init__(quantizer)
    quantizer.codebook_dim, quantizer.num_tokens, quantizer.beta, quantizer.remap = (
        dim,
        codes,
        0.25,
        None,
    )
    embedding = sys.modules[kind.__module__].EmbeddingEMA(codes, dim)
    embedding.weight.data.copy_(model.quantize.embedding.weight)
    embedding.embed_avg.data.copy_(embedding.weight)
    embedding.cluster_size.data.fill_(1.0)
    quantizer.embedding = embedding
    model.quantize = quantizer
    model.train()(frames(4))
    return model.eval()


def our_run(
    config: dict[str, Any], path: Path, quantizer: dict[str, Any], z: int = 16
) -> RunConfig:
    model = {"kind": "taming_vqgan", "z_channels": z, **config}
    return tiny_run({"model": {**model, "checkpoint": str(path), "quantizer": quantizer}})


def our_model(run: RunConfig) -> Tokenizer:
    tokenizer = run.model.build()
    start = open_checkpoint(run.model, tokenizer, run.discriminator.build())
    tokenizer.load_state_dict(start.tokenizer)
    return tokenizer.eval()


def published(model: nn.Module, path: Path) -> Path:
    torch.save({"epoch": 1, "state_dict": model.state_dict()}, path)
    return path


def pictures(size: tuple[int, int]) -> Tensor:
    height, width = size
    return frames(2, 64, seed=3)[..., :height, :width]


def assert_parity(ours: Tokenizer, peer: nn.Module, input_NCHW: Tensor, record) -> None:
    with torch.no_grad():
        quantized, loss, (_, _, codes) = peer.encode(input_NCHW)
        frames, decoded = peer.decode(quantized), ours(input_NCHW)
    difference = (decoded.frames_NCHW - frames).abs().max().item()
    record("max_difference", difference)
    record("scale", frames.abs().max().item())
    assert torch.equal(decoded.codes[0].flatten(), codes.flatten())
    assert len(codes.unique()) > 2
    assert difference < 2e-5  # float32, on values about 2; attention is fused here
    torch.testing.assert_close(decoded.codebook_loss, loss, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_vqmodel_is_the_same_here(taming, config, size, tmp_path, record_property) -> None:
    peer = peer_model(taming, config, n_embed=64, embed_dim=8)
    quantizer = {"kind": "gradient", "codebook_size": 64, "embedding_dim": 8}
    ours = our_model(our_run(config, published(peer, tmp_path / "last.ckpt"), quantizer))
    assert_parity(ours, peer, pictures(size), record_property)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_an_emavq_is_the_same_here(taming, config, tmp_path, record_property) -> None:
    peer = ema_peer(taming, peer_model(taming, config, n_embed=64, embed_dim=8))
    quantizer = {"kind": "ema", "codebook_size": 64, "embedding_dim": 8}
    ours = our_model(our_run(config, published(peer, tmp_path / "last.ckpt"), quantizer))
    assert_parity(ours, peer, pictures(SIZES[1]), record_property)


def test_an_emavq_trains_on_as_it_would_have(taming, tmp_path) -> None:
    """Without the two things that it lacks: a start from data, and the revival of dead codes."""
    peer = ema_peer(taming, peer_model(taming, SMALL, n_embed=64, embed_dim=8))
    quantizer = {"kind": "ema", "codebook_size": 64, "embedding_dim": 8, "revive_below": 0}
    ours = our_model(our_run(SMALL, published(peer, tmp_path / "last.ckpt"), quantizer))
    for model in (ours.train(), peer.train()):
        model(frames(4, seed=1))
        model(frames(4, seed=2))
    for name, buffer in ours.quantize.embedding.state_dict().items():
        torch.testing.assert_close(buffer, peer.state_dict()[f"quantize.embedding.{name}"])


def test_the_published_f16_model_is_the_same_here(taming, tmp_path, record_property) -> None:
    peer = peer_model(taming, F16, n_embed=1024, embed_dim=256, z_channels=256)
    path = published(peer, tmp_path / "last.ckpt")
    assert len(peer.state_dict()) == 343
    quantizer = {"kind": "gradient", "codebook_size": 1024, "embedding_dim": 256}
    ours = our_model(our_run(F16, path, quantizer, z=256))
    assert sum(parameter.numel() for parameter in ours.parameters()) == 72_141_699
    assert_parity(ours, peer, frames(1, 64, seed=3), record_property)


@pytest.mark.parametrize("quantizer", ["gradient", "ema"])
def test_taming_loads_what_we_export(taming, quantizer, tmp_path, record_property) -> None:
    changes = {"kind": "taming_vqgan", "z_channels": 16, **SMALL}
    run = {"model": {**changes, "quantizer": QUANTIZERS[quantizer]}, "discriminator.norm": "batch"}
    parts = tiny_parts(run)
    parts.step(frames(4))
    experiment = Experiment(tmp_path)
    best = experiment.best_checkpoint("0000", "val/psnr")
    checkpoint.save(best, parts.state, {"val/psnr": 20.0}, parts.settings)
    file = tmp_path / "best.ckpt"
    assert export_for("taming", experiment, "0000", "val/psnr", file)

    peer = peer_model(taming, SMALL, n_embed=32, embed_dim=8)
    if quantizer == "ema":
        peer = ema_peer(taming, peer)
    state = torch.load(file)["state_dict"]
    model = {name: tensor for name, tensor in state.items() if not name.startswith("loss.")}
    peer.load_state_dict(model, strict=True)
    assert_parity(parts.state.tokenizer.eval(), peer, pictures((32, 64)), record_property)

    for parameter in peer.parameters():
        parameter.data.zero_()
    peer.init_from_ckpt(file, ignore_keys=["loss"])
    assert_parity(parts.state.tokenizer.eval(), peer, pictures((32, 64)), record_property)

    kind = import_module("taming.modules.discriminator.model").NLayerDiscriminator
    disc = kind(ndf=8, n_layers=2).eval()
    disc_state = {
        name.removeprefix("loss.discriminator."): tensor
        for name, tensor in state.items()
        if name not in model
    }
    disc.load_state_dict(disc_state, strict=True)
    with torch.no_grad():
        logits = disc(frames(2)), parts.state.discriminator.eval()(frames(2))
    torch.testing.assert_close(*logits)
