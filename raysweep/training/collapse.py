"""A codebook of which little is used, and what to try then."""

from raysweep.tracking import Tracker
from raysweep.training import TrainingConfig
from raysweep.training.state import TrainState

REMEDIES = (
    "Try a smaller model.quantizer.codebook_size, a larger commitment weight (model.quantizer.beta), "
    "or model.quantizer.kind ema, which revives codes that nothing chooses."
)


def watch_usage(state: TrainState, usage: float, config: TrainingConfig, tracker: Tracker) -> None:
    """Counts validations in a row with `usage` (a share of the codes) under the threshold, and says so once."""
    state.collapsed = state.collapsed + 1 if usage < config.collapse_usage else 0
    if state.collapsed == config.collapse_validations:
        tracker.note(
            state.step,
            f"collapse: {usage:.1%} of the codes are in use, under {config.collapse_usage:.0%} "
            f"for {state.collapsed} validations. {REMEDIES}",
        )
