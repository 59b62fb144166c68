"""YAML spaces: the same questions as their Python twins, and every mistake named in one line."""

import optuna
import pytest

from raysweep.config import SweepConfig
from raysweep.errors import ConfigError
from raysweep.experiment.draws import check_space, tried
from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.space_file import parse_space
from raysweep.search.study import SamplerConfig, Study
from search_spaces import smoke

TEXT = """
question: Which quantizer, and how?
base: {data: {resolution: 64}}
sweep: {budget: {trials: 7}}
space:
  training.schedule: cosine
  seed: 3
  model.quantizer.kind: {values: [ema, fsq, residual]}
  model.quantizer.codebook_size: {values: [64, 256]}
  model.quantizer.decay: {min: 0.9, max: 0.99, step: 0.01, when: {model.quantizer.kind: [ema, residual]}}
  model.quantizer.stages: {min: 2, max: 4, when: {model.quantizer.kind: residual}}
  model.quantizer.beta: {min: 0.1, max: 1, when: {model.quantizer.stages: [3, 4]}}
  training.learning_rate: {min: 1e-5, max: 1e-2, log: true}
  loss.disc_every: {min: 1, max: 9, step: 2}
  data.batch_size: {min: 1, max: 64, log: true}
  training.channels_last: {values: [true, false]}
"""


def twin(trial: optuna.Trial):
    kind = trial.suggest_categorical("model.quantizer.kind", ["ema", "fsq", "residual"])
    trial.suggest_categorical("model.quantizer.codebook_size", [64, 256])
    if kind in ("ema", "residual"):
        trial.suggest_float("model.quantizer.decay", 0.9, 0.99, step=0.01)
    if kind == "residual":
        stages = trial.suggest_int("model.quantizer.stages", 2, 4)
        if stages in (3, 4):
            trial.suggest_float("model.quantizer.beta", 0.1, 1)
    trial.suggest_float("training.learning_rate", 1e-5, 1e-2, log=True)
    trial.suggest_int("loss.disc_every", 1, 9, step=2)
    trial.suggest_int("data.batch_size", 1, 64, log=True)
    trial.suggest_categorical("training.channels_last", [True, False])
    return {"training.schedule": "cosine", "seed": 3}


def proposals(space, kind: str, pinned=None) -> list:
    study, made = Study(space, SamplerConfig(kind=kind, startup_trials=4), 7, pinned), []
    for number in range(16):
        made.append(study.propose(number))
        study.report(number, 5, Score((made[-1][0]["training.learning_rate"],)))
        study.tell(number, "complete")
    return made


@pytest.mark.parametrize("kind", ["random", "tpe"])
@pytest.mark.parametrize(
    "pinned", [{}, {"model.quantizer.kind": "residual", "model.quantizer.stages": 2, "seed": 5}]
)
def test_it_suggests_what_its_python_twin_suggests(kind, pinned):
    made = proposals(parse_space(TEXT, "a.yaml"), kind, pinned)
    assert made == proposals(twin, kind, pinned)
    assert {type(settings["loss.disc_every"]) for _, settings in made} == {int}
    assert {type(settings["training.learning_rate"]) for _, settings in made} == {float}


def test_what_stands_beside_the_space_is_read_too():
    space = parse_space(TEXT, "a.yaml")
    assert space.question == "Which quantizer, and how?"
    assert space.base == {"data": {"resolution": 64}}
    assert space.sweep == {"budget": {"trials": 7}}
    assert space.fixed == {"training.schedule": "cosine", "seed": 3}


def test_what_it_tries_is_told():
    sweep = parse(SweepConfig, {"name": "x", "base": smoke.BASE})
    told = tried(check_space(sweep, parse_space(TEXT, "a.yaml")))
    assert told["model.quantizer.kind"] == "searched, ema, fsq or residual"
    assert told["model.quantizer.decay"] == "searched, 0.9 to 0.99 by 0.01, in some trials"
    assert told["training.learning_rate"] == "searched, 1e-05 to 0.01 (log)"
    assert told["training.schedule"] == "set to cosine"


KIND = "model.quantizer.kind: {values: [ema, fsq]}"
# lines of the section `space` -> pieces that the one line about them has
MISTAKES = [
    ("a.b: {min: 3, max: 1}", ["space.a.b", "min must be at most max", "3 and 1", "Swap"]),
    ("a.b: {min: 0, max: 1, log: true}", ["space.a.b", "log needs min above 0", "0"]),
    ("a.b: {min: 0.1, max: 1, step: 0.1, log: true}", ["log and step", "Remove one"]),
    ("a.b: {min: 0.1, max: 1, step: 0}", ["space.a.b", "step", "greater than 0"]),
    ("a.b: {min: 0.1, max: 1, step: 0.4}", ["whole steps", "Set max to 0.9"]),
    ("a.b: {min: 1, max: 8, step: 3}", ["whole steps", "Set max to 7"]),
    ("a.b: {min: 1}", ["space.a.b", "takes values, or min and max"]),
    ("a.b: {}", ["space.a.b", "takes values, or min and max"]),
    ("a.b: {min: one, max: 2}", ["space.a.b", "min", "one"]),
    ("a.b: {min: .nan, max: 2}", ["space.a.b", "min", "finite"]),
    ("a.b: {min: true, max: 2}", ["space.a.b", "min", "True"]),
    ("a.b: {values: []}", ["space.a.b", "values", "at least 1"]),
    ("a.b: {values: 3}", ["space.a.b", "values", "list"]),
    ("a.b: {values: [1], max: 3}", ["space.a.b", "values and max", "Remove one"]),
    ("a.b: {vales: [1]}", ["space.a.b", "'vales'", "did you mean 'values'?"]),
    ("a.b: {min: 1, mx: 2}", ["'mx'", "did you mean 'max'?"]),
    ("a.b: [1, 2]", ["space.a.b", "Write {values: [1, 2]}"]),
    (
        "a.b: {values: [1], when: {model.quantzer.kind: ema}}",
        ["Did you mean 'model.quantizer.kind'"],
    ),
    (
        "a.b: {values: [1], when: {c: 1}}\n  c: {values: [1]}",
        ["'c' is fixed or stands further down"],
    ),
    ("c: 1\n  a.b: {values: [1], when: {c: 1}}", ["'c' is fixed or stands further down"]),
    ("a.b: {values: [1], when: {model.quantizer.kind: emma}}", ["'emma'", "Did you mean 'ema'?"]),
    ("a.b: {values: [1], when: {model.quantizer.kind: [ema, 3]}}", ["3, which it never is"]),
    ("a.b: {values: [1], when: {model.quantizer.kind: []}}", ["empty list", "Name one"]),
    ("c: {min: 1, max: 3}\n  a.b: {values: [1], when: {c: 4}}", ["space.a.b", "c to be 4"]),
    ("a.b: {values: [1]}\n  a.b: {values: [2]}", ["a.b stands twice"]),
    ("a.b: {values: [1", ["no YAML"]),
]


@pytest.mark.parametrize(("lines", "pieces"), MISTAKES)
def test_a_mistake_is_named_with_file_path_and_remedy(lines, pieces):
    with pytest.raises(ConfigError) as error:
        parse_space(f"question: What?\nspace:\n  {KIND}\n  {lines}\n", "my/space.yaml")
    assert str(error.value).startswith("search space my/space.yaml")
    assert [piece for piece in pieces if piece not in str(error.value)] == []


# a whole file -> pieces of the line
FILES = [
    ("", ["question and space", "NoneType"]),
    ("- 1", ["question and space", "list"]),
    ("question: What?", ["space: Field required"]),
    ("question: What?\nspace: {}", ["space", "at least 1"]),
    ("space: {a: 1}", ["question: Field required"]),
    ("question: What?\nspaces: {a: 1}", ["'spaces'", "did you mean 'space'?"]),
    ("question: What?\nspace: {a: 1}\nbase: 3", ["base", "dict"]),
]


@pytest.mark.parametrize(("text", "pieces"), FILES)
def test_a_file_without_its_sections_is_refused(text, pieces):
    with pytest.raises(ConfigError, match=r"^search space a\.yaml: ") as error:
        parse_space(text, "a.yaml")
    assert [piece for piece in pieces if piece not in str(error.value)] == []


def test_numbers_are_what_yaml_1_2_takes_for_numbers():
    text = "question: What?\nspace: {a: {values: [1e-4, -2E3, '1e-4', 1.5, 7, 0x10]}}"
    values = parse_space(text, "a.yaml").dimensions["a"].values
    assert values == [1e-4, -2e3, "1e-4", 1.5, 7, 16]
