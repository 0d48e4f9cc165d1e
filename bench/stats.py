"""The arithmetic of the benchmark: medians with their intervals, and ratios of pairs. Pure; no I/O."""

import math
import statistics


def coverage(n, rank):
    """Probability that the median lies between the rank-th smallest and the rank-th largest of n independent values (rank from 1).

    Each value is below the median with probability 1/2, so the number below is binomial: 1 - 2 P(B(n, 1/2) <= rank - 1).
    """
    return 1 - 2 * sum(math.comb(n, k) for k in range(rank)) / 2**n


def interval(values, level=0.95):
    """Order-statistic (sign test) interval of the median: the narrowest symmetric pair that covers it with at least `level`. None below six values."""
    ordered = sorted(values)
    ranks = [rank for rank in range(1, len(ordered) // 2 + 1) if coverage(len(ordered), rank) >= level]
    if not ranks:
        return None
    return ordered[ranks[-1] - 1], ordered[-ranks[-1]]


class Estimate:
    """A median, its interval (None where there are too few values) and the number of values."""

    def __init__(self, values):
        values = list(values)
        self.median = statistics.median(values)
        self.interval = interval(values)
        self.n = len(values)

    def as_json(self):
        return {"median": self.median, "interval": self.interval, "n": self.n}


def estimate(values):
    """Estimate of the values that are known; None without one."""
    known = [value for value in values if value is not None]
    return Estimate(known) if known else None


def paired_ratio(over, under):
    """Estimate of over / under: the median of the ratios of values of the same round. Both map rounds to values; rounds that one lacks do not count."""
    return estimate(over[r] / under[r] for r in sorted(over.keys() & under.keys()) if over[r] is not None and under[r])


def at_most(ratio, budget):
    """`met` when the whole interval keeps the budget, `not met` when none of it does, `unclear` between, and without interval by the median, with a `?`."""
    if ratio is None:
        return "not measured"
    if ratio.interval is None:
        return "met?" if ratio.median <= budget else "not met?"
    low, high = ratio.interval
    if high <= budget:
        return "met"
    return "not met" if low > budget else f"unclear ({'met' if ratio.median <= budget else 'not met'} by the median)"


def at_least(ratio, budget):
    """The same for a figure that should be large."""
    if ratio is None:
        return "not measured"
    turned = Estimate([-ratio.median])
    turned.interval = ratio.interval and (-ratio.interval[1], -ratio.interval[0])
    return at_most(turned, -budget)
