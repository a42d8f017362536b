"""Many files at once: dropped on a daemon, or lying there when it starts."""

import os
import statistics
import time

from drops import Drops, check
from sizes import BAR_WAITING_PEAK_MB, BARS_SMALL
from subjects import start


class Outcome:
    def __init__(self, arrived, took_s, cpu_s, peak_mb):
        self.arrived, self.took_s, self.cpu_s, self.peak_mb = arrived, took_s, cpu_s, peak_mb
        self.left, self.problems = 0, []


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


def flow(bench, subject, count, is_waiting):
    """Drops `count` files on a subject, or starts it on them; follows and checks."""
    with bench.fresh(subject) as (folder, place):
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
            outcome = follow(running, place, count, begun, bench.sizes)
        finally:
            running.stop()
        outcome.left, outcome.problems = check(subject, place, drops)
        return outcome


def small(bench):
    """Many small drops at once: how long until the last stands in the next folder."""
    flows(bench, "small", bench.sizes.small, lambda subject: True)


def burst(bench):
    """A burst that overflows the kernel's queue of events: how long, and how many are left behind."""
    flows(bench, "burst", bench.sizes.burst, lambda subject: subject.name != "least")


def flows(bench, name, count, takes_part):
    print(f"\n{name}: {count:,} files of 4 kB, dropped by rename")
    subjects = [subject for subject in bench.subjects if takes_part(subject)]
    results = bench.interleaved(subjects, lambda subject: flow(bench, subject, count, False))
    table(bench, results)
    for reference, most in BARS_SMALL.items():
        if results.get("stockmill") and results.get(reference) and name == "small":
            ratio = median_s(results["stockmill"]) / median_s(results[reference])
            bench.bar(f"small: ratio to {reference}", ratio, most, "x")
    if results.get("stockmill") and name == "burst":
        bench.bar("burst: left behind", max(run.left for run in results["stockmill"]), 0, "files")


def table(bench, results):
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
        bench.judge(name, problems + ([f"{left} left behind"] if left else []))


def waiting(bench):
    """Files that wait when the daemon starts: time, memory, and whether time grows with the count alone."""
    few, many = bench.sizes.waiting
    print(f"\nwaiting: {few:,} and {many:,} files of 4 kB lie there at the start")
    skipped = [subject.name for subject in bench.subjects if not subject.takes_waiting]
    if skipped:
        print(f"  not measured, for they do not look at what waits: {', '.join(skipped)}")
    subjects = [subject for subject in bench.subjects if subject.takes_waiting]
    each = {}
    for count in (few, many):
        print(f"  {count:,} files")
        each[count] = bench.interleaved(subjects, lambda subject: flow(bench, subject, count, True))
        table(bench, each[count])
    for name in each[few]:
        if not each[few][name] or not each[many][name] or any(run.left for run in each[many][name]):
            continue
        flatness = median_s(each[many][name]) / many / (median_s(each[few][name]) / few)
        print(f"  {name}: a file of {many:,} takes {flatness:.2f} times as long as one of {few:,}")
    if each[many].get("stockmill"):
        peak = max(run.peak_mb for run in each[many]["stockmill"])
        bench.bar("waiting: peak memory", peak, BAR_WAITING_PEAK_MB, "MB")


def median_s(runs):
    return statistics.median(run.took_s for run in runs)
