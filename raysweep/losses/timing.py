"""When the two sides of the GAN do what: functions of the step alone, so that a resumed run goes on exactly."""

from typing import NamedTuple


class GanTiming(NamedTuple):
    """Of one run; every method takes the step that is about to be made."""

    start: int | None
    """First step with a discriminator; None: there is none."""
    every: int
    """Steps from one update of the discriminator to the next."""
    joins: int
    """First step whose generator's loss has the discriminator's verdict in it."""
    ramp: int
    """Steps from `joins` over which its weight rises from zero; 0: none."""
    noise_ends: float
    """Step at which the noise on the discriminator's frames has gone."""
    r1_every: int | None
    """Updates of the discriminator from one R1 penalty to the next; None: there is none."""

    def judges(self, step: int) -> bool:
        """Whether the verdict is part of the generator's loss."""
        return self.start is not None and step >= self.joins

    def learns(self, step: int) -> bool:
        """Whether the discriminator is updated."""
        return self.start is not None and step >= self.start and not self._since(step) % self.every

    def penalized(self, step: int) -> bool:
        """Whether this update of the discriminator has the R1 penalty."""
        if self.r1_every is None or not self.learns(step):
            return False
        return self._since(step) // self.every % self.r1_every == 0

    def loudness(self, step: int) -> float:
        """Share of the full GAN weight, in [0, 1]."""
        return min(1.0, (step - self.joins) / self.ramp) if self.ramp else 1.0

    def noise_share(self, step: int) -> float:
        """Share of the full noise, in [0, 1]: linearly from 1 at step 0 to 0."""
        return max(0.0, 1.0 - step / self.noise_ends)

    def _since(self, step: int) -> int:
        assert self.start is not None
        return step - self.start
