"""What a person writes for `objective` and `constraints`, and what is no such thing."""

import pytest

from raysweep.config import SweepConfig
from raysweep.errors import ConfigError
from raysweep.schema import parse
from raysweep.search.asked import read_constraint, read_objective
from raysweep.search.objective import Constraint

OBJECTIVES = [
    ("psnr", (("psnr",), ())),
    (["val/psnr", "lpips"], (("val/psnr", "lpips"), ())),
    ({"psnr": 1, "lpips": 2.5}, (("psnr", "lpips"), (1.0, 2.5))),
    ({"psnr": "1e-3"}, (("psnr",), (0.001,))),  # as YAML reads it
]


@pytest.mark.parametrize(("written", "wanted"), OBJECTIVES, ids=str)
def test_an_objective(written, wanted):
    sweep = parse(SweepConfig, {"name": "x", "objective": written})
    assert read_objective(sweep.objective) == wanted
    assert parse(SweepConfig, sweep.model_dump(mode="json")) == sweep


@pytest.mark.parametrize("written", [3, None, [1], [["psnr"]], {"psnr": "much"}, {"psnr": [1]}])
def test_what_is_no_objective_is_refused_in_a_line(written):
    with pytest.raises(
        ConfigError, match=r"^objective: it must be a metric, .*\. Write psnr"
    ) as no:
        parse(SweepConfig, {"name": "x", "objective": written})
    assert "\n" not in str(no.value)


WRONG = [
    ("", "must name a metric, got ''"),
    ([], r"must name a metric, got \[\]"),
    ({}, "must name a metric"),
    ({"psnr": 1, "lpips": -20}, r"above 0, .*got lpips: -20\. Write 20\."),
    ({"psnr": 0}, r"got psnr: 0\. Leave the metric out"),
    ({"psnr": float("nan")}, "got psnr: nan"),
    ({"psnr": float("inf")}, "got psnr: inf"),
]


@pytest.mark.parametrize(("asked", "said"), WRONG, ids=str)
def test_no_metric_and_no_weight_above_zero_are_refused(asked, said):
    with pytest.raises(ConfigError, match=said):
        read_objective(asked)


CONSTRAINTS = [
    ("code_usage >= 0.5", Constraint("code_usage", 0.5, True)),
    ("val/bits_per_pixel<=0.1", Constraint("val/bits_per_pixel", 0.1, False)),
    ("  psnr  >=  -1e1 ", Constraint("psnr", -10.0, True)),
    ("perplexity/level0 >= 3", Constraint("perplexity/level0", 3.0, True)),
]


@pytest.mark.parametrize(("text", "constraint"), CONSTRAINTS)
def test_a_constraint(text, constraint):
    assert read_constraint(text) == constraint


@pytest.mark.parametrize(("text", "constraint"), CONSTRAINTS)
def test_a_constraint_reads_as_it_is_told(text, constraint):
    assert read_constraint(str(constraint)) == constraint


NO_CONSTRAINTS = [
    ("code_usage > 0.5", r"must be >= or <=, got '>' in .*Did you mean '>='"),
    ("code_usage =< 0.5", "Did you mean '<='"),
    ("code_usage=0.5", r"got '='.*Choose one of them"),
    ("code_usage != 0.5", r"got '!='"),
    ("code_usage >= half", "a number, got 'code_usage >= half'"),
    ("code_usage >= nan", "Write for example"),
    ("code_usage >=", "Write for example"),
    (">= 0.5", "Write for example"),
    ("0.5 <= code_usage <= 0.7", "Write for example"),
    ("code_usage 0.5", "Write for example"),
    ("", "Write for example"),
]


@pytest.mark.parametrize(("text", "said"), NO_CONSTRAINTS)
def test_what_is_no_constraint_is_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        read_constraint(text)
