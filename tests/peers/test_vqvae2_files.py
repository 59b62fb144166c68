"""vvvm23's VQ-VAE-2 loads what we export, and we load what it saves."""

import pytest
import torch

from raysweep.models.published.fitting import open_checkpoint
from raysweep.models.published.formats import as_vqvae2
from tests.tiny import frames, tiny_run

QUANTIZER = {"kind": "ema", "codebook_size": 32, "embedding_dim": 8}
SIZES = {"hidden": 16, "res_channels": 8, "nb_res_layers": 1}


@pytest.mark.parametrize("rates", [(4, 2), (8, 4, 2)], ids=str)
def test_files_pass_both_ways(vqvae2, rates, tmp_path, record_property) -> None:
    torch.manual_seed(0)
    peer = vqvae2.VQVAE(
        hidden_channels=16,
        res_channels=8,
        nb_res_layers=1,
        nb_levels=len(rates),
        embed_dim=8,
        nb_entries=32,
        scaling_rates=list(rates),
    )
    with torch.no_grad():
        for name, parameter in peer.named_parameters():
            if name.endswith("alpha"):
                parameter.fill_(0.5)
    for seed in range(10):
        peer(frames(4, 64, seed))
    torch.save(peer.eval().state_dict(), tmp_path / "state-dict-0010.pt")
    model = {"kind": "hierarchical", "scaling_rates": rates, "quantizer": QUANTIZER, **SIZES}
    run = tiny_run({"model": {**model, "checkpoint": str(tmp_path / "state-dict-0010.pt")}})
    ours = run.model.build().eval()
    start = open_checkpoint(run.model, ours, run.discriminator.build())
    ours.load_state_dict(start.tokenizer)
    with torch.no_grad():
        decoded, (wanted, _, _, _, ids) = ours(frames(2, 64)), peer(frames(2, 64))
    record_property("max_difference", (decoded.frames_NCHW - wanted).abs().max().item())
    torch.testing.assert_close(decoded.frames_NCHW, wanted, atol=1e-5, rtol=0)
    assert all(torch.equal(*pair) for pair in zip(decoded.codes, reversed(ids), strict=True))

    before = {name: tensor.clone() for name, tensor in peer.state_dict().items()}
    for tensor in peer.state_dict().values():
        tensor.zero_()
    peer.load_state_dict(as_vqvae2(run.model, ours.state_dict(), {}), strict=True)
    torch.testing.assert_close(dict(peer.state_dict()), before, atol=0, rtol=0)
