"""A second opinion on the VQGAN: diffusers' VQModel, an implementation of its own, with the same weights."""

import pytest
import torch
from torch import Tensor

from raysweep.models import Tokenizer
from tests.tiny import frames, tiny_run

PARTS = {
    "norm_out": "conv_norm_out",
    "mid.block_1": "mid_block.resnets.0",
    "mid.block_2": "mid_block.resnets.1",
    "mid.attn_1": "mid_block.attentions.0",
    "nin_shortcut": "conv_shortcut",
    "downsample": "downsamplers.0",
    "upsample": "upsamplers.0",
    ".block.": ".resnets.",
    ".attn.": ".attentions.",
    "down.": "down_blocks.",
}
IN_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
CONFIGS = {
    "attention at the coarsest": {"ch_mult": [1, 2, 2], "attn_resolutions": [8]},
    "attention at two levels": {"ch_mult": [1, 1, 2], "attn_resolutions": [8, 16]},
    "none but the middle's": {"ch_mult": [1, 3], "attn_resolutions": []},
}


def theirs(name: str, tensor: Tensor, levels: int) -> tuple[str, Tensor]:
    """Their name and shape: attention by linear layers, and the decoder's levels in the order they run."""
    for ours, there in PARTS.items():
        name = name.replace(ours, there)
    if name.startswith("decoder.up."):
        _, _, level, rest = name.split(".", 3)
        name = f"decoder.up_blocks.{levels - 1 - int(level)}.{rest}"
    if "attentions" in name:
        stem, layer, end = name.rsplit(".", 2)
        name = f"{stem}.{IN_ATTENTION[layer]}.{end}"
        tensor = tensor.flatten(1) if tensor.ndim == 4 else tensor
    return name, tensor


def random_model(config: dict[str, object]) -> Tokenizer:
    torch.manual_seed(0)
    sizes = {"ch": 32, "num_res_blocks": 1, "resolution": 32, "z_channels": 16}
    tokenizer = tiny_run({"model": {"kind": "taming_vqgan", **sizes, **config}}).model.build()
    with torch.no_grad():
        for name, parameter in tokenizer.named_parameters():
            if "norm" in name or name.endswith("bias"):
                parameter += 0.2 * torch.randn_like(parameter)
        latent = tokenizer.quant_conv(tokenizer.encoder(frames(8, 64)))
        vectors = latent.permute(0, 2, 3, 1).flatten(0, 2)
        book = tokenizer.quantize.embedding.weight
        book.copy_(vectors[torch.randint(len(vectors), (len(book),))])
        book += 0.3 * vectors.std(0) * torch.randn_like(book)
    return tokenizer.eval()


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_same_codes_and_frames(diffusers, config, record_property) -> None:
    ours = random_model(config)
    levels, multipliers = len(config["ch_mult"]), config["ch_mult"]
    has_attention = [32 // 2**level in config["attn_resolutions"] for level in range(levels)]
    downs = ["AttnDownEncoderBlock2D" if has else "DownEncoderBlock2D" for has in has_attention]
    ups = ["AttnUpDecoderBlock2D" if has else "UpDecoderBlock2D" for has in has_attention]
    peer = diffusers.VQModel(
        down_block_types=tuple(downs),
        up_block_types=tuple(reversed(ups)),
        block_out_channels=tuple(32 * multiplier for multiplier in multipliers),
        latent_channels=16,
        num_vq_embeddings=32,
        vq_embed_dim=8,
    ).eval()
    state = dict(theirs(name, tensor, levels) for name, tensor in ours.state_dict().items())
    peer.load_state_dict(state, strict=True)
    pictures = frames(2, 64, seed=3)[..., :32]
    decoded, latents = ours(pictures), peer.encode(pictures).latents
    (_, _, codes) = peer.quantize(latents)[2]
    difference = (decoded.frames_NCHW - peer.decode(latents).sample).abs().max().item()
    record_property("max_difference", difference)
    assert torch.equal(decoded.codes[0].flatten(), codes.flatten())
    assert len(codes.unique()) > 5
    assert difference < 2e-5
