"""How one trial runs: `cluster.trainable` chooses. Each takes (Job, Footage) inside a Tune trial."""

from raysweep.cluster.job import Trainable
from trainables.distributed import distributed
from trainables.single import single

TRAINABLES: dict[str, Trainable] = {"distributed": distributed, "single": single}
