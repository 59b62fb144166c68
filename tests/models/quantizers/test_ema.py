"""The moving-average codebook: the published update, the start on data, and codes that do not die."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from raysweep.models.quantizers import EMAConfig
from raysweep.models.quantizers.ema import SETTLED
from tests.models.quantizers.latents import D, K, latent, nearest_of, vectors


def _distance_to_vectors(book: Tensor) -> Tensor:
    """Of each codebook vector to the nearest latent vector of the first batch."""
    rows = torch.from_numpy(vectors(latent())).float()
    return (book[:, None] - rows[None]).norm(dim=-1).min(1).values


def _restated(
    book: NDArray[np.float64], batches: list[Tensor], size: float, decay: float, eps: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """van den Oord et al. 2017, eqs. 6 to 8, with Laplace smoothing -> codes of each batch, codebook after it."""
    sizes, average = np.full(K, size), book.copy()
    for batch in batches:
        z = vectors(batch)
        codes = nearest_of(z, book)
        for k in range(K):
            sizes[k] = decay * sizes[k] + (1 - decay) * (codes == k).sum()
            average[k] = decay * average[k] + (1 - decay) * z[codes == k].sum(0)
        n = sizes.sum()
        book = average / ((sizes + eps) / (n + K * eps) * n)[:, None]
        yield codes, book


@pytest.mark.parametrize(("start", "size"), [("normal", 1.0), ("zeros", 0.0)])
def test_it_is_the_published_update(start, size) -> None:
    torch.manual_seed(0)
    config = EMAConfig(
        codebook_size=K, embedding_dim=D, start=start, revive_below=0, decay=0.9, beta=0.4
    )
    quantizer = config.build()
    batches = [latent(seed) for seed in range(5)]
    first = quantizer.embedding.weight.double().numpy().copy()
    wanted = _restated(first, batches, size, 0.9, config.eps)
    for batch, (codes, book) in zip(batches, wanted, strict=True):
        before = quantizer.embedding.weight.clone()
        quantized = quantizer(batch)
        assert quantized.codes[0].flatten().tolist() == codes.tolist()
        chosen = before[quantized.codes[0].flatten()]  # of the codebook before the update
        error = chosen.double().numpy() - vectors(batch)
        assert quantized.loss.item() == pytest.approx(0.4 * np.square(error).mean(), rel=1e-5)
        np.testing.assert_allclose(quantizer.embedding.weight.numpy(), book, rtol=2e-5, atol=1e-5)
    assert quantizer.updates == 5


def test_its_state_is_in_buffers_alone() -> None:
    quantizer = EMAConfig(codebook_size=K, embedding_dim=D).build()
    assert not list(quantizer.parameters())
    statistics = {f"embedding.{name}" for name in ("weight", "cluster_size", "embed_avg")}
    assert set(quantizer.state_dict()) == {*statistics, "updates"}


@pytest.mark.parametrize("codes", [K, 100], ids=["fewer codes than vectors", "more"])
def test_it_starts_on_vectors_of_the_first_batch(codes) -> None:
    quantizer = EMAConfig(codebook_size=codes, embedding_dim=D, revive_below=0).build()
    batch = latent()
    quantized = quantizer(batch)  # of the codebook before this step's update
    quantizer.embedding.weight[quantized.codes[0].unique()] = 0
    chosen = quantized.latent_NDhw
    assert _distance_to_vectors(torch.from_numpy(vectors(chosen)).float()).max() < 1e-5
    unused = quantizer.embedding.weight[quantizer.embedding.weight.any(1)]
    assert not len(unused) or _distance_to_vectors(unused).max() < 1e-4


def test_at_first_it_is_the_plain_mean_of_its_start_and_of_every_batch() -> None:
    quantizer = EMAConfig(codebook_size=1, embedding_dim=D).build()
    batches = [latent(seed) for seed in range(4)]
    start = vectors(quantizer(batches[0]).latent_NDhw)[0]
    for batch in batches[1:]:
        quantizer(batch)
    wanted = np.mean([start, *(vectors(batch).mean(0) for batch in batches)], 0)
    np.testing.assert_allclose(quantizer.embedding.weight[0].numpy(), wanted, atol=1e-5)


def test_a_published_checkpoint_goes_on_where_it_was() -> None:
    torch.manual_seed(0)
    config = EMAConfig(codebook_size=K, embedding_dim=D, revive_below=0)
    published, loaded = config.build(), config.build()
    state = published.state_dict()
    state.pop("updates")
    loaded.load_state_dict(state)
    assert loaded.updates == SETTLED
    loaded(latent())
    published.config = config.model_copy(update={"start": "normal"})
    published(latent())
    assert torch.equal(loaded.embedding.weight, published.embedding.weight)


def test_unused_codes_split_those_in_most_use_and_leave_the_others() -> None:
    torch.manual_seed(0)
    settings = {"codebook_size": K, "embedding_dim": D, "start": "normal"}
    revived, kept = (EMAConfig(**settings, revive_below=r).build() for r in (0.25, 0))
    book = revived.embedding
    book.weight[:4] += 1000  # nothing will ever choose them
    book.cluster_size[:4] = 0
    kept.load_state_dict(revived.state_dict())
    revived(latent())
    kept(latent())
    before = kept.embedding
    moved = (book.weight != before.weight).any(1)
    split = moved.clone()
    split[:4] = False
    assert moved[:4].sum() == split.sum() > 0
    assert (before.cluster_size[split] > before.cluster_size.mean()).all()
    assert book.cluster_size.sum().item() == pytest.approx(before.cluster_size.sum().item())
    assert sorted(book.cluster_size[:4][moved[:4]]) == sorted(before.cluster_size[split] / 2)
    pairs = (book.weight[:4][moved[:4]][:, None] - book.weight[split][None]).norm(dim=-1)
    middles = (book.weight[:4][moved[:4]][:, None] + book.weight[split][None]) / 2
    mates = pairs.argmin(1)
    torch.testing.assert_close(middles[range(len(mates)), mates], before.weight[split][mates])
    averages = book.weight * book.cluster_size[:, None]
    torch.testing.assert_close(book.embed_avg[moved], averages[moved])


def _used_of_a_cloud(seed: int, **settings) -> int:
    """Distinct codes over 32,768 fresh vectors, after 50 steps of 4096."""
    torch.manual_seed(seed)
    quantizer = EMAConfig(codebook_size=1024, embedding_dim=64, **settings).build()
    for _ in range(50):
        quantizer(torch.randn(4096, 64, 1, 1))
    return len(quantizer.eval()(torch.randn(32768, 64, 1, 1)).codes[0].unique())


@pytest.mark.parametrize("seed", range(5))
def test_a_cloud_in_many_dimensions_keeps_the_codes_in_use(seed) -> None:
    assert _used_of_a_cloud(seed) >= 900


def test_the_published_start_does_not() -> None:
    assert _used_of_a_cloud(0, start="zeros", revive_below=0) < 50


def test_where_no_code_is_unused_none_moves() -> None:
    """As many clusters as codes, each with its own: what is left is the published update."""
    centres = 10 * torch.eye(8)
    codebooks = []
    for revive_below in (0.25, 0):
        quantizer = EMAConfig(
            codebook_size=8, embedding_dim=8, start="normal", revive_below=revive_below
        ).build()
        quantizer.embedding.place(torch.arange(8), centres, torch.full((8,), 16.0))
        torch.manual_seed(0)
        for _ in range(20):
            quantizer(centres.repeat(16, 1)[:, :, None, None] + torch.randn(128, 8, 1, 1))
        codebooks.append(quantizer.embedding.weight)
    assert torch.equal(*codebooks)
