#!/usr/bin/env python3
"""Faults and kills at every system call of the real binary on a small mill.

    tests/faults.py --stockmill target/release/stockmill [--full] [--sample 400] [--seed N] [--only renameat2]

A root with three pictures, a companion, a note, one picture in `keep` and one in `export` is worked on, and the N-th of all
calls of one name fails, or the process is killed there; then it works on without faults. Also: from the N-th call on,
nothing works (a full disk, a dead one); kills where no file can be renamed without replacing (NFS, FUSE), and where there
are no links either (exFAT); and kills in the recovery from a kill. In the end each original must be whole exactly once
and bundled exactly once. Exit status 1 if not, or if the process ever died by itself, hung, or set a file aside for a
fault of the disk. Where the settings or the root cannot be read the program may refuse to start.
"""

import argparse
import collections
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import mill_root
import syscalls
from mill_root import THEME, Findings, Mill
from syscalls import CHANGES, KILL

SETTINGS = "settle: {quiet_ms: 20, notes_quiet_s: 0}\n"
# What each call may really answer.
ANYWHERE = ("EIO", "ESTALE")
NAMES = ("EACCES", "ENOSPC", "EROFS", "EINTR")
ERRORS = {
    "open": (*ANYWHERE, "EACCES", "EMFILE", "EINTR"),
    "openat": (*ANYWHERE, "EACCES", "EMFILE", "EINTR", "ENOSPC", "EROFS"),
    "openat2": (*ANYWHERE, "EACCES", "EMFILE", "EINTR", "ENOSPC", "EROFS"),
    "read": (*ANYWHERE, "EINTR"),
    "getdents64": (*ANYWHERE, "EACCES"),
    "statx": (*ANYWHERE, "EACCES"),
    "newfstatat": (*ANYWHERE, "EACCES"),
    "write": (*ANYWHERE, "ENOSPC", "EINTR", "EROFS"),
    "fsync": (*ANYWHERE, "ENOSPC", "EINTR", "EROFS"),
    "fdatasync": (*ANYWHERE, "ENOSPC", "EINTR", "EROFS"),
    "syncfs": (*ANYWHERE, "ENOSPC", "EROFS"),
    **dict.fromkeys(("mkdir", "mkdirat", "rename", "renameat", "renameat2", "linkat", "unlink", "unlinkat"), (*ANYWHERE, *NAMES)),
    **dict.fromkeys(("ftruncate", "copy_file_range", "sendfile", "pwrite64"), (*ANYWHERE, "ENOSPC", "EINTR")),
}
STICKY = {"write": ("ENOSPC", "EIO"), "renameat2": ("ENOSPC", "EROFS"), "fdatasync": ("EIO",), "fsync": ("EIO",),
          "openat2": ("EMFILE", "EIO"), "newfstatat": ("EIO",), "mkdirat": ("ENOSPC",), "unlinkat": ("EROFS",)}
WITHOUT_RENAME = {"renameat2": "EINVAL"}
WITHOUT_LINKS = {"renameat2": "EINVAL", "linkat": "EPERM"}
EVERY_CALL_UP_TO = 40
STICKY_PATIENCE_S = 8

Case = collections.namedtuple("Case", "names which error always then", defaults=(None, None))


def shown(case):
    name = case.names[0] if len(case.names) == 1 else "any change"
    which = f"from call {case.which[0]} on" if isinstance(case.which, tuple) else f"call {case.which}"
    return (f"{case.error} at {name}, {which}" + (f", always {case.always}" if case.always else "")
            + (f", then {KILL} at change {case.then} of the recovery" if case.then else ""))


def group(case):
    name = case.names[0] if len(case.names) == 1 else "any change"
    return (f"{case.error} at {name}" + (" from then on" if isinstance(case.which, tuple) else "")
            + (f" with {case.always}" if case.always else "") + (", twice" if case.then else ""))


def dropped():
    picture = mill_root.picture
    return {
        **{f"raw/{THEME}/{name}.png": picture(seed) for seed, name in enumerate("abc")},
        f"raw/{THEME}/a.txt": b"the prompt of the first picture\n",
        "ideas/summer.md": "- Summer lakes \N{EM DASH} water, boat\n".encode(),
        f"keep/{THEME}/chosen.png": picture(7),
        f"export/{THEME}/refined.png": picture(8, 220),
    }


def cases(counts, dice):
    """Returns all cases, by how often each call is made in an undisturbed run."""
    found = []
    for name, errors in ERRORS.items():
        for error in errors:
            found += [Case((name,), which, error) for which in spread(counts[name], dice)]
    for always in (None, WITHOUT_RENAME, WITHOUT_LINKS):
        changes = sum(counts[name] for name in CHANGES)
        # Some ways of giving a name take more calls than others.
        found += [Case(CHANGES, which, KILL, always) for which in range(1, changes + (30 if always else 1))]
    for name, errors in STICKY.items():
        for error in errors:
            found += [Case((name,), (which, 10**9), error) for which in dice.sample(range(1, counts[name] + 1), min(12, counts[name]))]
    for _ in range(150):
        found.append(Case(CHANGES, dice.randint(1, changes), KILL, None, dice.randint(1, 25)))
    return found


def spread(count, dice):
    """Returns which calls are hit: all of a few; of many the first twenty, and every k-th of the others."""
    if count <= EVERY_CALL_UP_TO:
        return range(1, count + 1)
    step = -(-(count - 20) // (EVERY_CALL_UP_TO - 20))
    return [*range(1, 21), *range(21 + dice.randrange(step), count + 1, step)]


class Bench:
    """What every case starts from; each worker has a copy."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.drops = binary, Path(folder), dropped()
        self.made = mill_root.products(binary, self.folder / "reference", self.drops, SETTINGS)
        start = Mill(binary, self.folder / "start")
        start.make(SETTINGS)
        mill_root.drop_all(start, self.drops)
        self.start = start.path

    def counts(self):
        """Returns how often an undisturbed run makes each call."""
        outcome, _, _ = self.work(self.copy("count"), None, watch=tuple(syscalls.CALLS))
        assert outcome.code == 0, f"an undisturbed run ended with {outcome.code}"
        return collections.Counter(name for name, _ in outcome.calls)

    def copy(self, name):
        mill = Mill(self.binary, self.folder / name)
        shutil.rmtree(mill.path, ignore_errors=True)
        shutil.copytree(self.start, mill.path)
        return mill

    def work(self, mill, fault, always=None, watch=None, patience_s=60):
        said = mill.path.with_suffix(".said")
        with open(said, "ab") as out:
            begun = out.tell()
            outcome = syscalls.run(mill.words("once"), mill.environment(), out.fileno(), mill.path, fault, always, watch, patience_s)
        with open(said, "rb") as text:
            text.seek(begun)
            return outcome, text.read().decode("utf-8", "replace"), said

    def one(self, case, name):
        """Carries out a case; returns what was hit and what was wrong."""
        mill, findings = self.copy(name), Findings()
        said = mill.path.with_suffix(".said")
        said.unlink(missing_ok=True)
        is_sticky = isinstance(case.which, tuple)
        patience_s = STICKY_PATIENCE_S if is_sticky else 60
        outcome, text, _ = self.work(mill, (case.names, case.which, case.error), case.always, None, patience_s)
        self.judge("the run with the fault", outcome, text, findings, case.error == KILL)
        hit = outcome.hit
        if outcome.code == 0 and not is_sticky:
            early = Findings()
            # A plan that is open in the journal is harmless: its end is said again at the next start.
            mill_root.check_files(mill.files(), self.drops, self.made, early)
            for line in early.lines():
                findings.add("ended early", f"exit code 0, and {line}")
        if case.then:
            outcome, text, _ = self.work(mill, (CHANGES, case.then, KILL))
            self.judge("the recovery", outcome, text, findings, True)
        # Where names are given in a weak way, recovery has to work in the same way.
        outcome, text, _ = self.work(mill, None, case.always)
        self.judge("the run after it", outcome, text, findings)
        if outcome.code != 0:
            findings.add("not recovered", f"the run after it ended with {outcome.code}: {text.strip().splitlines()[-1:]}")
        mill_root.check(mill, self.drops, self.made, findings)
        if not (mill.path / "raw/summer-lakes/tags.yaml").exists():
            findings.add("lost", "the note made no theme")
        return mill, said, hit, findings

    def judge(self, what, outcome, text, findings, may_be_killed=False):
        if outcome.hung:
            findings.add("hung", what)
        elif outcome.code not in ((0, 1, 2, -9) if may_be_killed else (0, 1, 2)):
            findings.add("died", f"{what} ended with {outcome.code}")
        if "panicked" in text:
            findings.add("died", f"{what} panicked: {next(line for line in text.splitlines() if 'panicked' in line)}")


BENCH = None


def carry_out(numbered):
    number, case = numbered
    name = f"worker-{os.getpid()}"
    try:
        mill, said, hit, findings = BENCH.one(case, name)
    except Exception as error:  # A mistake here must be told, and must not stop the others.
        return number, case, [], {"script": [repr(error)]}, None
    place = None
    if findings:
        place = BENCH.folder / f"evidence-{number}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(mill.path, place / "mill", symlinks=True)
        shutil.copy(said, place / "said.log")
    return number, case, hit, findings.by_kind, place


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stockmill", required=True, help="the binary")
    parser.add_argument("--full", action="store_true", help="all cases, not a sample")
    parser.add_argument("--sample", type=int, default=400, help="how many cases are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="only cases whose description has this text")
    parser.add_argument("--jobs", type=int, default=8 * (os.cpu_count() or 1), help="cases at a time; they mostly wait")
    parser.add_argument("--folder", help="where the roots lie; /dev/shm is quick")
    parser.add_argument("--evidence", default=os.path.join(tempfile.gettempdir(), "faults"), help="where a failed root is kept")
    options = parser.parse_args()
    reason = syscalls.why_not()
    if reason:
        print(f"No faults: {reason}.")
        return 0
    folder = tempfile.mkdtemp(prefix="faults-", dir=options.folder)
    try:
        return bench(options, folder)
    finally:
        shutil.rmtree(folder)


def bench(options, folder):
    global BENCH
    dice = random.Random(options.seed)
    BENCH = Bench(options.stockmill, folder)
    counts = BENCH.counts()
    todo = cases(counts, dice)
    print("calls in an undisturbed run:", ", ".join(f"{count} {name}" for name, count in sorted(counts.items())), flush=True)
    if options.only:
        todo = [case for case in todo if options.only in shown(case)]
    if not options.full:
        todo = dice.sample(todo, min(options.sample, len(todo)))
    begun, bad, missed, kinds, groups = time.monotonic(), 0, 0, collections.Counter(), {}
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for number, case, hit, findings, place in pool.imap_unordered(carry_out, enumerate(todo)):
            missed += not hit
            if not findings:
                continue
            bad += 1
            kinds.update(findings.keys())
            key = (group(case), tuple(sorted(findings)))
            groups.setdefault(key, []).append((number, case, hit, findings, place))
    evidence = Path(options.evidence)
    for (what, said), failed in sorted(groups.items(), key=lambda item: item[0]):
        number, case, hit, findings, place = min(failed, key=lambda one: one[0])
        print(f"{what}: {', '.join(said)}: {len(failed)} cases, calls {sorted(str(one[1].which) for one in failed)[:12]}")
        print(f"  such as {shown(case)}")
        for kind, lines in findings.items():
            for line in lines[:2]:
                print(f"    {kind}: {line}")
        print(f"    at {hit[:2]}")
        if place:
            kept = evidence / f"{options.seed}-{number}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(place, kept)
            (kept / "case.txt").write_text(f"{shown(case)}\n{findings}\n")
            print(f"    kept in {kept}")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing wrong"
    print(f"{len(todo)} cases ({missed} never came to their call), {bad} bad: {told}, {time.monotonic() - begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
