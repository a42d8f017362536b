#!/usr/bin/env python3
"""Real power cuts: the real binary works on a real file system, which is shut down under it without flushing its log.

    tests/power_cuts.py --stockmill target/release/stockmill [--cuts 200] [--fs ext4,xfs] [--seed N]

Everything that was dropped is durable before the daemon starts, so all of it counts. Another process flushes a file of
its own all the time, as on any desktop: that is what makes a forgotten flush show. A cut comes at a random time or
right after a random line of the log, and some cuts hit the recovery from the cut before. What a device keeps in its
own cache is not cut: that needs other tools. Exit status 1 if anything was lost, half, duplicated, or reported and undone.
"""

import argparse
import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mill_root
from mill_root import THEME, Findings, Mill

# The same number for ext4 (EXT4_IOC_SHUTDOWN) and XFS (XFS_IOC_GOINGDOWN); 2 is "flush no log" for both, while 0
# would write everything out first.
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
PICTURES = 40
IMAGE_MIB = 320
PATIENCE_S = 120
BAD = ("lost", "half", "duplicated", "undone")


def originals():
    """Returns 40 pictures, by the place where each is dropped."""
    drops = {}
    for seed in range(PICTURES):
        folder = f"raw/{THEME}/a folder moved in" if seed % 3 == 2 else f"raw/{THEME}"
        drops[f"{folder}/{seed}.png"] = mill_root.picture(seed)
    return drops


def flush(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def drop(mill, drops):
    """Drops each picture as people do: renamed in, copied in, or in a folder that is moved in; then all is flushed."""
    staging = mill.path.parent / "staging"
    moved = staging / "a folder moved in"
    moved.mkdir(parents=True)
    for number, (below, content) in enumerate(drops.items()):
        target = mill.path / below
        source = (moved if moved.name in below else staging) / target.name
        source.write_bytes(content)
        if source.parent == moved:
            continue
        if number % 3 == 0:
            source.rename(target)
        else:
            shutil.copyfile(source, target)
            source.unlink()
    moved.rename(mill.path / "raw" / THEME / moved.name)
    for folder, _, names in os.walk(mill.path):
        for name in names:
            flush(Path(folder, name))
        flush(folder)
    flush(staging)
    flush(mill.path.parent)


class Image:
    """A file system in a file, made once for each kind and copied for each cut."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.template = folder / f"{kind}.template"
        self.file = folder / f"{kind}.image"
        self.point = folder / kind
        self.point.mkdir()

    def make(self):
        with open(self.template, "wb") as file:
            file.truncate(IMAGE_MIB << 20)
        quiet = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"]}[self.kind]
        subprocess.run([f"mkfs.{self.kind}", *quiet, self.template], check=True)

    def renew(self):
        subprocess.run(["cp", "--sparse=always", self.template, self.file], check=True)

    def mount(self, file=None):
        # Another run of this script may have a copy of the same image mounted.
        options = "loop,nouuid" if self.kind == "xfs" else "loop"
        subprocess.run(["mount", "-t", self.kind, "-o", options, file or self.file, self.point], check=True)

    def unmount(self):
        end = time.monotonic() + PATIENCE_S
        while subprocess.run(["umount", self.point], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.point} stays busy")
            time.sleep(0.01)

    def cut(self):
        handle = os.open(self.point, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(handle)


class Flusher:
    """Another process that has nothing to do with the mill and flushes a file of its own all the time."""

    def __init__(self, folder):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                with open(folder / "diary", "ab", buffering=0) as file:
                    while True:
                        file.write(b"x")
                        os.fsync(file.fileno())
                        time.sleep(0.001)
            finally:
                # The file system is gone, as it should be; nothing of the parent may run here.
                os._exit(0)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def lines(path):
    return path.read_bytes().count(b"\n")


def wait_for_moment(dice, daemon, log, span_s, lines_max):
    """Waits until the moment of the cut: a time, or a line of the log and a little more. Returns what it was."""
    if dice.random() < 0.5:
        moment_s = dice.uniform(0, span_s)
        end = time.monotonic() + moment_s
        while time.monotonic() < end and daemon.poll() is None:
            time.sleep(max(0, min(0.02, end - time.monotonic())))
        return f"after {moment_s * 1000:.1f} ms"
    line, more_s = dice.randint(1, lines_max), dice.uniform(0, 0.01)
    end = time.monotonic() + span_s * 2
    while lines(log) < line and time.monotonic() < end and daemon.poll() is None:
        time.sleep(0.0005)
    time.sleep(more_s)
    return f"{more_s * 1000:.1f} ms after line {line}"


def cut_once(dice, image, mill, word, log, span_s, lines_max):
    """Lets the mill work and cuts. Returns when the cut came, and all that was reported before it."""
    flusher = Flusher(image.point)
    with open(log, "wb") as out:
        daemon = mill.start(word, log=out)
    try:
        moment = wait_for_moment(dice, daemon, log, span_s, lines_max)
        # What it says later does not count: nobody says anything after a power cut, and XFS answers
        # "flushed" for a folder once it is shut down.
        promised = log.read_bytes()
        image.cut()
        # Sometimes it learns that the disk is gone, and must not report anything as done for that.
        time.sleep(dice.choice((0, 0, 0.003, 0.03)))
    finally:
        daemon.kill()
        daemon.wait()
        flusher.end()
    return f"{word} cut {moment}", promised.decode("utf-8", "replace")


class Series:
    """All cuts on one kind of file system, and what came of them."""

    def __init__(self, options, kind, folder, drops, made):
        self.options, self.kind, self.drops, self.made = options, kind, drops, made
        self.folder = folder
        self.image = Image(kind, folder)
        self.mill = Mill(options.stockmill, self.image.point / "mill")
        self.totals = dict.fromkeys(("cuts", "in recovery", "finished moves", *BAD, "other"), 0)

    def prepare(self):
        """Makes the image that every cut starts from, and measures how long all work takes."""
        self.image.make()
        self.image.mount(self.image.template)
        try:
            self.mill.make()
            drop(self.mill, self.drops)
        finally:
            self.image.unmount()
        self.image.renew()
        self.image.mount()
        try:
            begun = time.monotonic()
            said = self.mill.call("once", check=True, patience_s=PATIENCE_S)
            self.span_s, self.lines_max = time.monotonic() - begun, len(said.stdout.splitlines())
            findings = Findings()
            mill_root.check(self.mill, self.drops, self.made, findings)
            assert not findings, f"the checks complain of a mill that nobody cut: {findings.lines()}"
        finally:
            self.image.unmount()

    def one(self, number):
        """Makes one cut, perhaps more in its recovery, and checks the root."""
        dice = random.Random(f"{self.options.seed} {self.kind} {number}")
        findings, log, promised, story = Findings(), "", "", []
        self.image.renew()
        self.image.mount()
        for again in range(dice.choice((0, 0, 0, 1, 1, 2)) + 1):
            word = "run" if again == 0 else dice.choice(("once", "run"))
            # Recovery is over within the first moments of a start.
            span_s = self.span_s if again == 0 or dice.random() < 0.4 else 0.04
            said = self.folder / f"{self.kind}.log"
            told, more = cut_once(dice, self.image, self.mill, word, said, span_s, self.lines_max)
            story.append(told)
            promised += more
            log += said.read_text(errors="replace") + f"-- {told}\n"
            self.image.unmount()
            self.image.mount()
            self.totals["cuts"] += 1
            self.totals["in recovery"] += again > 0
            mill_root.check_promises(self.mill, promised, findings)
        self.totals["finished moves"] += len(mill_root.steps(promised))
        try:
            last = self.mill.call("once", patience_s=PATIENCE_S)
            log += last.stdout
            promised += last.stdout
            if last.returncode != 0:
                findings.add("other", f"the last `once` ended with {last.returncode}")
        except subprocess.TimeoutExpired:
            findings.add("other", f"the last `once` did not end within {PATIENCE_S} s")
        if "panicked" in log:
            findings.add("other", "a thread panicked")
        mill_root.check(self.mill, self.drops, self.made, findings)
        mill_root.check_repeats(promised, findings)
        if findings:
            self.keep(number, story, log, findings)
        for kind in findings.by_kind:
            self.totals[kind if kind in BAD else "other"] += findings.count(kind)
        self.image.unmount()

    def keep(self, number, story, log, findings):
        """Keeps what a failed cut left."""
        place = Path(self.options.evidence) / f"{self.kind}-{self.options.seed}-{number}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.mill.path, place / "mill", symlinks=True)
        told = [f"seed {self.options.seed}, {self.kind}, number {number}: {'; '.join(story)}", *findings.lines()]
        (place / "findings.txt").write_text("\n".join(told) + "\n")
        (place / "said.log").write_text(log)
        print("\n  ".join(told[:12]), f"\n  kept in {place}", flush=True)


def why_not():
    """Returns why no file system can be mounted here, if so."""
    if os.geteuid() != 0:
        return "only root may mount"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stockmill", required=True, help="the binary")
    parser.add_argument("--cuts", type=int, default=200, help="mills to cut on each file system")
    parser.add_argument("--first", type=int, default=0, help="the number of the first, to repeat one")
    parser.add_argument("--fs", default="ext4,xfs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", help="where the images lie; /dev/shm is quick")
    parser.add_argument("--evidence", default=os.path.join(tempfile.gettempdir(), "power-cuts"), help="where a failed root is kept")
    options = parser.parse_args()
    kinds = options.fs.split(",")
    packages = {"ext4": ("mkfs.ext4", "e2fsprogs"), "xfs": ("mkfs.xfs", "xfsprogs")}
    for kind in kinds:
        tool, package = packages[kind]
        if not shutil.which(tool):
            print(f"No power cuts: {tool} is missing; install the Debian package {package}.")
            return 0
    reason = why_not()
    if reason:
        print(f"No power cuts: {reason}.")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="cuts-", dir=options.images))
    bad = 0
    try:
        drops = originals()
        made = mill_root.products(options.stockmill, folder / "reference", drops)
        for kind in kinds:
            series = Series(options, kind, folder, drops, made)
            try:
                series.prepare()
            except subprocess.CalledProcessError as error:
                if error.cmd[0] != "mount":
                    raise
                print(f"No power cuts on {kind}: it cannot be mounted here.")
                continue
            begun = time.monotonic()
            try:
                for number in range(options.first, options.first + options.cuts):
                    series.one(number)
            finally:
                if os.path.ismount(series.image.point):
                    series.image.unmount()
            took = time.monotonic() - begun
            told = ", ".join(f"{count} {what}" for what, count in series.totals.items())
            print(f"{kind}: {options.cuts} mills, {told}, {took:.0f} s", flush=True)
            bad += sum(series.totals[kind] for kind in (*BAD, "other"))
    finally:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
