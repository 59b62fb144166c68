"""Who proposes, by name, and what each of them can do."""

from typing import Literal

from pydantic import Field

from raysweep.errors import ConfigError
from raysweep.schema import Config


class SamplerConfig(Config):
    kind: Literal["auto", "multifidelity", "tpe", "random", "grid", "gp", "nsga2", "cmaes"] = "auto"
    """`auto`: multifidelity for one value without constraints, tpe otherwise. `multifidelity`: a Gaussian process over
    settings and steps, which learns from trials that were stopped or still run what they would have come to (see
    multifidelity.py); `tpe`: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", which learns from
    trials that were stopped how they stood then; `gp`: a Gaussian process with expected improvement (Jones et al. 1998); `nsga2`: Deb et al.
    2002, for several goals and many trials; `cmaes`: Hansen 2016, "The CMA Evolution Strategy: A Tutorial", for
    numbers and one goal; `random`: no model at all; `grid`: all settings of a discrete space, in random order.
    What `gp` and `cmaes` have no model for, `tpe` proposes."""
    startup_trials: int = Field(default=8, ge=1)
    """Random proposals before the first modelled one (tpe, gp, cmaes); trials that must have a score before it
    (multifidelity)."""
    population: int = Field(default=16, ge=2)
    """Finished trials of a generation (nsga2); those of the first are random."""

    def chosen(self, values: int, is_constrained: bool) -> "SamplerConfig":
        """What `auto` is for scores of so many values; ConfigError where a kind cannot rank by so many."""
        if self.kind == "auto":
            is_simple = values == 1 and not is_constrained
            return self.model_copy(update={"kind": "multifidelity" if is_simple else "tpe"})
        if values > 1 and self.kind in ("multifidelity", "cmaes"):
            raise ConfigError(
                f"sampler.kind {self.kind} ranks trials by one value, and the objective has {values}. "
                "Set sampler.kind to tpe, gp, nsga2, random or grid, or weigh the goals into one."
            )
        return self

    @property
    def attempts(self) -> int:
        """Draws that may come out as settings which ran before; then such are taken that did not."""
        return 0 if self.kind == "grid" else 5

    @property
    def remembers(self) -> bool:
        """Whether it notes something down with a trial that it proposes, and not only looks at the ended ones."""
        return self.kind in ("nsga2", "cmaes")

    @property
    def heeds_constraints(self) -> bool:
        return self.kind not in ("multifidelity", "cmaes")
