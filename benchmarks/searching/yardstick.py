"""What a world's search is measured against: its optimum, and what a random trial comes to."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from searching.curves import World
from searching.space import Draw, Neighbour, Settings

DRAWS, CLIMBS, MOVES = 4000, 8, 500


class Yardstick(NamedTuple):
    """Noise-free final scores, higher is better."""

    median: float
    """Of random trials."""
    optimum: float

    def closed(self, score: float) -> float:
        """Share of the gap between the two."""
        return (score - self.median) / (self.optimum - self.median)


@lru_cache(maxsize=8)
def yardstick(world: World) -> Yardstick:
    """By random draws, and climbs from the best of them."""
    random = np.random.default_rng([world.seed, 1])
    drawn = [(world.final(settings), settings) for settings in _draws(world, random)]
    drawn.sort(key=lambda pair: -pair[0])
    best = max(_climbed(world, *pair, random) for pair in drawn[:CLIMBS])
    return Yardstick(float(np.median([score for score, _ in drawn])), best)


def _draws(world: World, random: np.random.Generator) -> list[Settings]:
    draws = [Draw(random) for _ in range(DRAWS)]
    for draw in draws:
        world.kind.space(draw)
    return [draw.settings for draw in draws]


def _climbed(world: World, score: float, settings: Settings, random: np.random.Generator) -> float:
    """Takes any neighbour that is better; steps become smaller and smaller, from a tenth of the ranges."""
    for move in range(MOVES):
        near = Neighbour(random, settings, 0.1 * 0.02 ** (move / MOVES))
        world.kind.space(near)
        if (found := world.final(near.settings)) > score:
            score, settings = found, near.settings
    return score
