"""OptVQ's whole model from its file: taming's encoder and decoder around its quantizer."""

import pytest
import torch

from raysweep.models.published.fitting import open_checkpoint
from tests.tiny import frames, tiny_run

SIZES = {
    "ch": 32,
    "ch_mult": [1, 2],
    "num_res_blocks": 1,
    "attn_resolutions": [16],
    "resolution": 32,
    "z_channels": 16,
}


@torch.no_grad()
@pytest.mark.parametrize("exact", [True, False], ids=["sinkhorn", "nearest"])
@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_same_codes_and_frames(optvq, heads, exact, prefix, tmp_path, record_property) -> None:
    torch.manual_seed(0)
    sizes = {**SIZES, "double_z": False, "in_channels": 3, "out_ch": 3}
    quantizer = {"n_e": 64, "e_dim": 8, "num_head": heads, "beta": 0.25, "loss_q_type": "l2"}
    made = (
        optvq.quantizer.VectorQuantizerSinkhorn(use_prob=False, **quantizer)
        if exact
        else optvq.quantizer.VectorQuantizer(**quantizer)
    )
    encoder, decoder = optvq.backbone.Encoder(**sizes), optvq.backbone.Decoder(**sizes)
    peer = optvq.VQModel(encoder, decoder, torch.nn.Identity(), made).eval()
    state = {f"{prefix}{name}": tensor for name, tensor in peer.state_dict().items()}
    torch.save({"model": state, "epoch": 3, "step": 9}, tmp_path / "checkpoint.pth")

    ours = {"kind": "optvq", "codebook_size": 64, "embedding_dim": 8, "heads": heads}
    path = str(tmp_path / "checkpoint.pth")
    model = {"kind": "taming_vqgan", "checkpoint": path, "quantizer": {**ours, "exact": exact}}
    run = tiny_run({"model": {**SIZES, **model}})
    tokenizer = run.model.build()
    start = open_checkpoint(run.model, tokenizer, run.discriminator.build())
    tokenizer.load_state_dict(start.tokenizer)
    pictures = frames(4, 32)
    decoded = tokenizer.eval()(pictures)
    quantized, loss, codes = peer.encode(pictures)
    difference = (decoded.frames_NCHW - peer.decode(quantized)).abs().max().item()
    record_property("max_difference", difference)
    assert torch.equal(torch.stack(decoded.codes, 1), codes.view(4, heads, 16, 16))
    assert len(codes.unique()) > 5
    assert difference < 1e-5
    torch.testing.assert_close(decoded.codebook_loss, loss)
