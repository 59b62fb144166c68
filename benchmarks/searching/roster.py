"""The searches by name, and games of several on one world."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from searching.curves import World
from searching.ours import Ours
from searching.peers import PRUNERS, Pruned, Random, Stock
from searching.play import Method, Outcome, play

OURS, STOCK = "ours", "stock"
NAMES = ["random", STOCK, *PRUNERS, OURS]


class Table(NamedTuple):
    """Where a game is played."""

    kind: str
    workers: int
    budget: int
    """Steps."""


class Played(NamedTuple):
    method: str
    seed: int
    outcome: Outcome
    seconds: float
    """Of thinking, the simulation included."""


def games(
    table: Table, methods: Sequence[str], settings: Mapping[str, Any], seed: int
) -> list[Played]:
    """One of each method, on the same world; the seed is the world's and the method's."""
    world = World(table.kind, seed)
    return [_played(table, name, _method(name, settings), world) for name in methods]


def _method(name: str, settings: Mapping[str, Any]) -> Callable[[World, int], Method]:
    others = {"random": Random, STOCK: Stock, OURS: partial(Ours, settings=settings)}
    return others[name] if name in others else partial(Pruned, PRUNERS[name])


def _played(
    table: Table, name: str, method: Callable[[World, int], Method], world: World
) -> Played:
    start = time.perf_counter()
    outcome = play(method(world, world.seed), world, table.workers, table.budget)
    return Played(name, world.seed, outcome, time.perf_counter() - start)
