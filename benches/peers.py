#!/usr/bin/env python3
"""Measures stockmill beside its peers: the same drops, on the same disk, in interleaved rounds.

    python3 benches/peers.py --stockmill target/release/stockmill [--rounds 3] [--only NAME] [--quick]

Needs Python 3.11 on Linux and nothing else. Peers from PyPI are installed by name into a virtual
environment in a temporary folder; one that cannot be installed is named, and the rest goes on. Every
run is checked: each dropped file must arrive whole, exactly once. benches/README.md says more.
"""

import argparse
import collections
import contextlib
import ctypes
import hashlib
import json
import math
import os
import platform
import random
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

# ---- The bars that stockmill must reach ------------------------------------------------------------

BAR_SMALL_RATIO = 2.5  # 2,000 drops: times the bare renames
BAR_WAITING_PEAK_MB = 200  # 100,000 files at start: highest resident memory
BAR_MV_MS = 20  # one drop by mv, p99
BAR_CP_MS = BAR_MV_MS + 250  # one drop by cp, p99: the quiet time comes on top
BAR_IDLE_RSS_MB = 15  # 10,000 theme folders
BAR_IDLE_CPU = 0.2  # percent of one core

MB = 1_000_000
TICKS = os.sysconf("SC_CLK_TCK")


class Sizes:
    """How much is dropped; `--quick` is for trying the script out, its numbers mean little."""

    def __init__(self, quick):
        self.small = 400 if quick else 2_000
        self.burst = 2_000 if quick else 20_000
        self.waiting = (1_000, 4_000) if quick else (25_000, 100_000)
        self.drops = 10 if quick else 50
        self.folders = 500 if quick else 10_000
        self.idle_s = 10 if quick else 60
        # A run ends when everything has arrived, when nothing arrived for so long, or at the limit.
        self.stall_s = 15 if quick else 45
        self.limit_s = 60 if quick else 600
        self.settle_s = 20 if quick else 120


# ---- Drops: small, valid, distinct PNG files -------------------------------------------------------


def png(seed):
    """Returns a grey PNG of 120 x 128 pixels, a little under 4 kB, that no other seed gives."""
    noise = random.Random(seed).randbytes(30 * 128)
    rows = b"".join(b"\0" + noise[row : row + 30] for row in range(0, len(noise), 30))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 120, 128, 2, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def digest(path):
    return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()


class Drops:
    """Files that lie ready in a staging folder, and what was in them."""

    def __init__(self, folder, count, first_seed=0):
        self.folder = folder
        self.digests = set()
        folder.mkdir(parents=True)
        self.names = [f"generated-{number:06}.png" for number in range(count)]
        for number, name in enumerate(self.names):
            content = png(first_seed + number)
            self.digests.add(hashlib.blake2b(content, digest_size=16).digest())
            (folder / name).write_bytes(content)
        assert len(self.digests) == count, "two drops are alike"
        self.written = time.monotonic()

    def rest(self):
        """Waits until the youngest file is a second old: a file that was just written is not what is measured."""
        while (left := self.written + 1 - time.monotonic()) > 0:
            time.sleep(left)

    def rename_into(self, inbox):
        """Drops all by rename; returns the wall time just before the first."""
        pairs = [(str(self.folder / name), str(inbox / name)) for name in self.names]
        begun = time.time_ns()
        for source, target in pairs:
            os.rename(source, target)
        return begun


# ---- Inotify, as thin as it gets -------------------------------------------------------------------

IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_Q_OVERFLOW = 0x8, 0x80, 0x100, 0x4000


class Inotify:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")

    def add(self, folder, mask):
        if self.libc.inotify_add_watch(self.fd, os.fsencode(folder), mask) < 0:
            raise OSError(ctypes.get_errno(), f"inotify_add_watch {folder}")

    def read(self, timeout_s=None):
        """Returns (mask, name) of what happened, at the latest after the time-out."""
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return []
        buffer, events, at = os.read(self.fd, 1 << 20), [], 0
        while at < len(buffer):
            _, mask, _, length = struct.unpack_from("iIII", buffer, at)
            at += 16
            events.append((mask, buffer[at : at + length].rstrip(b"\0")))
            at += length
        return events

    def close(self):
        os.close(self.fd)


# ---- Workers: the peers that are libraries, and the reference --------------------------------------


def work_bare(inbox, target):
    """The reference: `rename` of each name that inotify tells, and of what waits. Nothing is checked or flushed."""
    source, goal = os.fsencode(inbox) + b"/", os.fsencode(target) + b"/"
    watch = Inotify()
    watch.add(inbox, IN_CLOSE_WRITE | IN_MOVED_TO)

    def take(name):
        # A file may be told and listed; the second try finds nothing.
        with contextlib.suppress(FileNotFoundError):
            os.rename(source + name, goal + name)

    def take_all():
        for entry in os.scandir(os.fsencode(inbox)):
            if entry.is_file(follow_symlinks=False):
                take(entry.name)

    for folder, _, _ in os.walk(inbox):
        if folder != inbox:
            watch.add(folder, IN_CLOSE_WRITE | IN_MOVED_TO)
    print("ready", flush=True)
    take_all()
    while True:
        for mask, name in watch.read():
            if mask & IN_Q_OVERFLOW:
                take_all()
            elif name:
                take(name)


def work_least(inbox, target):
    """The second reference: the calls that stockmill's step cannot do without, in its order, by one process.

    Each file is read, and gets a sidecar that is made beside and renamed; each batch is flushed before a name is
    given, and its folders after. Nothing is decoded, hashed, decided, recorded or recovered.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    scratch = Path(target).parent / "scratch"
    scratch.mkdir()
    source, goal, aside = (os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in (inbox, target, scratch))
    watch = Inotify()
    watch.add(inbox, IN_CLOSE_WRITE | IN_MOVED_TO)

    def flush():
        if libc.syncfs(goal) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")

    def take(names):
        for name in names:
            file = os.open(name, os.O_RDONLY, dir_fd=source)
            os.read(file, 1 << 16)
            os.close(file)
            sidecar = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=aside)
            os.write(sidecar, b"x" * 400)
            os.close(sidecar)
        flush()
        for name in names:
            os.rename(name, name + b".yaml", src_dir_fd=aside, dst_dir_fd=goal)
        os.fsync(goal)
        for name in names:
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=goal)
        os.fsync(goal)
        os.fsync(source)

    print("ready", flush=True)
    waiting = []
    while True:
        told = [name for mask, name in watch.read(0 if waiting else None) if name and name.endswith(b".png")]
        waiting.extend(told)
        if len(waiting) >= 256 or (waiting and not told):
            take(waiting[:256])
            del waiting[:256]


def work_watchdog(inbox, target):
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    class Mover(FileSystemEventHandler):
        def take(self, event):
            if not event.is_directory:
                # The whole name: into a folder, `move` refuses a name that is taken, and the thread dies of it.
                with contextlib.suppress(FileNotFoundError):
                    shutil.move(event.src_path, os.path.join(target, os.path.basename(event.src_path)))

        def on_created(self, event):
            # A file that is moved in from elsewhere comes as "created"; one that is written is closed later.
            with contextlib.suppress(FileNotFoundError):
                if os.path.getsize(event.src_path) > 0:
                    self.take(event)

        def on_closed(self, event):
            self.take(event)

    observer = Observer()
    observer.schedule(Mover(), inbox, recursive=True)
    observer.start()
    print("ready", flush=True)
    observer.join()


def work_watchfiles(inbox, target):
    from watchfiles import Change, watch

    changes = watch(inbox, yield_on_timeout=True, rust_timeout=100)
    next(changes)
    print("ready", flush=True)
    for change in changes:
        for what, path in change:
            if what != Change.deleted and os.path.isfile(path):
                with contextlib.suppress(FileNotFoundError):
                    shutil.move(path, os.path.join(target, os.path.basename(path)))


WORKERS = {"bare": work_bare, "least": work_least, "watchdog": work_watchdog, "watchfiles": work_watchfiles}


# ---- A started program -----------------------------------------------------------------------------


class Running:
    """A program with the processes that it started, measured from /proc."""

    def __init__(self, command, log, env=None, pipe_stdout=False):
        self.log = log
        self.output = open(log, "ab")
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe_stdout else self.output,
            stderr=self.output,
            env=env,
            start_new_session=True,
        )

    def pids(self):
        """Returns the process and those below it."""
        parents = collections.defaultdict(list)
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                    parents[int(fields[1])].append(int(entry))
        found, waiting = [], [self.child.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting.extend(parents[pid])
        return found

    def cpu_s(self):
        """Returns the processor time that was used so far, ended children included."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
                total += sum(int(field) for field in fields[11:15])
        return total / TICKS

    def memory_mb(self, field):
        """Returns VmRSS or VmHWM, summed over the processes."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path("/proc", str(pid), "status").read_text().splitlines():
                    if line.startswith(field + ":"):
                        total += int(line.split()[1]) * 1024
        return total / MB

    def check_alive(self):
        if self.child.poll() is not None:
            raise RuntimeError(f"it ended with {self.child.returncode}: {self.said()}")

    def said(self):
        return self.log.read_text(errors="replace")[-600:].strip()

    def stop(self):
        """Ends it and all that it started: it leads a session of its own."""
        if self.child.poll() is None:
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()
        self.output.close()


def wait_until(is_so, limit_s, what, pause_s=0.005):
    end = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"gave up after {limit_s} s waiting until {what}")
        time.sleep(pause_s)


# ---- Subjects: who is measured ---------------------------------------------------------------------


class Place:
    """The folders of one run: what is dropped, where to, and where it must arrive."""

    def __init__(self, folder, inbox="inbox", target="next"):
        self.folder, self.inbox, self.target = folder, folder / inbox, folder / target
        self.inbox.mkdir(parents=True)
        self.target.mkdir(parents=True, exist_ok=True)


class Subject:
    name = ""
    what = ""
    takes_waiting = False  # Does it take what lies there when it starts?
    is_daemon = True
    problem = None  # Why it cannot be measured here.

    def place(self, folder):
        return Place(folder)

    def start(self, place):
        raise NotImplementedError

    def watched(self, place):
        """Returns the folder below which it watches."""
        return place.inbox


class Worker(Subject):
    def __init__(self, name, what, python, takes_waiting=False):
        self.name, self.what, self.python, self.takes_waiting = name, what, python, takes_waiting

    def start(self, place):
        command = [self.python, __file__, "--worker", self.name, str(place.inbox), str(place.target)]
        running = Running(command, place.folder / "output", pipe_stdout=True)
        return wait_for_line(running, running.child.stdout, b"ready")


def wait_for_line(running, stream, wanted):
    if wanted not in stream.readline():
        running.child.wait()
        running.check_alive()
    return running


class Inotifywait(Subject):
    name, what = "inotifywait", "inotifywait -m, and mv in a bash loop"

    def __init__(self):
        if not shutil.which("inotifywait"):
            self.problem = "there is no `inotifywait`; install the package inotify-tools"

    def start(self, place):
        script = (
            'inotifywait -m -r -e close_write -e moved_to --format "%w%f" -- "$1" |'
            ' while IFS= read -r path; do mv -n -- "$path" "$2/"; done'
        )
        command = ["bash", "-c", script, "bash", str(place.inbox), str(place.target)]
        running = Running(command, place.folder / "output")
        wait_until(lambda: "Watches established" in running.said(), 120, "inotifywait watches")
        return running


class Organize(Subject):
    name, what = "organize", "organize run, once, after the drops: it has no daemon"
    takes_waiting, is_daemon = True, False

    def __init__(self, python):
        self.python = python

    def start(self, place):
        rules = place.folder / "organize.yaml"
        actions = [{"move": {"dest": f"{place.target}/"}}]
        # JSON is YAML, and needs no library here.
        rules.write_text(json.dumps({"rules": [{"locations": [str(place.inbox)], "actions": actions}]}))
        program = str(Path(self.python).with_name("organize"))
        return Running([program, "run", str(rules)], place.folder / "output")


class Stockmill(Subject):
    name, what = "stockmill", "raw to keep: checked, named, with a sidecar, durable"
    takes_waiting = True

    def __init__(self, program):
        self.program = str(program)
        if not os.access(self.program, os.X_OK):
            raise SystemExit(f"there is no program `{self.program}`; build it with `cargo build --release`")

    def place(self, folder):
        root = folder / "mill"
        root.mkdir(parents=True)
        (root / "stockmill.yaml").write_text("keep: {min_megapixels: 0.01}\ngates: {keep: hold}\n")
        subprocess.run([self.program, "init", "--root", str(root)], check=True, capture_output=True)
        place = Place(folder, "mill/raw/bench", "mill/keep/bench")
        (place.inbox / "tags.yaml").write_text("title: Bench\n")
        return place

    def start(self, place, wait=True):
        """Starts the daemon; with `wait`, returns when it tells that it is ready."""
        notify = Notify(place.folder / "notify")
        env = {**os.environ, "NOTIFY_SOCKET": str(notify.path)}
        env.pop("WATCHDOG_USEC", None)
        root = str(place.folder / "mill")
        running = Running([self.program, "run", "--root", root], place.folder / "output", env)
        if wait:
            wait_until(lambda: running.check_alive() or notify.is_ready, 300, "stockmill is ready")
        return running

    def watched(self, place):
        return place.folder / "mill" / "raw"


class Notify:
    """Listens as the system's manager does; a daemon must never have to wait for it."""

    def __init__(self, path):
        self.path, self.is_ready = path, False
        # The kernel takes no longer path for a socket.
        if len(os.fsencode(path)) > 107:
            raise SystemExit(f"the folder `{path.parent}` has too long a name; name another with --folder")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            if b"READY=1" in self.socket.recv(4096):
                self.is_ready = True


def start(subject, place):
    """Starts a subject on files that wait already: nobody waits until it is ready."""
    return subject.start(place, wait=False) if isinstance(subject, Stockmill) else subject.start(place)


# ---- Following a run to its end, and checking it ---------------------------------------------------


class Outcome:
    def __init__(self, arrived, took_s, cpu_s, peak_mb):
        self.arrived, self.took_s, self.cpu_s, self.peak_mb = arrived, took_s, cpu_s, peak_mb
        self.problems = []
        self.left = 0


def arrived_in(target):
    return sum(1 for name in os.listdir(target) if name.endswith(".png"))


def follow(running, place, count, begun_ns, sizes):
    """Waits until all have arrived or nothing moves any more.

    The end is the time that the file system itself noted when the last file got its new name, so it
    is exact to one tick of the kernel, however seldom we look; and looking costs at most a tenth of a core.
    """
    progress = (0, time.monotonic())
    limit = time.monotonic() + sizes.limit_s
    while True:
        looked = time.monotonic()
        arrived = arrived_in(place.target)
        now = time.monotonic()
        if arrived != progress[0]:
            progress = (arrived, now)
        ended = running.child.poll() is not None
        if arrived >= count or ended or now > limit or now - progress[1] > sizes.stall_s:
            break
        time.sleep(max(0.02, 10 * (now - looked)))
    cpu_s, peak_mb = running.cpu_s(), running.memory_mb("VmHWM")
    if ended:
        usage = os.times()
        arrived = arrived_in(place.target)
        cpu_s = usage.children_user + usage.children_system - running.cpu_before
    names = [entry for entry in os.scandir(place.target) if entry.name.endswith(".png")]
    last_ns = max((entry.stat().st_ctime_ns for entry in names), default=begun_ns)
    return Outcome(arrived, (last_ns - begun_ns) / 1e9, cpu_s, peak_mb)


def check(outcome, subject, place, drops):
    """Checks that every drop stands in the next folder, whole, and nowhere else."""
    found = collections.Counter()
    in_target = set()
    for folder, _, names in os.walk(place.folder):
        for name in names:
            path = Path(folder, name)
            if path.suffix != ".png":
                continue
            content = digest(path)
            found[content] += 1
            if path.parent == place.target:
                in_target.add(content)
                if subject.name == "stockmill" and not path.with_name(f"{name}.yaml").is_file():
                    outcome.problems.append(f"{name} has no sidecar")
    lost = sum(1 for content in drops.digests if not found[content])
    doubled = sum(1 for content in drops.digests if found[content] > 1)
    damaged = sum(1 for content in found if content not in drops.digests)
    outcome.left = len(drops.digests - in_target)
    for number, word in ((lost, "lost"), (doubled, "doubled"), (damaged, "damaged")):
        if number:
            outcome.problems.append(f"{number} {word}")


class Bench:
    def __init__(self, subjects, sizes, rounds, folder):
        self.subjects, self.sizes, self.rounds, self.folder = subjects, sizes, rounds, folder
        self.runs = 0
        self.failures = []
        self.missed = []

    @contextlib.contextmanager
    def fresh(self, subject):
        """Gives a run its own folder, and starts it with a disk that has nothing else to write.

        Nothing is removed before the very end: for minutes after many files were removed, ext4 makes
        new ones much slower, and whoever came next would pay for it.
        """
        self.runs += 1
        folder = self.folder / f"{self.runs}"
        folder.mkdir()
        os.sync()
        yield folder, subject.place(folder / "run")

    def flow(self, subject, count, is_waiting):
        """Drops `count` files on a subject, or starts it on them; follows and checks."""
        with self.fresh(subject) as (folder, place):
            drops = Drops(folder / "staging", count)
            usage = os.times()
            cpu_before = usage.children_user + usage.children_system
            if is_waiting or not subject.is_daemon:
                drops.rest()
                begun = drops.rename_into(place.inbox)
                begun = time.time_ns() if is_waiting else begun
                running = start(subject, place)
            else:
                running = subject.start(place)
                drops.rest()
                begun = drops.rename_into(place.inbox)
            running.cpu_before = cpu_before
            try:
                outcome = follow(running, place, count, begun, self.sizes)
            finally:
                running.stop()
            check(outcome, subject, place, drops)
            return outcome

    def interleaved(self, subjects, measure, rounds=None):
        """Measures each subject once in each round; returns the results by name."""
        results = {subject.name: [] for subject in subjects}
        for number in range(rounds or self.rounds):
            for subject in subjects:
                say(f"  round {number + 1}: {subject.name} …")
                try:
                    results[subject.name].append(measure(subject))
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    print(f"  {subject.name} failed: {error}")
                    self.judge(subject.name, [f"failed: {error}"])
        say("")
        return results

    def judge(self, name, problems):
        """A problem of a peer is a result; one of stockmill is a failure."""
        if name == "stockmill":
            self.failures.extend(problems)

    def bar(self, what, value, limit, unit):
        is_met = value <= limit
        print(f"  bar: {what} {value:.4g} {unit}, at most {limit:g} {unit}: {'met' if is_met else 'MISSED'}")
        if not is_met:
            self.missed.append(what)

    # ---- What is measured ----

    def small(self):
        """Many small drops at once: how long until the last stands in the next folder."""
        self.flows("small", self.sizes.small, lambda subject: True)

    def burst(self):
        """A burst that overflows the kernel's queue of events: how long, and how many are left behind."""
        self.flows("burst", self.sizes.burst, lambda subject: subject.name != "least")

    def flows(self, name, count, takes_part):
        print(f"\n{name}: {count:,} files of 4 kB, dropped by rename")
        subjects = [subject for subject in self.subjects if takes_part(subject)]
        results = self.interleaved(subjects, lambda subject: self.flow(subject, count, False))
        self.table(results)
        if "stockmill" in results and results["stockmill"] and results.get("bare") and name == "small":
            ratio = median_s(results["stockmill"]) / median_s(results["bare"])
            self.bar("small: ratio to bare renames", ratio, BAR_SMALL_RATIO, "x")
        if results.get("stockmill") and name == "burst":
            self.bar("burst: left behind", max(run.left for run in results["stockmill"]), 0, "files")

    def table(self, results):
        bare = median_s(results["bare"]) if results.get("bare") else None
        print(f"  {'':12} {'median s':>9} {'spread':>15} {'x bare':>7} {'files/s':>8} {'CPU s':>7} {'peak MB':>8} {'left':>6}")
        for name, runs in results.items():
            if not runs:
                continue
            took = median_s(runs)
            spread = f"{min(run.took_s for run in runs):.3g}-{max(run.took_s for run in runs):.3g}"
            ratio = f"{took / bare:.1f}" if bare else "-"
            speed = runs[0].arrived / took if took > 0 else 0
            cpu, peak = statistics.median(run.cpu_s for run in runs), max(run.peak_mb for run in runs)
            left = max(run.left for run in runs)
            peak = f"{peak:.1f}" if peak else "-"
            print(f"  {name:12} {took:9.3f} {spread:>15} {ratio:>7} {speed:8.0f} {cpu:7.2f} {peak:>8} {left:6}")
            problems = sorted({problem for run in runs for problem in run.problems})
            for problem in problems[:5]:
                print(f"    {name}: {problem}")
            self.judge(name, problems + ([f"{left} left behind"] if left else []))

    def waiting(self):
        """Files that wait when the daemon starts: time, memory, and whether time grows with the count alone."""
        few, many = self.sizes.waiting
        print(f"\nwaiting: {few:,} and {many:,} files of 4 kB lie there at the start")
        skipped = [subject.name for subject in self.subjects if not subject.takes_waiting]
        if skipped:
            print(f"  not measured, for they do not look at what waits: {', '.join(skipped)}")
        subjects = [subject for subject in self.subjects if subject.takes_waiting]
        each = {}
        for count in (few, many):
            print(f"  {count:,} files")
            each[count] = self.interleaved(subjects, lambda subject: self.flow(subject, count, True))
            self.table(each[count])
        for name in each[few]:
            if not each[few][name] or not each[many][name] or any(run.left for run in each[many][name]):
                continue
            flatness = median_s(each[many][name]) / many / (median_s(each[few][name]) / few)
            print(f"  {name}: a file of {many:,} takes {flatness:.2f} times as long as one of {few:,}")
        if each[many].get("stockmill"):
            peak = max(run.peak_mb for run in each[many]["stockmill"])
            self.bar("waiting: peak memory", peak, BAR_WAITING_PEAK_MB, "MB")

    def latency(self):
        """One drop after another: from the drop until the file stands in the next folder."""
        print(f"\nlatency: {self.sizes.drops} single drops a round")
        subjects = [subject for subject in self.subjects if subject.is_daemon]
        for way, limit in (("mv", BAR_MV_MS), ("cp", BAR_CP_MS)):
            results = self.interleaved(subjects, lambda subject: self.drop_singly(subject, way))
            print(f"  by {way:9} {'median ms':>9} {'p99 ms':>9} {'worst':>9} {'lost':>5}")
            for name, runs in results.items():
                times = sorted(took for run in runs for took in run[0])
                if not times:
                    continue
                p99 = times[math.ceil(0.99 * len(times)) - 1]
                missing = sum(run[1] for run in runs)
                print(f"  {name:12} {statistics.median(times):9.2f} {p99:9.2f} {times[-1]:9.2f} {missing:5}")
                self.judge(name, [f"{missing} single drops did not arrive"] if missing else [])
                if name == "stockmill":
                    self.bar(f"latency: median by {way}", statistics.median(times), limit, "ms")
                    self.bar(f"latency: p99 by {way}", p99, limit, "ms")

    def drop_singly(self, subject, way):
        """Returns the times in milliseconds, and how many drops did not arrive."""
        with self.fresh(subject) as (folder, place):
            drops = Drops(folder / "staging", self.sizes.drops)
            running = subject.start(place)
            drops.rest()
            watch = Inotify()
            watch.add(place.target, IN_MOVED_TO | IN_CREATE)
            times, missing = [], 0
            pauses = random.Random(7)
            try:
                for name in drops.names:
                    begun = drop(drops.folder / name, place.inbox / name, way)
                    end = time.monotonic() + self.sizes.stall_s
                    while (left := end - time.monotonic()) > 0:
                        if any(name.endswith(b".png") for _, name in watch.read(left)):
                            times.append((time.perf_counter() - begun) * 1000)
                            break
                    else:
                        missing += 1
                    # The pace of the drops: nothing waits for this.
                    time.sleep(pauses.uniform(0.2, 0.4))
            finally:
                running.stop()
                watch.close()
            outcome = Outcome(0, 0, 0, 0)
            check(outcome, subject, place, drops)
            self.judge(subject.name, outcome.problems)
            return times, missing

    def idle(self):
        """Many theme folders and nothing to do: memory and processor time."""
        sizes = self.sizes
        print(f"\nidle: {sizes.folders:,} folders, measured for {sizes.idle_s} s once it is quiet")
        subjects = [subject for subject in self.subjects if subject.is_daemon and subject.name != "least"]
        for kind in ("empty", "with tags.yaml"):
            if kind == "with tags.yaml":
                subjects = [subject for subject in subjects if subject.name == "stockmill"]
            results = self.interleaved(subjects, lambda subject: self.stand(subject, kind), 1)
            print(f"  {kind:14} {'RSS MB':>8} {'CPU %':>7} {'CPU s at start':>15} {'quiet after s':>14}")
            for name, runs in results.items():
                for rss, share, cpu_s, quiet_s in runs:
                    quiet = f"{quiet_s:.1f}" if quiet_s is not None else "never"
                    print(f"  {name:14} {rss:8.1f} {share:7.2f} {cpu_s:15.2f} {quiet:>14}")
                    if name == "stockmill":
                        self.bar(f"idle, {kind}: memory", rss, BAR_IDLE_RSS_MB, "MB")
                        self.bar(f"idle, {kind}: processor", share, BAR_IDLE_CPU, "% of a core")

    def stand(self, subject, kind):
        with self.fresh(subject) as (_, place):
            top = subject.watched(place)
            for number in range(self.sizes.folders):
                theme = top / f"theme-{number:05}"
                theme.mkdir()
                if kind == "with tags.yaml":
                    (theme / "tags.yaml").write_text(f"title: Theme {number}\n")
            running = start(subject, place)
            try:
                began = time.monotonic()
                quiet_s = self.wait_quiet(running, began)
                before, from_s = running.cpu_s(), time.monotonic()
                # The time of the measurement itself.
                time.sleep(self.sizes.idle_s)
                used, passed = running.cpu_s() - before, time.monotonic() - from_s
                running.check_alive()
                return running.memory_mb("VmRSS"), 100 * used / passed, before, quiet_s
            finally:
                running.stop()

    def wait_quiet(self, running, began):
        """Waits for three seconds with next to no work; returns when they began, or None if they never came."""
        window = collections.deque([(0.0, running.cpu_s())])
        while (now := time.monotonic() - began) < self.sizes.settle_s:
            time.sleep(0.25)
            window.append((now, running.cpu_s()))
            while window[-1][0] - window[0][0] > 3:
                then, used = window.popleft()
                if window[-1][1] - used <= 0.03:
                    return then
        return None


def drop(source, target, way):
    """Drops one file; returns the time from which its way is measured."""
    if way == "mv":
        begun = time.perf_counter()
        os.rename(source, target)
        return begun
    shutil.copyfile(source, target)
    return time.perf_counter()


def median_s(runs):
    return statistics.median(run.took_s for run in runs)


def say(text):
    """Shows on a terminal what is under way; a file of results stays clean."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


# ---- Getting the peers -----------------------------------------------------------------------------


def install(names, folder):
    """Makes a virtual environment with the packages; returns its Python and, for each name, a version or a problem."""
    python = folder / "venv" / "bin" / "python"
    done = {}
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, capture_output=True, text=True)
    except (subprocess.CalledProcessError, OSError) as error:
        return str(python), {name: (None, f"no virtual environment can be made: {error}") for name in names}
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    for name in names:
        result = subprocess.run([*pip, "install", name], capture_output=True, text=True)
        if result.returncode:
            reason = (result.stderr.strip() or "pip says nothing").splitlines()[-1]
            done[name] = (None, f"pip cannot install `{name}`: {reason}")
            continue
        code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
        version = subprocess.run([str(python), "-c", code, name], capture_output=True, text=True).stdout.strip()
        done[name] = (version, None)
    return str(python), done


def gather(stockmill, wanted, folder):
    """Returns who can be measured, the reference first; says in words who cannot."""
    packages = {"watchdog": "watchdog", "watchfiles": "watchfiles", "organize": "organize-tool"}
    packages = {name: package for name, package in packages.items() if name in wanted}
    python, installed = install(packages.values(), folder) if packages else (sys.executable, {})
    subjects = [
        Worker("bare", "the reference: os.rename on inotify, nothing checked, nothing flushed", sys.executable, True),
        Stockmill(stockmill),
        Worker("least", "the second reference: the same calls for files and flushes, and nothing else", sys.executable),
        Worker("watchdog", "watchdog Observer, shutil.move in the handler", python),
        Worker("watchfiles", "watchfiles watch(), shutil.move in the loop", python),
        Inotifywait(),
        Organize(python),
    ]
    subjects = [subject for subject in subjects if subject.name in wanted]
    print("who takes part:")
    for subject in subjects:
        version, problem = installed.get(packages.get(subject.name), (None, None))
        subject.problem = subject.problem or problem
        if subject.problem:
            print(f"  {subject.name:12} not measured: {subject.problem}")
        else:
            print(f"  {subject.name:12} {subject.what}{f' ({version})' if version else ''}")
    return [subject for subject in subjects if not subject.problem]


# ---- The command -----------------------------------------------------------------------------------

SUBJECTS = ["bare", "stockmill", "least", "watchdog", "watchfiles", "inotifywait", "organize"]
MEASUREMENTS = ["small", "burst", "waiting", "latency", "idle"]


def file_system(folder):
    """Returns the type of the file system that holds a folder."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if folder == Path(at) or Path(at) in folder.parents]
    return max(above)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stockmill", type=Path, help="the program to measure, best a release build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS + SUBJECTS[2:] + ["stockmill"], metavar="NAME", default=[],
        help=f"only this measurement ({', '.join(MEASUREMENTS)}) or only this peer beside the reference; may be repeated",
    )
    parser.add_argument("--quick", action="store_true", help="small counts, one round: to try the script out")
    parser.add_argument("--folder", type=Path, help="where to work; must be on the disk that is to be measured")
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "INBOX", "TARGET"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        name, inbox, target = asked.worker
        return WORKERS[name](inbox, target)
    if not asked.stockmill:
        parser.error("--stockmill is needed")
    measurements = [name for name in MEASUREMENTS if name in asked.only] or MEASUREMENTS
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
        bench = Bench(subjects, Sizes(asked.quick), 1 if asked.quick else asked.rounds, folder)
        for name in measurements:
            getattr(bench, name)()
            sys.stdout.flush()
    print(f"\nbars missed: {', '.join(bench.missed) or 'none'}")
    for failure in bench.failures:
        print(f"FAILED: stockmill: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
