"""Columns of codes: the smallest type that holds the ids, and a grid that a reader finds."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from raysweep.data.preprocessing import Preprocessing
from raysweep.pretrained import Pretrained
from raysweep.tokens.job import CodeMap, job
from raysweep.tokens.table import Place, rows, schema
from tests.models.pairs import PAIRS
from tests.tiny import CPU, frames, tiny_parts, tiny_run

TYPES = [
    (1, pa.uint8()),
    (256, pa.uint8()),
    (257, pa.uint16()),
    (65536, pa.uint16()),
    (65537, pa.uint32()),
    (2**18, pa.uint32()),
]


@pytest.mark.parametrize(("codebook_size", "expected"), TYPES)
def test_ids_survive_in_the_smallest_type_that_holds_them(codebook_size, expected, tmp_path):
    maps = [CodeMap(level=0, height=2, width=3, codebook_size=codebook_size)]
    assert schema(maps).field("codes_0").type.value_type == expected
    ids = torch.randint(codebook_size, (5, 2, 3))
    ids[0, 0, 0] = codebook_size - 1
    places = [Place("a", number, number, None, 0) for number in range(5)]
    pq.write_table(pa.table(rows(places, [ids], maps)), tmp_path / "rows.parquet")
    read = pq.read_table(tmp_path / "rows.parquet")
    assert read.schema.equals(schema(maps), check_metadata=False)
    metadata = read.schema.field("codes_0").metadata
    grid = {name: int(metadata[name.encode()]) for name in CodeMap.model_fields}
    assert grid == maps[0].model_dump()
    flat = read["codes_0"].combine_chunks().flatten().to_numpy()
    assert torch.equal(torch.from_numpy(flat.reshape(5, 2, 3).astype("int64")), ids)


@pytest.mark.parametrize("pair", ["taming_vqgan-residual", "hierarchical-ema", "conv-fsq"])
def test_a_model_has_a_column_for_each_of_its_maps(pair):
    changes = {"model": PAIRS[pair]}
    model = Pretrained(tiny_parts(changes).state.tokenizer, tiny_run(changes), CPU)
    maps = job(model, Preprocessing(resolution=32), []).maps
    codes = model.tokenizer.encode(frames(2)).codes
    assert [(one.height, one.width) for one in maps] == [ids.shape[1:] for ids in codes]
    assert tuple(one.codebook_size for one in maps) == model.tokenizer.codebook_sizes
    places = [Place("a", number, number, 0.0, 0) for number in range(2)]
    assert rows(places, codes, maps).num_columns == 5 + len(codes)
