"""Each quantizer against the formulas it cites, restated in numpy."""

import numpy as np
import pytest
import torch
from einops import rearrange
from numpy.typing import NDArray

from raysweep.models.quantizers import EMAConfig, GradientConfig, perplexity
from raysweep.models.quantizers.base import nearest

K, D = 12, 5


def _latent(seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    return torch.randn(3, D, 4, 4, generator=torch.Generator().manual_seed(seed)) * spread


def _vectors(latent: torch.Tensor) -> NDArray[np.float64]:
    return rearrange(latent.detach(), "n d h w -> (n h w) d").double().numpy()


def _nearest(vectors: NDArray[np.float64], book: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.square(vectors[:, None] - book[None]).sum(-1).argmin(1)


def test_nearest_is_by_squared_distance() -> None:
    vectors, book = torch.randn(50, D), torch.randn(K, D)
    wanted = _nearest(vectors.double().numpy(), book.double().numpy())
    assert nearest(vectors, book).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0, 0, 0], 1.0), ([0, 1, 2, 3], 4.0), ([0, 0, 1, 1], 2.0)]
)
def test_perplexity(codes, expected) -> None:
    assert perplexity([torch.tensor(codes)], [8]).item() == pytest.approx(expected)


# --- gradient


@pytest.mark.parametrize("legacy", [True, False])
def test_gradient_loss_is_the_formula_and_moves_each_side_by_its_own_weight(legacy) -> None:
    torch.manual_seed(0)
    config = GradientConfig(codebook_size=K, embedding_dim=D, beta=0.3, legacy_beta=legacy)
    quantizer = config.build()
    latent = _latent(spread=0.1).requires_grad_()
    quantized = quantizer(latent)
    book = quantizer.embedding.weight
    z, e = _vectors(latent), book.detach().double().numpy()
    codes = _nearest(z, e)
    error = e[codes] - z
    commitment, codebook = (1.0, 0.3) if legacy else (0.3, 1.0)
    assert quantized.codes[0].flatten().tolist() == codes.tolist()
    wanted = (commitment + codebook) * np.square(error).mean()
    assert quantized.loss.item() == pytest.approx(wanted, rel=1e-5)

    to_latent, to_book = torch.autograd.grad(quantized.loss, [latent, book])
    np.testing.assert_allclose(_vectors(to_latent), -2 * commitment * error / error.size, atol=1e-8)
    per_code = np.zeros_like(e)
    np.add.at(per_code, codes, 2 * codebook * error / error.size)
    np.testing.assert_allclose(to_book.numpy(), per_code, atol=1e-7)


def test_gradient_codebook_starts_uniform_within_one_over_k() -> None:
    book = GradientConfig(codebook_size=K, embedding_dim=500).build().embedding.weight
    assert book.abs().max() <= 1 / K
    assert book.std().item() == pytest.approx(1 / K / 3**0.5, rel=0.05)


@pytest.mark.parametrize("config", [GradientConfig, EMAConfig])
def test_the_latent_is_the_codebook_vector_with_a_straight_gradient(config) -> None:
    quantizer = config(codebook_size=K, embedding_dim=D).build()
    latent = _latent().requires_grad_()
    quantized = quantizer.train()(latent)
    quantizer.eval()
    again = quantizer(latent)
    torch.testing.assert_close(again.latent_NDhw, quantizer.vectors(again.codes))
    (gradient,) = torch.autograd.grad((quantized.latent_NDhw * _latent(1)).sum(), latent)
    torch.testing.assert_close(gradient, _latent(1))


# --- ema


def _distance_to_vectors(book: torch.Tensor) -> torch.Tensor:
    """Of each codebook vector to the nearest latent vector of the first batch."""
    vectors = torch.from_numpy(_vectors(_latent())).float()
    return (book[:, None] - vectors[None]).norm(dim=-1).min(1).values


def _restated(
    book: NDArray[np.float64], batches: list[torch.Tensor], decay: float, eps: float
) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    """van den Oord et al. 2017, eqs. 6 to 8, with Laplace smoothing -> codebook, codes of each batch."""
    size, average, seen = np.ones(K), book.copy(), []
    for batch in batches:
        z = _vectors(batch)
        codes = _nearest(z, book)
        seen.append(codes)
        for k in range(K):
            size[k] = decay * size[k] + (1 - decay) * (codes == k).sum()
            average[k] = decay * average[k] + (1 - decay) * z[codes == k].sum(0)
        n = size.sum()
        book = average / ((size + eps) / (n + K * eps) * n)[:, None]
    return book, seen


def test_ema_is_the_published_update() -> None:
    torch.manual_seed(0)
    config = EMAConfig(
        codebook_size=K, embedding_dim=D, start="normal", revive_below=0, decay=0.9, beta=0.4
    )
    quantizer = config.build()
    batches = [_latent(seed) for seed in range(5)]
    start = quantizer.embedding.weight.double().numpy().copy()
    book, codes = _restated(start, batches, 0.9, config.eps)
    for batch, wanted in zip(batches, codes, strict=True):
        before = quantizer.embedding.weight.clone()
        quantized = quantizer(batch)
        assert quantized.codes[0].flatten().tolist() == wanted.tolist()
        chosen = before[quantized.codes[0].flatten()]  # of the codebook before the update
        error = chosen.double().numpy() - _vectors(batch)
        assert quantized.loss.item() == pytest.approx(0.4 * np.square(error).mean(), rel=1e-5)
    np.testing.assert_allclose(quantizer.embedding.weight.numpy(), book, atol=1e-5)
    assert quantizer.updates == 5


def test_ema_state_is_in_buffers_alone() -> None:
    quantizer = EMAConfig(codebook_size=K, embedding_dim=D).build()
    assert not list(quantizer.parameters())
    statistics = {f"embedding.{name}" for name in ("weight", "cluster_size", "embed_avg")}
    assert set(quantizer.state_dict()) == {*statistics, "updates"}


@pytest.mark.parametrize("codes", [K, 100], ids=["fewer codes than vectors", "more"])
def test_ema_starts_on_vectors_of_the_first_batch(codes) -> None:
    config = EMAConfig(codebook_size=codes, embedding_dim=D, decay=0.999999, revive_below=0)
    quantizer = config.build()
    quantizer(_latent())
    assert _distance_to_vectors(quantizer.embedding.weight).max() < 1e-4


def test_ema_moves_dead_codes_onto_vectors_and_leaves_those_in_use() -> None:
    torch.manual_seed(0)
    quantizer = EMAConfig(codebook_size=K, embedding_dim=D, start="normal").build()
    quantizer.embedding.weight[:4] += 1000  # nothing will ever choose them
    kept = EMAConfig(codebook_size=K, embedding_dim=D, start="normal", revive_below=0).build()
    kept.load_state_dict(quantizer.state_dict())
    codes = quantizer(_latent()).codes[0]
    kept(_latent())
    counts = torch.bincount(codes.flatten(), minlength=K)
    book, dead = quantizer.embedding, counts == 0
    assert dead[:4].all()
    assert _distance_to_vectors(book.weight[dead]).max() == 0
    assert torch.equal(book.cluster_size[dead], torch.ones(int(dead.sum())))
    assert torch.equal(book.embed_avg[dead], book.weight[dead])
    assert torch.equal(book.weight[~dead], kept.embedding.weight[~dead])


def test_ema_keeps_more_codes_in_use_than_the_published_start() -> None:
    used = {}
    for name, settings in {"published": {"start": "normal", "revive_below": 0}, "ours": {}}.items():
        torch.manual_seed(0)
        quantizer = EMAConfig(codebook_size=40, embedding_dim=D, **settings).build()
        for seed in range(20):
            codes = quantizer(_latent(seed, spread=0.1) + 2).codes[0]
        used[name] = len(codes.unique())
    assert used["ours"] > 2 * used["published"]


@pytest.mark.parametrize("config", [GradientConfig, EMAConfig])
def test_quantizes_in_float32_whatever_the_autocast(config) -> None:
    torch.manual_seed(0)
    quantizer = config(codebook_size=K, embedding_dim=D).build().eval()
    plain = quantizer(_latent())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = quantizer(_latent())
    assert torch.equal(within.codes[0], plain.codes[0])
    assert within.loss == plain.loss
