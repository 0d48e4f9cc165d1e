"""The budgets, and whether they are kept. A budget is a bound on a ratio (or a figure) that one command measures in one go."""

import dataclasses
from collections.abc import Callable

import records
import stats
import table

LEAN = "parfetch lean async"


@dataclasses.dataclass
class Budget:
    """A row of the budget table. `measure` maps (records of the cells, results of the parts) to an Estimate, or None where that was not measured."""
    group: str
    what: str
    bound: float
    measure: Callable
    holds: Callable = stats.at_most
    unit: str = "×"


SMALL, LARGE = "16 KiB, http: CPU per request", "2.5 MiB, http: CPU per GB"
FETCH, WHOLE, FETCH_GB, WHOLE_GB = "cpu_fetch_us_per_request", "cpu_whole_us_per_request", "cpu_fetch_s_per_gb", "cpu_whole_s_per_gb"
# Group, what it is compared with, bound, cell, program, figure.
OF_CELLS = [
    (SMALL, "stock (fetch phase)", 1 / 4, "http-16k-x16", "stock", FETCH),
    (SMALL, "s5cmd 2.3.0 (whole process)", 1 / 10, "http-16k-x16", "s5cmd", WHOLE),
    (SMALL, "the study's program (whole process)", 1 / 50, "http-16k-x16", "study thread", WHOLE),
    (SMALL, "raw sockets (fetch phase)", 1.3, "http-16k-x16", "raw", FETCH),
    (LARGE, "s5cmd 2.3.0 (whole process)", 0.7, "http-2560k-x16", "s5cmd", WHOLE_GB),
    (LARGE, "awscrt (whole process)", 1 / 3, "http-2560k-x16", "awscrt", WHOLE_GB),
    (LARGE, "the study's program (whole process)", 1 / 15, "http-2560k-x16", "study thread", WHOLE_GB),
    (LARGE, "raw sockets (fetch phase)", 1.3, "http-2560k-x16", "raw", FETCH_GB),
    ("16 KiB, https: CPU per request", "stock (fetch phase)", 1 / 4, "https-16k-x16", "stock", FETCH),
    ("8 MiB, https: CPU per GB", "stock (fetch phase)", 0.55, "https-8192k-x16", "stock", FETCH_GB),
]


def against(cell, other, figure):
    """The ratio of `lean` to another program in a cell."""
    return lambda runs, _: records.ratio(runs, cell, (LEAN, other), figure)


def part(name, key):
    """A figure of a part: a list of values, one a repetition."""
    return lambda _, parts: stats.estimate(parts.get(name, {}).get(key, []))


def cell_budgets():
    return [Budget(group, what, bound, against(cell, other, figure)) for group, what, bound, cell, other, figure in OF_CELLS]


def part_budgets():
    shares = [Budget("network=s3: requests/s of what is possible", f"{mode}, concurrency 1 … 16, the lowest", 0.97, part("s3", f"lean {mode}"), stats.at_least)
              for mode in ("async", "thread", "process")]
    memory = [Budget("peak memory (sum of PSS)", f"{mode}, 64 workers, of {64 + 64 * each} MB", 1.0, part("memory", mode))
              for mode, each in (("async", 1), ("thread", 1), ("process", 12))]
    return [
        *shares,
        Budget("listing, 80 ms a page: keys/s", "s5cmd ls", 10, part("listing", "ratio"), stats.at_least),
        *memory,
        Budget("process start to first request", "one CPU", 30, part("start", "ms"), unit="ms"),
    ]


def sign(budget):
    return "≥" if budget.holds is stats.at_least else "≤"


def rows(runs, parts):
    """Header and rows of the budget table."""
    found = []
    for budget in [*cell_budgets(), *part_budgets()]:
        measured = budget.measure(runs, parts)
        bound = table.number(budget.bound, 3)
        found.append([budget.group, budget.what, f"{sign(budget)} {bound} {budget.unit}", table.with_interval(measured), budget.holds(measured, budget.bound)])
    return ["budget for lean", "of", "bound", "measured", ""], found
