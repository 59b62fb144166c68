"""A checkpoint starts the model that was saved, whoever wrote it, and another architecture is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Adam

from raysweep.errors import ConfigError
from raysweep.models import Tokenizer
from raysweep.models.published.fitting import Start, describe, open_checkpoint
from raysweep.models.quantizers.base import nearest
from tests.models.pairs import FAMILIES, PAIRS, QUANTIZERS
from tests.tiny import EMA, frames, tiny_parts, tiny_run

State = dict[str, Tensor]
PERCEPTUAL = {"loss.perceptual_loss.lin0.weight": torch.ones(2)}


def trained(**changes: Any) -> tuple[Tokenizer, nn.Module]:
    """Networks with statistics and moments of their own."""
    parts = tiny_parts({"seed": 5, **changes})
    for _ in range(2):
        parts.step(frames(4))
    return parts.state.tokenizer, parts.state.discriminator


def opened(path: Path, **changes: Any) -> Start:
    """What a run with these settings takes over; its networks hold no weights."""
    run = tiny_run({"model.checkpoint": path, **changes})
    with torch.device("meta"):
        networks = run.model.build(), run.discriminator.build()
    return open_checkpoint(run.model, *networks)


def below(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def _lightning(model: State, disc: State, path: Path) -> None:
    state = model | below("loss.discriminator.", disc) | PERCEPTUAL
    torch.save({"epoch": 3, "global_step": 9, "state_dict": state, "callbacks": {}}, path)


def _distributed(model: State, disc: State, path: Path) -> None:
    state = model | below("loss.discriminator.", disc) | PERCEPTUAL
    torch.save({"state_dict": below("module.", state)}, path)


def _latent_diffusion(model: State, disc: State, path: Path) -> None:
    ema = {f"model_ema.{name.replace('.', '')}": tensor for name, tensor in model.items()}
    extra = {"model_ema.decay": torch.ones(()), "quantize.used": torch.ones(3)}
    torch.save({"state_dict": model | ema | extra | below("loss.discriminator.", disc)}, path)


def _optvq(model: State, disc: State, path: Path) -> None:
    state = model | below("loss.discriminator.", disc)
    torch.save({"model": below("module.", state), "epoch": 1, "optimizer_ae": {}}, path)


def _hugging_face(model: State, disc: State, path: Path) -> None:
    path.mkdir()
    state = below("model.", model | below("loss.discriminator.", disc))
    save_file(state, path / "model.safetensors")


def _earlier(model: State, disc: State, path: Path) -> None:
    torch.save({"steps": 9, "state_dict": model, "scheduler": {}, "discriminator": disc}, path)


def _run_of_ours(model: State, disc: State, path: Path) -> None:
    path.mkdir()
    averaged = {"averaged": model, "tokenizer": {name: t + 1 for name, t in model.items()}}
    torch.save({"version": 1, "step": 9, "discriminator": disc, **averaged}, path / "state.pt")


def _bare(model: State, _: State, path: Path) -> None:
    torch.save(model, path)


def _exported(model: State, _: State, path: Path) -> None:
    path.mkdir()
    save_file(model, path / "model.safetensors")


WITH_DISCRIMINATOR = [
    _lightning,
    _distributed,
    _latent_diffusion,
    _optvq,
    _hugging_face,
    _earlier,
    _run_of_ours,
]
WITHOUT = [_bare, _exported]


def assert_same(found: State, wanted: State) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("pair", ["taming_vqgan-gradient", "hierarchical-ema"])
@pytest.mark.parametrize("write", WITH_DISCRIMINATOR + WITHOUT)
def test_every_format_gives_the_networks_that_were_saved(write, pair, tmp_path) -> None:
    changes = {"model": PAIRS[pair]}
    tokenizer, discriminator = trained(**changes)
    write(tokenizer.state_dict(), discriminator.state_dict(), tmp_path / "file")
    start = opened(tmp_path / "file", **changes)
    assert_same(start.tokenizer, tokenizer.state_dict())
    wanted = discriminator.state_dict() if write in WITH_DISCRIMINATOR else {}
    assert_same(start.discriminator, wanted)


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_a_run_goes_on_from_an_earlier_ones_model_with_any_quantizer(quantizer, tmp_path) -> None:
    changes = {"model": PAIRS[f"taming_vqgan-{quantizer}"]}
    tokenizer, discriminator = trained(**changes)
    _run_of_ours(tokenizer.state_dict(), discriminator.state_dict(), tmp_path / "run")
    assert_same(opened(tmp_path / "run", **changes).tokenizer, tokenizer.state_dict())


def test_what_is_left_is_said_with_the_reason(tmp_path) -> None:
    tokenizer, discriminator = trained()
    _lightning(tokenizer.state_dict(), discriminator.state_dict(), tmp_path / "last.ckpt")
    changes = {"discriminator.ch": 16}
    assert describe(opened(tmp_path / "last.ckpt", **changes), tmp_path / "last.ckpt") == (
        f"starts from {tmp_path / 'last.ckpt'}\n"
        f"  takes the tokenizer ({len(tokenizer.state_dict())} tensors)\n"
        "  leaves loss.* (1 tensors): raysweep makes its losses itself\n"
        "  leaves epoch, global_step, callbacks: of a training run that is over\n"
        "  leaves the discriminator: the file has main.0.weight [8, 3, 4, 4] where the model has "
        "[16, 3, 4, 4], main.0.bias [8] where the model has [16] and 7 more; it starts from random weights"
    )


MISFITS = [
    ({"model.ch": 16}, ["encoder.conv_in.weight [8, 3, 3, 3]", "[16, 3, 3, 3]", "more"]),
    ({"model.num_res_blocks": 2}, ["lacks encoder.down.0.block.1.norm1.weight", "more"]),
    ({"model.attn_resolutions": []}, ["has beside it encoder.down.2.attn.0.norm.weight"]),
    (
        {"model.quantizer.codebook_size": 64},
        ["has quantize.embedding.weight [32, 8] where the model has [64, 8]"],
    ),
]


@pytest.mark.parametrize(("changes", "pieces"), MISFITS, ids=lambda value: str(value)[:40])
def test_another_architecture_is_refused_by_its_first_differences(changes, pieces, tmp_path):
    torch.save(trained()[0].state_dict(), tmp_path / "bare.pt")
    with pytest.raises(ConfigError, match="must fit the model") as refusal:
        opened(tmp_path / "bare.pt", **changes)
    message = str(refusal.value)
    assert [piece for piece in pieces if piece not in message] == []
    assert "\n" not in message


@pytest.mark.parametrize(
    "tree", [{}, [torch.ones(1)], {"state_dict": {"loss.a": torch.ones(1)}}, {"model": 3}]
)
def test_a_file_without_a_model_is_refused(tree, tmp_path) -> None:
    torch.save(tree, tmp_path / "none.pt")
    with pytest.raises(ConfigError, match=r"none\.pt holds none"):
        opened(tmp_path / "none.pt")


def test_a_codebook_trained_by_gradient_goes_on_as_a_moving_average(tmp_path) -> None:
    torch.save(trained()[0].state_dict(), tmp_path / "bare.pt")
    start = opened(tmp_path / "bare.pt", **{"model.quantizer": EMA})
    book = start.tokenizer["quantize.embedding.weight"]
    assert torch.equal(start.tokenizer["quantize.embedding.embed_avg"], book)
    assert torch.equal(start.tokenizer["quantize.embedding.cluster_size"], torch.ones(32))
    assert start.tokenizer["quantize.updates"] > 1000


def test_a_moving_average_codebook_goes_on_by_gradient(tmp_path) -> None:
    tokenizer, _ = trained(**{"model.quantizer": EMA})
    torch.save(tokenizer.state_dict(), tmp_path / "bare.pt")
    start = opened(tmp_path / "bare.pt")
    assert_same(
        {"weight": start.tokenizer["quantize.embedding.weight"]},
        {"weight": tokenizer.state_dict()["quantize.embedding.weight"]},
    )
    assert "the chosen quantizer keeps no averages" in start.left.values()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_blue_first_frames_takes_red_first_ones(family, tmp_path) -> None:
    changes = {"model": FAMILIES[family]}
    blue, blue_disc = (network.eval() for network in trained(**changes))
    _lightning(blue.state_dict(), blue_disc.state_dict(), tmp_path / "bgr.ckpt")
    start = opened(tmp_path / "bgr.ckpt", **changes, **{"model.checkpoint_bgr": True})
    red, red_disc = (network.eval() for network in trained(**changes))
    red.load_state_dict(start.tokenizer)
    red_disc.load_state_dict(start.discriminator)
    with torch.no_grad():
        decoded, wanted = red(frames(2)), blue(frames(2).flip(1))
        torch.testing.assert_close(red_disc(frames(2)), blue_disc(frames(2).flip(1)))
    torch.testing.assert_close(decoded.frames_NCHW, wanted.frames_NCHW.flip(1))
    for ours, theirs in zip(decoded.codes, wanted.codes, strict=True):
        assert (ours == theirs).float().mean() > 0.9  # a new codebook holds vectors twice: ties


@pytest.fixture
def earlier(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of the earlier system, with the state of optimizers that made two steps."""

    def write(*networks: nn.Module) -> Path:
        saved = []
        for network in networks:
            optimizer = Adam(network.parameters())
            for parameter in network.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            optimizer.step()
            saved.append(optimizer.state_dict())
        tokenizer, discriminator = networks
        state = tokenizer.state_dict() | below("loss.discriminator.", discriminator.state_dict())
        tree = {"steps": 2, "state_dict": state, "optimizer": saved[0], "optimizer_disc": saved[1]}
        torch.save({**tree, "scheduler": {"last_epoch": 2}}, tmp_path / "step2.pth.tar")
        return tmp_path / "step2.pth.tar"

    return write


def test_the_earlier_systems_optimizers_go_on(earlier) -> None:
    path = earlier(*trained())
    start = opened(path)
    parts = tiny_parts({"model.checkpoint": path})
    for moments, network, optimizer in (
        (start.moments, parts.state.tokenizer, parts.state.optimizer),
        (start.disc_moments, parts.state.discriminator, parts.state.disc_optimizer),
    ):
        for name, parameter in network.named_parameters():
            assert optimizer.state[parameter]["step"] == moments[name]["step"] == 2
            assert torch.equal(optimizer.state[parameter]["exp_avg"], moments[name]["exp_avg"])
    assert optimizer.param_groups[0]["lr"] == tiny_run().training.learning_rate
    assert list(start.left) == ["steps, scheduler"]


def test_an_optimizers_averages_change_channels_with_their_parameters(earlier) -> None:
    tokenizer, discriminator = trained()
    path = earlier(tokenizer, discriminator)
    saved = torch.load(path)
    saved["optimizer"]["state"][0]["exp_avg"] += torch.arange(3.0).view(1, 3, 1, 1)
    torch.save(saved, path)
    plain, swapped = opened(path), opened(path, **{"model.checkpoint_bgr": True})
    name = "encoder.conv_in.weight"
    for part in ("exp_avg", "exp_avg_sq"):
        assert torch.equal(swapped.moments[name][part], plain.moments[name][part].flip(1))
    assert torch.equal(swapped.moments[name]["step"], plain.moments[name]["step"])


def test_an_optimizer_of_other_parameters_is_left(earlier) -> None:
    path = earlier(*trained())
    saved = torch.load(path)
    saved["optimizer"]["param_groups"][0]["params"].pop()
    saved["optimizer_disc"]["state"][0]["exp_avg"] = torch.ones(3)
    torch.save(saved, path)
    start = opened(path)
    assert (start.moments, start.disc_moments) == ({}, {})
    assert {"the optimizer's state", "the discriminator's optimizer's state"} <= start.left.keys()


def test_unused_codes_that_exploded_leave_the_choice_among_the_others_exact() -> None:
    """Published moving-average codebooks hold them at 1e5 times the distance of the codes in use."""
    torch.manual_seed(0)
    vectors, book = torch.randn(200, 8), torch.randn(32, 8)
    book[::2] = 2e5 * torch.randn(16, 8).abs()
    distances = torch.cdist(vectors.double(), book.double())
    assert torch.equal(nearest(vectors, book), distances.argmin(1))
