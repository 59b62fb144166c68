"""What every tokenizer promises, shown for every family with every quantizer."""

from math import log2
from pathlib import Path

import pytest
import torch
from torch.optim import Adam

from raysweep.errors import ConfigError
from raysweep.models import KINDS, ModelConfig, Tokenizer
from tests.models.pairs import FAMILIES, PAIRS, model_config
from tests.tiny import NO_EFFECT, frames

SIZES = [(32, 32), (32, 48), (64, 32)]


@pytest.fixture(params=PAIRS)
def config(request) -> ModelConfig:
    return model_config(request.param)


@pytest.fixture
def tokenizer(config) -> Tokenizer:
    """In eval mode after one step of training, so that statistics and starts have happened."""
    torch.manual_seed(0)
    tokenizer = config.build()
    tokenizer(frames(4))
    return tokenizer.eval()


def test_every_family_is_here() -> None:
    assert set(FAMILIES) == set(KINDS)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_gives_back_frames_of_the_size_it_took(tokenizer, height, width) -> None:
    decoded = tokenizer(torch.rand(2, 3, height, width) * 2 - 1)
    assert decoded.frames_NCHW.shape == (2, 3, height, width)
    shapes = [(2, height // f, width // f) for f in tokenizer.downsampling]
    assert [codes.shape for codes in decoded.codes] == shapes
    for scalar in (decoded.codebook_loss, decoded.commitment, decoded.perplexity):
        assert scalar.shape == ()


@torch.no_grad()
def test_codes_alone_decode_to_the_reconstruction(tokenizer) -> None:
    decoded = tokenizer(frames(3))
    again = tokenizer.decode_codes(tokenizer.encode(frames(3)).codes)
    torch.testing.assert_close(again, decoded.frames_NCHW, atol=1e-5, rtol=0)


@torch.no_grad()
def test_codes_are_ids_of_the_codebook(tokenizer) -> None:
    encoded = tokenizer.encode(frames(3))
    assert len(encoded.codes) == len(tokenizer.codebook_sizes)
    for codes, size in zip(encoded.codes, tokenizer.codebook_sizes, strict=True):
        assert codes.dtype == torch.int64
        assert codes.min() >= 0
        assert codes.max() < size


@torch.no_grad()
def test_a_frames_codes_do_not_depend_on_its_batch(tokenizer) -> None:
    together = tokenizer.encode(frames(4)).codes
    alone = [tokenizer.encode(frame[None]).codes for frame in frames(4)]
    for level, codes in enumerate(together):
        assert torch.equal(codes, torch.cat([one[level] for one in alone]))


def test_the_commitment_is_a_distance_that_pulls_at_nothing(tokenizer) -> None:
    encoded = tokenizer.encode(frames(3))
    assert encoded.commitment > 0
    assert not encoded.commitment.requires_grad
    assert torch.equal(tokenizer(frames(3)).commitment, encoded.commitment)


def test_gradients_reach_every_parameter(config) -> None:
    """After one step: a block that starts as the identity (ReZero) passes none to its inside before."""
    torch.manual_seed(0)
    tokenizer = config.build()
    optimizer = Adam(tokenizer.parameters())
    for _ in range(2):
        optimizer.step()
        optimizer.zero_grad()
        decoded = tokenizer(frames(4))
        (decoded.frames_NCHW.square().mean() + decoded.codebook_loss).backward()
    for name, parameter in tokenizer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert name.endswith(NO_EFFECT) or parameter.grad.any(), name


def test_an_evaluation_changes_nothing(tokenizer) -> None:
    before = {name: value.clone() for name, value in tokenizer.state_dict().items()}
    tokenizer(frames(4, seed=1))
    tokenizer.encode(frames(4, seed=1))
    for name, value in tokenizer.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_buffers_are_in_no_optimizer(tokenizer) -> None:
    optimizer = Adam(tokenizer.parameters())
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert not held & {id(buffer) for buffer in tokenizer.buffers()}


def test_saved_and_loaded_it_is_the_same(config, tokenizer, tmp_path: Path) -> None:
    torch.save(tokenizer.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(1)
    again = config.build().eval()
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(again(frames(2)).frames_NCHW, tokenizer(frames(2)).frames_NCHW)


def test_a_seed_makes_it(config) -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        tokenizer = config.build()
        made.append(tokenizer(frames(4)).frames_NCHW)
    assert torch.equal(*made)


def test_is_finite_under_bfloat16_autocast(config) -> None:
    torch.manual_seed(0)
    tokenizer = config.build()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        decoded = tokenizer(frames(4))
        loss = decoded.frames_NCHW.float().square().mean() + decoded.codebook_loss
    loss.backward()
    assert decoded.codebook_loss.dtype == torch.float32
    assert decoded.frames_NCHW.isfinite().all()
    assert all(p.grad.isfinite().all() for p in tokenizer.parameters())


def test_the_last_layer_makes_the_frames(tokenizer) -> None:
    decoded = tokenizer(frames(2))
    (gradient,) = torch.autograd.grad(decoded.frames_NCHW.sum(), tokenizer.last_layer)
    assert gradient.any()
    assert tokenizer.last_layer.shape[0] == 3


def test_refuses_a_frame_size_and_names_one_that_it_can_take(tokenizer) -> None:
    multiple = max(tokenizer.downsampling)
    with pytest.raises(ConfigError, match=f"multiples of {multiple} .* got {4 * multiple + 1}x"):
        tokenizer.check_size(4 * multiple + 1, 4 * multiple)
    for height, width in ((4 * multiple, 8 * multiple + 1), (4 * multiple - 1, 8 * multiple)):
        with pytest.raises(ConfigError, match=f"Use {4 * multiple}x{8 * multiple}"):
            tokenizer.check_size(height, width)
    tokenizer.check_size(4 * multiple, 8 * multiple)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_counts_the_tokens_and_bits_that_it_makes(tokenizer, height, width) -> None:
    codes = tokenizer.encode(torch.zeros(1, 3, height, width)).codes
    assert tokenizer.tokens_per_frame(height, width) == sum(level.numel() for level in codes)
    sizes = tokenizer.codebook_sizes
    bits = sum(level.numel() * log2(k) for level, k in zip(codes, sizes, strict=True))
    assert tokenizer.bits_per_pixel(height, width) == pytest.approx(bits / (height * width))


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_codes_become_flat_tokens_and_codes_again(tokenizer, height, width) -> None:
    codes = tokenizer.encode(torch.rand(2, 3, height, width) * 2 - 1).codes
    tokens = tokenizer.flatten(codes)
    assert tokens.shape == (2, tokenizer.tokens_per_frame(height, width))
    again = tokenizer.unflatten(tokens, height, width)
    assert all(torch.equal(a, b) for a, b in zip(again, codes, strict=True))
    with pytest.raises(ConfigError, match=f"has {tokens.shape[1]} tokens in this model, got 1"):
        tokenizer.unflatten(tokens[:, :1], height, width)
