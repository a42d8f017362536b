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
import shutil
import signal
import subprocess
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
BUILD_S = 1200


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
    """Returns the mutants by name, each with the change that makes it."""
    found = subprocess.run([*words, "--list", "--json", "--diff"], check=True, capture_output=True, text=True).stdout
    return {mutant["name"]: mutant for mutant in json.loads(found)}


def finished(command, limit_s, **place):
    """Runs a command; returns whether it succeeded, and None if it hung. Its children end with it."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               **place)
    try:
        return running.wait(limit_s) == 0
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return None


def outcome(mutant, tree, env):
    """Returns what becomes of a mutant: whether it can be built, and whether a test fails or hangs. The tests of its own
    room come first: most mutants fail there."""
    path = tree / mutant["file"]
    sound = path.read_bytes()
    try:
        subprocess.run(["patch", "--silent", str(path)], input=mutant["diff"].encode(), check=True)
        place = dict(cwd=tree, env=env)
        test = ["cargo", "test", "--lib", "--locked", "-q"]
        if not finished([*test, "--no-run"], BUILD_S, **place):
            return "unviable"
        room = Path(mutant["file"]).parts[1] + "::"
        for some in ([room], []):
            passed = finished([*test, "--", *some, *SKIPPED], TIMEOUT_S, **place)
            if not passed:
                return "hung" if passed is None else "caught"
        return "missed"
    finally:
        path.write_bytes(sound)
        for rest in path.parent.glob(f"{path.name}.*"):
            rest.unlink()


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
    mutants = listed([*command, *(word for place in places for word in ("--file", place))])
    known = sorted(mutants)
    drawn = random.Random(args.seed).sample(known, min(args.count, len(known)))
    end = None if args.first is None else args.skip + args.first
    drawn = drawn[args.skip:end]
    print(f"{len(drawn)} of {len(known)} mutants, seed {args.seed}", flush=True)
    if args.list:
        print("\n".join(drawn))
        return

    # Quick to build: what a mutant costs is mostly its build. One build folder for all, since the dependencies stay.
    env = dict(os.environ, CARGO_PROFILE_DEV_OPT_LEVEL="0", CARGO_PROFILE_DEV_DEBUG="false",
               CARGO_TARGET_DIR=str(args.home / "target"))
    # What passes on the code as it is comes first, in the same build folder.
    subprocess.run(["cargo", "test", "--lib", "--locked", "-q", "--", *SKIPPED], cwd=tree, env=env, check=True,
                   stdout=subprocess.DEVNULL)
    became = {}
    for name in drawn:
        became[name] = outcome(mutants[name], tree, env)
        print(f"  {became[name]}: {name}", flush=True)
    caught, hung, missed, unviable = map(list(became.values()).count, ("caught", "hung", "missed", "unviable"))
    ran = caught + hung + missed
    share = 100 * (caught + hung) / ran if ran else 0
    print(f"caught {caught + hung} ({hung} of them hung), missed {missed}, unviable {unviable}: "
          f"{share:.0f} % of {ran} caught")


if __name__ == "__main__":
    main()
