"""The runs of the cells as they were measured, and what is derived from them. One record a run; missing is None."""

import dataclasses

import stats


@dataclasses.dataclass
class Record:
    """One run, as it stands in the raw figures."""
    cell: str
    program: str
    round: int
    position: int
    objects: int
    bytes: int
    wall_ns: int
    fetch_wall_ns: int | None
    cpu_whole_ns: int
    cpu_fetch_ns: int | None
    peak_bytes: int | None
    server_cpu_ns: int | None

    @property
    def seconds(self):
        """Of the fetch phase, start of the workers included; of the whole process where the program does not tell."""
        return (self.fetch_wall_ns if self.fetch_wall_ns is not None else self.wall_ns) / 1e9


# What the table shows and ratios are made of: name -> figure of a record, None when not known.
FIGURES = {
    "cpu_whole_us_per_request": lambda r: r.cpu_whole_ns / 1e3 / r.objects,
    "cpu_fetch_us_per_request": lambda r: None if r.cpu_fetch_ns is None else r.cpu_fetch_ns / 1e3 / r.objects,
    "cpu_whole_s_per_gb": lambda r: r.cpu_whole_ns / r.bytes,
    "cpu_fetch_s_per_gb": lambda r: None if r.cpu_fetch_ns is None else r.cpu_fetch_ns / r.bytes,
    "mb_per_s": lambda r: r.bytes / 1e6 / r.seconds,
    "requests_per_s": lambda r: r.objects / r.seconds,
    "peak_mb": lambda r: None if r.peak_bytes is None else r.peak_bytes / 1e6,
    "server_busy": lambda r: None if r.server_cpu_ns is None else r.server_cpu_ns / r.wall_ns,
}


def of(records, cell, program):
    """The records of a program in a cell."""
    return [record for record in records if record.cell == cell and record.program == program]


def by_round(records, cell, program, figure):
    """Round -> figure."""
    return {record.round: FIGURES[figure](record) for record in of(records, cell, program)}


def ratio(records, cell, pair, figure):
    """Estimate of the first program of a pair over the second, from runs of the same round."""
    over, under = (by_round(records, cell, program, figure) for program in pair)
    return stats.paired_ratio(over, under)


def estimates(records, cell, program):
    """Figure -> Estimate (None: not known)."""
    mine = of(records, cell, program)
    return {name: stats.estimate(figure(record) for record in mine) for name, figure in FIGURES.items()}
