"""A tokenizer in a few lines: what it weighs and what its codes cost."""

from raysweep.models.tokenizer import Tokenizer


def summarize(tokenizer: Tokenizer, resolution: int) -> str:
    """Parameters by part, tokens per frame and bits per pixel for square frames of `resolution` pixels."""
    rows = [
        (name, sum(parameter.numel() for parameter in part.parameters()))
        for name, part in tokenizer.named_children()
    ]
    rows.append(("total", sum(count for _, count in rows)))
    lines = [f"{name:<20}{count:>14,} parameters" for name, count in rows]
    lines.append(f"tokens per frame    {tokenizer.tokens_per_frame(resolution, resolution):>14,}")
    lines.append(f"bits per pixel      {tokenizer.bits_per_pixel(resolution, resolution):>14.4f}")
    return "\n".join(lines) + "\n"
