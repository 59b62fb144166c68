"""What a space tries of a setting, in a few words."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def told(distribution: BaseDistribution) -> str:
    """`0.05 to 1.5 (log)`, `1 to 3`, `0.2 to 0.8 by 0.1`, or `ema, fsq or lfq`."""
    if isinstance(distribution, CategoricalDistribution):
        *most, last = map(str, distribution.choices)
        return f"{', '.join(most)} or {last}" if most else last
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    step = distribution.step
    usual = 1 if isinstance(distribution, IntDistribution) else None
    by = "" if step == usual else f" by {step:g}"
    return (
        f"{distribution.low:g} to {distribution.high:g}{by}{' (log)' if distribution.log else ''}"
    )
