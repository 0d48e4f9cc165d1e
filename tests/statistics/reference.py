#!/usr/bin/env python3
"""Prints the values that the tests of crates/core/src/stats/ compare with: `python3 reference.py > reference.json`.

Needs SciPy (written with 1.17.1, numpy 2.4.6). Whatever SciPy lacks is written out here by brute force, on purpose in another way than in
crates/core/src/stats/: permutations one by one, exact fractions, ranks by counting. Deterministic: a fixed seed, numbers rounded when drawn.
"""

import itertools
import json
import math
import random
from fractions import Fraction

import numpy
from scipy import special, stats

RANDOM = random.Random(20261121)


def lognormal(level, noise, n):
    return [round(level * math.exp(noise * RANDOM.gauss(0, 1)), 4) for _ in range(n)]


def whole(low, high, n):
    return [float(RANDOM.randint(low, high)) for _ in range(n)]


def median_interval():
    """Of the values 1 to n; scipy.stats.binom for every k, the last that covers enough."""
    cases = []
    for n in [1, 2, 5, 6, 7, 8, 10, 15, 20, 30, 75, 200, 1000, 1200, 3000]:
        for confidence in [0.5, 0.9, 0.95, 0.99]:
            found = None
            for k in range(1, n // 2 + 1):
                level = 1 - 2 * stats.binom.cdf(k - 1, n, 0.5)
                if level >= confidence:
                    found = (k, level)
            case = {"confidence": confidence, "n": n, "low": None, "high": None, "level": None}
            if found:
                k, level = found
                case |= {"low": float(k), "high": float(n + 1 - k), "level": float(level)}
            cases.append(case)
    return cases


def u_of(base, new):
    """Pairs in which the new value is larger, equal ones one half, pair by pair."""
    return sum(Fraction(1) if y > x else Fraction(1, 2) if y == x else Fraction(0) for x in base for y in new)


def mann_whitney_exact():
    cases = []
    for n, m in [(1, 1), (1, 5), (3, 3), (4, 7), (6, 6), (6, 10), (10, 10), (20, 20), (50, 50), (12, 100)]:
        for level in [1.0, 1.05, 1.3]:
            base, new = lognormal(100, 0.1, n), lognormal(100 * level, 0.1, m)
            assert len(set(base + new)) == n + m, "no ties here"
            result = stats.mannwhitneyu(new, base, alternative="two-sided", method="exact")
            cases.append({"base": base, "new": new, "u": float(result.statistic), "p": float(result.pvalue)})
    return cases


def mann_whitney_ties():
    """All ways to call len(new) of the pooled values new, one by one."""
    cases = []
    shapes = [(3, 3, 1, 4), (4, 5, 1, 3), (6, 6, 1, 6), (6, 6, 1, 40), (7, 4, 1, 2), (5, 8, 1, 9), (7, 7, 1, 5)]
    for n, m, low, high in shapes:
        for shift in [0, 1, high]:
            base, new = whole(low, high, n), [v + shift for v in whole(low, high, m)]
            pooled = base + new
            observed = u_of(base, new)
            smaller = larger = total = 0
            for chosen in itertools.combinations(range(n + m), m):
                picked = set(chosen)
                u = u_of([pooled[i] for i in range(n + m) if i not in picked], [pooled[i] for i in chosen])
                smaller += u <= observed
                larger += u >= observed
                total += 1
            p = min(Fraction(1), Fraction(2 * min(smaller, larger), total))
            cases.append({"base": base, "new": new, "u": float(observed), "p": float(p)})
    return cases


def mann_whitney_normal():
    cases = []
    for n, m, high in [(60, 60, 1000000), (60, 60, 20), (40, 80, 5), (300, 200, 50)]:
        for shift in [0, 1, high // 10]:
            base, new = whole(1, high, n), [v + shift for v in whole(1, high, m)]
            result = stats.mannwhitneyu(new, base, alternative="two-sided", method="asymptotic", use_continuity=True)
            cases.append({"base": base, "new": new, "u": float(result.statistic), "p": float(result.pvalue)})
    return cases


def ratio():
    """The median of all ratios; the interval by trying every k against U counted over all orders."""
    cases = []
    for n, m in [(1, 1), (2, 2), (3, 4), (4, 4), (6, 6), (7, 6), (8, 8), (9, 7)]:
        counts = {}
        for chosen in itertools.combinations(range(n + m), m):
            u = sum(rank - k for k, rank in enumerate(chosen))
            counts[u] = counts.get(u, 0) + 1
        total = math.comb(n + m, m)
        for level in [0.9, 1.0, 2.0]:
            for confidence in [0.9, 0.95, 0.99]:
                base, new = lognormal(100, 0.1, n), lognormal(100 * level, 0.1, m)
                ratios = sorted(y / x for x in base for y in new)
                middle = [ratios[(n * m - 1) // 2], ratios[n * m // 2]]
                found = None
                for k in range(1, n * m // 2 + 1):
                    coverage = 1 - Fraction(2 * sum(counts.get(u, 0) for u in range(k)), total)
                    if coverage >= Fraction(confidence):
                        found = (k, coverage)
                case = {"base": base, "new": new, "confidence": confidence, "ratio": math.sqrt(middle[0] * middle[1])}
                case |= {"low": None, "high": None, "level": None}
                if found:
                    k, coverage = found
                    case |= {"low": ratios[k - 1], "high": ratios[n * m - k], "level": float(coverage)}
                cases.append(case)
    return cases


def holm():
    """By definition: the adjusted p is the largest of (k + 1 - j) p(j) over the ranks j up to one's own."""
    cases = []
    for k in [1, 2, 5, 18, 50]:
        for power in [1, 3]:
            p = [round(RANDOM.random() ** power, 5) for _ in range(k)]
            if k > 2:
                p[1] = p[0]
            ascending = sorted(p)
            adjusted = [min(1.0, max((k - j) * ascending[j] for j in range(ascending.index(value) + 1))) for value in p]
            cases.append({"p": p, "adjusted": adjusted})
    return cases


def erfc():
    return [{"x": x, "erfc": float(special.erfc(x))} for x in [0.0, 0.001, 0.1, 0.5, 1.0, 1.5, 1.9999, 2.0, 2.0001, 2.5, 3.0, 5.0, 8.0, 20.0, -0.3, -3.0]]


def pettitt():
    """K by the definition: all pairs of one value before and one after. `at` is the first value after the first split with the largest K.

    Only splits that leave ten values on either side.
    """
    cases = []
    for n, change, factor, digits in [(20, 10, 1.0, 3), (30, 12, 0.8, 1), (40, 40, 1.0, 0), (60, 30, 0.125, 3), (60, 45, 3.0, 3), (100, 50, 1.1, 0)]:
        values = [round(v * (factor if i >= change else 1.0), digits) for i, v in enumerate(lognormal(10, 0.1, n))]
        series = numpy.array(values)
        sums = [int(numpy.sign(series[:t, None] - series[None, t:]).sum()) for t in range(10, n - 9)]
        largest = max(abs(u) for u in sums)
        at = 10 + [abs(u) for u in sums].index(largest)
        cases.append({"series": values, "at": at, "k": largest})
    return cases


def main():
    names = [median_interval, mann_whitney_exact, mann_whitney_ties, mann_whitney_normal, ratio, holm, erfc, pettitt]
    lines = []
    for name in names:
        cases = ",\n".join("    " + json.dumps(case) for case in name())
        lines.append(f'  "{name.__name__}": [\n{cases}\n  ]')
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
