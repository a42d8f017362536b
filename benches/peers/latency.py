"""One drop after another: from the drop until the file stands in the next folder."""

import math
import os
import random
import shutil
import statistics
import time

from drops import Drops, check
from inotify import IN_CREATE, IN_MOVED_TO, Inotify
from sizes import BAR_CP_MS, BAR_MV_MS


def latency(bench):
    """One drop after another: from the drop until the file stands in the next folder."""
    print(f"\nlatency: {bench.sizes.drops} single drops a round")
    subjects = [subject for subject in bench.subjects if subject.is_daemon]
    for way, limit in (("mv", BAR_MV_MS), ("cp", BAR_CP_MS)):
        results = bench.interleaved(subjects, lambda subject: drop_singly(bench, subject, way))
        print(f"  by {way:9} {'median ms':>9} {'p99 ms':>9} {'worst':>9} {'lost':>5}")
        for name, runs in results.items():
            times = sorted(took for run in runs for took in run[0])
            if not times:
                continue
            p99 = times[math.ceil(0.99 * len(times)) - 1]
            missing = sum(run[1] for run in runs)
            print(f"  {name:12} {statistics.median(times):9.2f} {p99:9.2f} {times[-1]:9.2f} {missing:5}")
            bench.judge(name, [f"{missing} single drops did not arrive"] if missing else [])
            if name == "stockmill":
                bench.bar(f"latency: median by {way}", statistics.median(times), limit, "ms")
                bench.bar(f"latency: p99 by {way}", p99, limit, "ms")


def drop_singly(bench, subject, way):
    """Returns the times in milliseconds, and how many drops did not arrive."""
    with bench.fresh(subject) as (folder, place):
        drops = Drops(folder / "staging", bench.sizes.drops)
        running = subject.start(place)
        drops.rest()
        watch = Inotify()
        watch.add(place.target, IN_MOVED_TO | IN_CREATE)
        times, missing = [], 0
        pauses = random.Random(7)
        try:
            for name in drops.names:
                begun = drop(drops.folder / name, place.inbox / name, way)
                end = time.monotonic() + bench.sizes.stall_s
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
        bench.judge(subject.name, check(subject, place, drops)[1])
        return times, missing


def drop(source, target, way):
    """Drops one file; returns the time from which its way is measured."""
    if way == "mv":
        begun = time.perf_counter()
        os.rename(source, target)
        return begun
    shutil.copyfile(source, target)
    return time.perf_counter()
