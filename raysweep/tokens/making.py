"""What is left to do for a folder of codes, and doing it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import NamedTuple

from raysweep.data.sources.discover import Source
from raysweep.data.storing.manifest import SourceRecord, require_good
from raysweep.data.storing.store import Done
from raysweep.errors import DataError
from raysweep.pretrained import Pretrained
from raysweep.tokens.coding import Code, Coder
from raysweep.tokens.job import Job, require_same
from raysweep.tokens.manifest import Tokens, read_tokens, write_tokens
from raysweep.tokens.output import Output
from raysweep.tokens.shards import FOLDER, Shard, shards
from raysweep.tokens.table import Note, read_note

AT_ONCE = 16
"""Files whose notes are read at the same time."""

Begin = Callable[[Pretrained], Code]
"""What a worker makes of the model, once."""
Run = Callable[[Begin, Sequence[Shard]], Iterable[Sequence[SourceRecord]]]
"""Codes the shards, in any order and anywhere."""


class Plan(NamedTuple):
    """A job, and how much of it is done."""

    job: Job
    output: Output
    shards: Sequence[Shard]
    there: Mapping[str, Sequence[SourceRecord]]
    """By the name of a shard, what became of its sources."""
    ended: Tokens | None
    """What the run that ended said; None: none has."""

    @property
    def missing(self) -> list[Shard]:
        """The largest first, so that all workers end at about the same time."""
        left = [shard for shard in self.shards if shard.name not in self.there]
        return sorted(left, key=lambda shard: -shard.bytes)


def plan(job: Job, sources: Sequence[Source], output: Output) -> Plan:
    """DataError where `output` holds codes of another job, or files of somebody else."""
    asked = shards(sources)
    ended = read_tokens(output)
    if ended is not None:
        require_same(ended.job, job, output.where)
    held = output.held(FOLDER)
    there = _noted(held, job, output) if ended is None else _recorded(held, asked, ended)
    if unknown := set(held) - {shard.name for shard in asked}:
        raise DataError(
            f"{output.where} is to hold the codes of this footage alone, and {FOLDER}/{min(unknown)} is not of it. "
            "Name another --out, or delete that file."
        )
    return Plan(job, output, asked, there, ended)


def complete(
    plan: Plan,
    source: str,
    run: Run,
    max_bad_fraction: float,
    progress: Callable[[Done], None] = lambda done: None,
) -> Tokens:
    """Codes what is missing; `source` says where the footage was found.

    DataError where no file decoded, or more did not than `max_bad_fraction`, and where another run works there.
    """
    with plan.output.alone() as unfinished:
        begin = partial(Coder, job=plan.job, output=plan.output, unfinished=unfinished)
        made = run(begin, plan.missing) if plan.missing else ()
        records = sorted(_told(plan, made, progress), key=lambda record: record.name)
        _require_all(plan)
        tokens = Tokens(job=plan.job, source=source, records=tuple(records))
        require_good(tokens.footage, max_bad_fraction)
        write_tokens(tokens, plan.output)
    return tokens


def _noted(held: Sequence[str], job: Job, output: Output) -> dict[str, tuple[SourceRecord, ...]]:
    """By what each file says of itself."""

    def note(name: str) -> Note:
        with output.opened(f"{FOLDER}/{name}") as file:
            return read_note(file, f"{output.where}/{FOLDER}/{name}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        notes = dict(zip(held, threads.map(note, held), strict=True))
    for said in notes.values():
        require_same(said.job, job, output.where)
    return {name: said.records for name, said in notes.items()}


def _recorded(
    held: Sequence[str], asked: Sequence[Shard], ended: Tokens
) -> dict[str, list[SourceRecord]]:
    """By the manifest."""
    records = {record.name: record for record in ended.records}
    return {
        shard.name: [records[source.name] for source in shard.sources]
        for shard in asked
        if shard.name in held
    }


def _told(
    plan: Plan, made: Iterable[Sequence[SourceRecord]], progress: Callable[[Done], None]
) -> Iterator[SourceRecord]:
    """All records, those of the shards that are there first."""
    counts = {source.name: len(source.files) for shard in plan.shards for source in shard.sources}
    files, size = 0, 0
    of_files, of_size = sum(counts.values()), sum(shard.bytes for shard in plan.shards)
    kept = ((record, True) for records in plan.there.values() for record in records)
    new = ((record, False) for records in made for record in records)
    for record, is_kept in chain(kept, new):
        files, size = files + counts[record.name], size + record.source_bytes
        progress(Done(record, files, of_files, size, of_size, is_kept))
        yield record


def _require_all(plan: Plan) -> None:
    """Each node may see another folder under the same path."""
    held = set(plan.output.held(FOLDER))
    if lost := [shard.name for shard in plan.shards if shard.name not in held]:
        raise DataError(
            f"every node must write to the same folder, and {len(lost)} of {len(plan.shards)} files are not in "
            f"{plan.output.where}, first {lost[0]}. Name a folder that all nodes share, or an address such as "
            "s3://bucket/codes."
        )
