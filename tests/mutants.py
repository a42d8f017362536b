#!/usr/bin/env python3
"""Whether the tests beside the code notice when the code is wrong.

Draws mutants of the rooms that decide or hold words, and of the parts of `service` that do, with a fixed seed
from `cargo mutants --list`, runs each with the lib tests alone in a copy of the tree, and prints how many were
caught, and which were missed. The same tree and seed give the same draw, so two runs can be compared.

    python3 tests/mutants.py                       # 100 mutants
    python3 tests/mutants.py --first 20            # the first 20 of the same draw
    python3 tests/mutants.py --only src/plan/keep.rs --count 1000   # all of one file
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Parts of `service` are drawn from as soon as they are there.
ROOMS = ["src/plan", "src/market", "src/model", "src/records", "src/service/dispatch", "src/service/decide"]
# Pixels notice nothing of what these rooms decide. These, and one test of what hostile notes cost, take nine tenths
# of the time in a build that is not optimised.
SKIPPED = ["--skip", "craft::", "--skip", "hostile_notes_cost_no_more_than_their_length"]
# Tests that hang are caught too; one that is only slow on a busy machine is not.
TIMEOUT_S = 300


def copied(tree):
    """Brings the copy into the state of the working tree; a file that is the same keeps its time, so that little is
    built again."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = {name for name in names if name and (ROOT / name).is_file()}
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        if str(path.relative_to(tree)) not in wanted:
            path.unlink()
    for name in wanted:
        here, there = ROOT / name, tree / name
        if not there.exists() or here.read_bytes() != there.read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(here, there)


def listed(words):
    found = subprocess.run([*words, "--list", "--json"], check=True, capture_output=True, text=True).stdout
    return sorted(mutant["name"] for mutant in json.loads(found))


def chosen(words, names):
    """Returns the words that name these mutants. Those that leave out a field of a struct in the same files are run too,
    whatever is asked for (cargo-mutants 27.1); they are not counted."""
    words = [*words]
    for place in sorted({name.split(":")[0] for name in names}):
        words += ["--file", place]
    for name in names:
        words += ["--re", f"^{re.escape(name)}$"]
    return words


def tool(home):
    """Returns the command; it is installed by name where it is not there."""
    if shutil.which("cargo-mutants"):
        return ["cargo", "mutants"]
    if not (home / "bin/cargo-mutants").exists():
        subprocess.run(["cargo", "install", "cargo-mutants", "--locked", "--root", str(home)], check=True)
    return [str(home / "bin/cargo-mutants"), "mutants"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--first", type=int, help="run only so many of those that are drawn")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of those that are drawn")
    parser.add_argument("--only", nargs="+", default=[], help="patterns of files instead of the rooms")
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "stockmill-mutants",
                        help="for the tool, the build and the outcome; kept for the next run")
    parser.add_argument("--list", action="store_true", help="print the draw and run nothing")
    args = parser.parse_args()
    args.home.mkdir(parents=True, exist_ok=True)

    tree = args.home / "tree"
    copied(tree)
    command = [*tool(args.home), "--dir", str(tree)]
    # A part may be one file or a folder.
    places = args.only or [f"{room}{rest}" for room in ROOMS for rest in (".rs", "/**/*.rs")]
    known = listed([*command, *(word for place in places for word in ("--file", place))])
    drawn = random.Random(args.seed).sample(known, min(args.count, len(known)))
    end = None if args.first is None else args.skip + args.first
    drawn = drawn[args.skip:end]
    print(f"{len(drawn)} of {len(known)} mutants, seed {args.seed}", flush=True)
    if args.list:
        print("\n".join(drawn))
        return

    outcome = args.home / "mutants.out"
    shutil.rmtree(outcome, ignore_errors=True)
    # Quick to build: what a mutant costs is mostly its build. One build folder for all, since the dependencies stay.
    env = dict(os.environ, CARGO_PROFILE_DEV_OPT_LEVEL="0", CARGO_PROFILE_DEV_DEBUG="false",
               CARGO_TARGET_DIR=str(args.home / "target"))
    words = [*chosen(command, drawn), "--output", str(args.home), "--in-place", "--baseline", "skip",
             "--timeout", str(TIMEOUT_S), "--build-timeout", "1200", "--colors", "never"]
    # What passes on the code as it is comes first, in the same build folder.
    subprocess.run(["cargo", "test", "--lib", "--locked", "-q", "--", *SKIPPED], cwd=tree, env=env, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([*words, "--cargo-arg=--lib", "--cargo-arg=--locked", "--", "--", *SKIPPED], cwd=tree, env=env)

    def lines(name):
        path = outcome / f"{name}.txt"
        found = path.read_text().splitlines() if path.exists() else []
        return [mutant for mutant in found if mutant in drawn]

    caught, missed, late, unviable = (lines(name) for name in ("caught", "missed", "timeout", "unviable"))
    ran = len(caught) + len(late) + len(missed)
    share = 100 * (len(caught) + len(late)) / ran if ran else 0
    print(f"caught {len(caught) + len(late)} ({len(late)} of them hung), missed {len(missed)}, "
          f"unviable {len(unviable)}, not run {len(drawn) - ran - len(unviable)}: {share:.0f} % of {ran} caught")
    for name in missed:
        print(f"  missed: {name}")
    sys.exit(0 if ran + len(unviable) == len(drawn) else 1)


if __name__ == "__main__":
    main()
