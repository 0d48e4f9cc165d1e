"""The benchmark's arithmetic against values worked out by hand. `python3 -m unittest discover -s bench`."""

import json
import math
import os
import pathlib
import re
import signal
import sys
import tempfile
import time
import unittest

import budgets
import contenders
import measure
import records
import run
import scale_out
import servers
import stats
import table


def record(program, number, **figures):
    """A record of 100 objects of 10 MB together in 2 s, unless told otherwise."""
    known = dict(cell="http-16k-x16", position=0, objects=100, bytes=10_000_000, wall_ns=4_000_000_000, fetch_wall_ns=2_000_000_000, cpu_whole_ns=3_000_000, cpu_fetch_ns=1_000_000,
                 peak_bytes=5_000_000, server_cpu_ns=1_000_000_000)
    return records.Record(program=program, round=number, **(known | figures))


class ScaleOut(unittest.TestCase):
    def test_the_page_has_what_the_script_prints(self):
        kept = scale_out.PAGE.read_text().split(scale_out.BEGIN)[1].split(scale_out.END)[0]
        self.assertEqual(kept.strip(), scale_out.page().strip())

    def test_a_task_waits_for_the_slowest_of_three(self):
        # 100,000 keys of 2.5 MB: 250 GB at 625 MB/s, or half of that; by its 64 connections (2,000 + 2,778) / 64 = 75 s.
        self.assertEqual(scale_out.task_time(100_000, 250e9), ((400.0, 800.0), "network"))
        (seconds, slow), what = scale_out.task_time(1_000_000, 1e6)
        # A slow task takes 30 % longer.
        self.assertEqual((round(seconds, 3), round(slow, 3), what), (312.5, 406.25, "connections"))

    def test_ten_tasks_cost_what_they_live(self):
        row = scale_out.row(10)
        self.assertEqual((row["keys"], row["bytes"], row["fetch_s"]), (10_000_000, 25e12, (40_000.0, 80_000.0)))
        # 30 + 40,000 + 10⁷ / 1.11 × 10⁶ s, rounded up; 2 vCPU and 4 GB for an hour cost 0.09874.
        for usd, seconds in zip(row["usd_tasks"], (40_040, 80_040), strict=True):
            self.assertAlmostEqual(usd, 10 * seconds / 3_600 * 0.09874, places=9)
        # 100,000,010 GET and 100,042 LIST and PUT.
        self.assertAlmostEqual(row["usd_requests"], 40.000004 + 0.50021, places=9)
        self.assertEqual(row["elapsed"][6], [4 * seconds for seconds in row["free_s"]])

    def test_the_assumptions_are_those_of_submit(self):
        text = "".join((scale_out.ROOT / file).read_text() for file in ("crates/core/src/speed.rs", "src/submit/forecast.rs", "src/submit/limits.rs"))
        known = {name: float(value) for name, value in re.findall(r"pub const (\w+): f64 = ([0-9_.e-]+);", text)}
        here = dict(CONNECTION_BYTES_PER_S=scale_out.CONNECTION, FIRST_BYTE_S=scale_out.FIRST_BYTE, TASK_BYTES_PER_S=scale_out.NETWORK, PAID_BESIDE_S=scale_out.BESIDE,
                    CPU_S_PER_REQUEST=scale_out.CPU_GET, CPU_S_PER_BYTE=scale_out.CPU_BYTE, GETS_PER_PREFIX_AND_S=scale_out.PREFIX_GETS,
                    STARTED_PER_S=scale_out.LAUNCHES_PER_S, CHILD_TIME_OUT_S=86_400.0, SLOW_TASK=scale_out.SLOW_TASK, SLOW_NETWORK=scale_out.SLOW_NETWORK)
        self.assertEqual(known, here)


class Statistics(unittest.TestCase):
    def test_the_coverage_of_order_statistics_is_binomial(self):
        # Six values: outside the extremes with 2 / 2^6 = 3.125 %. Eight, second from each end: 1 - 2 (1 + 8) / 256.
        self.assertEqual(stats.coverage(6, 1), 0.96875)
        self.assertEqual(stats.coverage(8, 2), 1 - 18 / 256)

    def test_the_interval_is_the_narrowest_that_covers_enough(self):
        self.assertIsNone(stats.interval([1, 2, 3, 4, 5]))
        self.assertEqual(stats.interval([6, 1, 5, 2, 4, 3]), (1, 6))
        # Eight, second from each end: 93 %, too little. Nine: 1 - 2 (1 + 9) / 512 = 96.1 %. Twenty, sixth: 95.9 %, seventh: 88.5 %.
        self.assertEqual(stats.interval(range(1, 9)), (1, 8))
        self.assertEqual(stats.interval(range(1, 10)), (2, 8))
        self.assertEqual(stats.interval(range(1, 21)), (6, 15))

    def test_an_estimate_passes_over_what_is_not_known(self):
        self.assertEqual(stats.estimate([3, None, 1]).median, 2)
        self.assertIsNone(stats.estimate([None]))

    def test_a_ratio_is_the_median_of_pairs_not_the_ratio_of_medians(self):
        # Pairs 1/2, 2/8, 9/3: 0.5, 0.25, 3. Of the medians it would be 2/3. Round 4 has no partner.
        found = stats.paired_ratio({1: 1, 2: 2, 3: 9, 4: 7}, {1: 2, 2: 8, 3: 3})
        self.assertEqual((found.median, found.n), (0.5, 3))
        self.assertIsNone(stats.paired_ratio({1: 1}, {2: 1}))
        self.assertIsNone(stats.paired_ratio({1: 1}, {1: None}))

    def test_a_budget_is_met_when_the_whole_interval_keeps_it(self):
        found = stats.estimate([1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
        self.assertEqual([stats.at_most(found, bound) for bound in (1.5, 1.49, 1.2, 1.0, 0.99)],
                         ["met", "unclear (met by the median)", "unclear (not met by the median)", "unclear (not met by the median)", "not met"])
        self.assertEqual([stats.at_least(found, bound) for bound in (1.0, 1.2, 1.3, 1.51)],
                         ["met", "unclear (met by the median)", "unclear (not met by the median)", "not met"])
        self.assertEqual(stats.at_most(stats.estimate([2.0]), 3), "met?")
        self.assertEqual(stats.at_least(stats.estimate([2.0]), 3), "not met?")
        self.assertEqual(stats.at_most(None, 3), "not measured")


class Figures(unittest.TestCase):
    def test_figures_have_the_units_of_their_names(self):
        found = {name: of(record("lean", 1)) for name, of in records.FIGURES.items()}
        # 3 ms / 100 objects; 3 ms / 0.01 GB; 10 MB in 2 s; 1 s of the server's CPU in the 4 s of the process.
        self.assertEqual(found, {"cpu_whole_us_per_request": 30, "cpu_fetch_us_per_request": 10, "cpu_whole_s_per_gb": 0.3, "cpu_fetch_s_per_gb": 0.1, "mb_per_s": 5,
                                 "requests_per_s": 50, "peak_mb": 5, "server_busy": 0.25})

    def test_what_a_program_does_not_tell_is_not_0(self):
        silent = record("s5cmd", 1, fetch_wall_ns=None, cpu_fetch_ns=None, peak_bytes=None, server_cpu_ns=None)
        found = {name: of(silent) for name, of in records.FIGURES.items()}
        self.assertEqual([name for name, value in found.items() if value is None], ["cpu_fetch_us_per_request", "cpu_fetch_s_per_gb", "peak_mb", "server_busy"])
        # Without a fetch phase, of the whole process.
        self.assertEqual(found["requests_per_s"], 25)

    def test_the_budget_of_raw_compares_fetch_phases_of_the_same_round(self):
        runs = [record(budgets.LEAN, n, cpu_fetch_ns=1_000 * n) for n in range(1, 7)] + [record("raw", n, cpu_fetch_ns=500 * n) for n in range(1, 7)]
        rows = {(row[0], row[1]): row[2:] for row in budgets.rows(runs, {"s3": {"lean async": [0.98] * 6}, "start": {"ms": [31.0] * 6}})[1]}
        self.assertEqual(rows["16 KiB, http: CPU per request", "raw sockets (fetch phase)"], ["≤ 1.30 ×", "2.00 [2.00, 2.00]", "not met"])
        self.assertEqual(rows["network=s3: requests/s of what is possible", "async, concurrency 1 … 16, the lowest"], ["≥ 0.97 ×", "0.98 [0.98, 0.98]", "met"])
        self.assertEqual(rows["process start to first request", "one CPU"], ["≤ 30.0 ms", "31.0 [31.0, 31.0]", "not met"])
        self.assertEqual(rows["listing, 80 ms a page: keys/s", "s5cmd ls"][1:], ["–", "not measured"])


class Tables(unittest.TestCase):
    def test_numbers_keep_their_significant_digits(self):
        self.assertEqual([table.number(value) for value in (None, 0, 0.01234, 0.5, 1.2345, 12.345, 123.45, 1234.5)], ["–", "0", "0.0123", "0.5", "1.23", "12.3", "123", "1,234"])

    def test_a_bar_in_a_name_does_not_end_a_markdown_cell(self):
        self.assertEqual(table.markdown(["a", "b"], [["x|y", "1"]]), "| a | b |\n|---|---:|\n| x\\|y | 1 |\n")


    def test_before_and_after_are_ratios_within_the_rounds_of_modes_that_were_measured(self):
        runs = [record("base lean async", number, cpu_fetch_ns=number * 1_000_000) for number in range(1, 7)]
        runs += [record("parfetch lean async", number, cpu_fetch_ns=number * 1_100_000, cpu_whole_ns=1_500_000, fetch_wall_ns=1_000_000_000) for number in range(1, 7)]
        runs.append(record("parfetch lean thread", 1))
        _, rows = run.base_rows(runs, contenders.Cell("http", "16k", 16))
        self.assertEqual(rows, [["lean async", "1.10 [1.10, 1.10]", "0.5 [0.5, 0.5]", "2.00 [2.00, 2.00]"]])


class Objects(unittest.TestCase):
    def test_lognormal_sizes_have_the_distribution_that_the_embedded_server_has(self):
        sizes = servers.lognormal_sizes()
        # Mean 256 KiB (the middles of slices cut off a little of the tail), median 256 KiB / sqrt(e).
        self.assertAlmostEqual(sum(sizes) / len(sizes) / 262_144, 1, delta=0.04)
        self.assertAlmostEqual((sizes[31] + sizes[32]) / 2 / (262_144 / math.sqrt(math.e)), 1, delta=0.01)
        self.assertEqual({key[:2] for key, _ in servers.objects("lognormal", 64)}, {f"{i:02}" for i in range(64)})

    def test_every_key_is_there_once(self):
        keys = [key for key, _ in servers.objects("lognormal", 1000)]
        self.assertEqual(len(set(keys)), 1000)


class Measuring(unittest.TestCase):
    def test_the_cpu_time_of_ended_children_counts(self):
        burn = "import time\nwhile time.process_time() < 0.2: pass"
        used = measure.run([sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"])
        self.assertEqual(used.code, 0)
        self.assertGreaterEqual(used.cpu_ns, 200_000_000)

    def test_a_program_that_hangs_is_ended(self):
        used = measure.run([sys.executable, "-c", "import time; time.sleep(600)"], timeout=0.2)
        self.assertEqual(used.code, -signal.SIGKILL)

    def test_what_is_started_is_held_to_its_cpu_and_the_driver_is_not(self):
        before = os.sched_getaffinity(0)
        cpu = min(before)
        used = measure.run([sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"], cpu=cpu)
        self.assertEqual(json.loads(used.stdout), [cpu])
        self.assertEqual(os.sched_getaffinity(0), before)

    def test_the_cpu_time_of_a_running_process_is_read(self):
        begun = time.process_time()
        while time.process_time() < begun + 0.1:
            pass
        self.assertGreaterEqual(measure.cpu_of([os.getpid()]), 90_000_000)
        self.assertIsNone(measure.cpu_of([2**22 + 1]))


class Driver(unittest.TestCase):
    def test_a_program_that_fetched_something_else_is_an_error(self):
        cell = contenders.Cell("http", "16k", 16)
        result = contenders.Result(10, 100, 1, 1, 1, 1, 1, (10, 99))
        with self.assertRaisesRegex(contenders.Wrong, "raw in http-16k-x16: fetched 10 objects of 99 bytes, not 10 of 100"):
            run.check(contenders.Line("raw"), cell, result)

    def test_names_of_the_cells_can_be_asked_for_by_pattern(self):
        names = [cell.name for cell in run.every_cell() if run.matches(cell.name, ["https-8192k-*"])]
        self.assertEqual(names, ["https-8192k-x1", "https-8192k-x4", "https-8192k-x16", "https-8192k-x64", "https-8192k-x256"])

    def test_every_budget_of_a_cell_is_measured_by_the_usual_form(self):
        for _, _, _, cell, program, _ in budgets.OF_CELLS:
            self.assertIn(cell, {usual.name for usual in run.MAIN})
            left_out = run.HTTPS_LEFT_OUT if cell.startswith("https") else run.MAIN_LEFT_OUT
            self.assertIn(program, {known.name for known in contenders.PROGRAMS} - left_out)

    def test_figures_are_written_between_their_marks(self):
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "README.md"
            path.write_text("before\n<!-- figures -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
            run.write_markdown(path, "new\n")
            self.assertEqual(path.read_text(encoding="utf-8"), "before\n<!-- figures -->\nnew\n<!-- end -->\nafter\n")


if __name__ == "__main__":
    unittest.main()
