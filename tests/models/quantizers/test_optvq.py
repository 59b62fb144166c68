"""OptVQ against its formulas, restated in numpy, and what the transport is for."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from raysweep.models.quantizers import OptVQConfig
from raysweep.models.quantizers.optvq import sinkhorn
from tests.models.quantizers.latents import D, K, latent, nearest_of, vectors


def _built(**settings):
    torch.manual_seed(0)
    return OptVQConfig(codebook_size=K, embedding_dim=D, **settings).build()


def _codebook(quantizer) -> NDArray[np.float64]:
    return quantizer.proj(quantizer.embedding.weight).detach().double().numpy()


def _assigned(z: NDArray[np.float64], book: NDArray[np.float64]) -> NDArray[np.int64]:
    """The paper's algorithm 1 on standardized distances; codes by rows, vectors by columns.

    With the public code's small numbers, which count: a far code's sum is no larger.
    """
    cost = np.sqrt(np.square(z[:, None] - book[None]).sum(-1))
    cost = (cost - cost.mean()) / (cost.std(ddof=1) + 1e-6)
    plan = np.exp(-10 * (cost - cost.min())).T
    plan /= plan.sum() + 1e-8
    for _ in range(5):
        plan = plan / (plan.sum(1, keepdims=True) + 1e-8) / plan.shape[0]
        plan = plan / (plan.sum(0, keepdims=True) + 1e-8) / plan.shape[1]
    return plan.argmax(0)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_training_transports_and_inference_takes_the_nearest(heads) -> None:
    quantizer = _built(heads=heads)
    rows = vectors(latent()).reshape(-1, D // heads)
    book = _codebook(quantizer)
    for training, wanted in ((True, _assigned(rows, book)), (False, nearest_of(rows, book))):
        quantized = quantizer.train(training)(latent())
        maps = torch.stack(quantized.codes, -1)  # a row for each head of a vector, head after head
        assert maps.flatten().tolist() == wanted.tolist()
        error = np.square(book[wanted] - rows).mean()
        assert quantized.loss.item() == pytest.approx(1.25 * error, rel=1e-5)


def test_cross_entropy_is_of_the_assignment_under_softmax_of_the_distances() -> None:
    quantizer = _built(loss="ce")
    rows, book = vectors(latent()), _codebook(quantizer)
    quantized = quantizer(latent())
    distance = np.sqrt(np.square(rows[:, None] - book[None]).sum(-1))
    chosen = distance[np.arange(len(rows)), quantized.codes[0].flatten().numpy()]
    wanted = (chosen + np.log(np.exp(-distance).sum(1))).mean()
    assert quantized.loss.item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(("mode", "scale"), [("dim", D**-0.5), ("null", 1.0)])
def test_the_cost_is_scaled_as_asked(mode, scale) -> None:
    quantizer = _built(normalize=mode, iterations=20, epsilon=1.0)
    rows, book = vectors(latent()), _codebook(quantizer)
    distance = np.sqrt(np.square(rows[:, None] - book[None]).sum(-1))
    plan = sinkhorn(torch.from_numpy(distance * scale), epsilon=1.0, iterations=20)
    assert quantizer(latent()).codes[0].flatten().tolist() == plan.argmax(1).tolist()


def test_all_vectors_are_shared_out_and_all_codes_get_as_many() -> None:
    plan = sinkhorn(torch.rand(60, K), epsilon=3.0, iterations=200)
    torch.testing.assert_close(plan.sum(1), torch.ones(60))
    torch.testing.assert_close(plan.sum(0), torch.full((K,), 60 / K), rtol=1e-3, atol=0)


@pytest.mark.parametrize("use_prob", [False, True])
def test_codes_far_from_all_vectors_are_used_all_the_same(use_prob) -> None:
    quantizer = _built(use_proj=False, use_prob=use_prob)
    quantizer.embedding.weight.data[1:] += 3
    assert len(quantizer.eval()(latent()).codes[0].unique()) < K / 2
    assert len(quantizer.train()(latent()).codes[0].unique()) > K / 2


def test_codes_depend_on_the_batch_where_they_must_be_exact_and_nowhere_else() -> None:
    differs = {}
    for exact in (False, True):
        quantizer = _built(exact=exact).eval()
        alone = torch.cat([quantizer(frame[None]).codes[0] for frame in latent()])
        differs[exact] = not torch.equal(quantizer(latent()).codes[0], alone)
    assert differs == {False: False, True: True}


def test_a_draw_follows_the_shares() -> None:
    quantizer = _built(use_prob=True, epsilon=1.0)
    drawn = torch.stack([quantizer(latent()).codes[0].flatten() for _ in range(400)])
    with torch.no_grad():
        codebook = quantizer.proj(quantizer.embedding.weight)
        distance = torch.cdist(torch.from_numpy(vectors(latent())).float(), codebook)
        cost = (distance - distance.mean()) / distance.std()
        shares = sinkhorn(cost - cost.min(), 1.0, 5)
    frequency = torch.stack([(drawn == k).float().mean(0) for k in range(K)], 1)
    torch.testing.assert_close(frequency, shares, atol=0.12, rtol=0)
    torch.manual_seed(3)
    first = quantizer(latent()).codes[0]
    torch.manual_seed(3)
    assert torch.equal(quantizer(latent()).codes[0], first)


def test_the_keys_are_the_published_ones() -> None:
    assert set(_built().state_dict()) == {"embedding.weight", "proj.weight", "proj.bias"}
    assert set(_built(use_proj=False).state_dict()) == {"embedding.weight"}
    assert _built(heads=2).embedding.weight.shape == (K, D // 2)
