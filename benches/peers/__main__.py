#!/usr/bin/env python3
"""Measures stockmill beside its peers: the same drops, on the same disk, in interleaved rounds.

    python3 benches/peers --stockmill target/dist/stockmill [--rounds 3] [--only NAME] [--quick]

Needs Python 3.11 on Linux and nothing else. Peers from PyPI are installed by name into a virtual
environment in a temporary folder; one that cannot be installed is named, and the rest goes on. Every
run is checked: each dropped file must arrive whole, exactly once. benches/README.md says more.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

# How a root is made and its drops are counted is shared with the scripts that fault and cut the real binary.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

from bench import Bench
from flow import burst, small, waiting
from idle import idle
from install import SUBJECTS, gather
from latency import latency
from sizes import Sizes

MEASUREMENTS = {each.__name__: each for each in (small, burst, waiting, latency, idle)}


def file_system(folder):
    """Returns the type of the file system that holds a folder."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if folder == Path(at) or Path(at) in folder.parents]
    return max(above)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stockmill", type=Path, required=True, help="the program to measure, built with `--profile dist`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", action="append", choices=[*MEASUREMENTS, *SUBJECTS[1:]], metavar="NAME", default=[],
        help=f"only this measurement ({', '.join(MEASUREMENTS)}) or only this peer beside the reference; may be repeated",
    )
    parser.add_argument("--bundled", type=int, metavar="N", help="how many files lie in unsent bundles in `idle`")
    parser.add_argument("--held", type=int, metavar="N", help="how many files wait behind a gate in `idle`")
    parser.add_argument("--quick", action="store_true", help="small counts, one round: to try the script out")
    parser.add_argument("--folder", type=Path, help="where to work; must be on the disk that is to be measured")
    asked = parser.parse_args()
    measurements = [name for name in MEASUREMENTS if name in asked.only] or list(MEASUREMENTS)
    peers = [name for name in SUBJECTS if name in asked.only]
    wanted = ["bare", *peers] if peers else SUBJECTS
    program = asked.stockmill.resolve()
    # A temporary file system in memory would hide what flushing costs: work where the program lies.
    base = (asked.folder or program.parent).resolve()
    with tempfile.TemporaryDirectory(prefix="peers-", dir=base) as folder:
        folder = Path(folder)
        print(f"machine: {os.cpu_count()} cores, Linux {platform.release()}, {file_system(folder)}", end="")
        print(f", load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
        subjects = gather(program, wanted, folder)
        bench = Bench(subjects, Sizes(asked.quick, asked.bundled, asked.held), 1 if asked.quick else asked.rounds, folder)
        for name in measurements:
            MEASUREMENTS[name](bench)
            sys.stdout.flush()
    print(f"\nbars missed: {', '.join(bench.missed) or 'none'}")
    for failure in bench.failures:
        print(f"FAILED: stockmill: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
