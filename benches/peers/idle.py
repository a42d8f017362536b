"""Much lies there and nothing is to do: memory, and processor time once it is quiet."""

import collections
import datetime
import time

from drops import Drops
from sizes import BAR_IDLE_CPU, BAR_IDLE_RSS_MB
from subjects import SETTINGS, start


def idle(bench):
    """Folders for every peer; for stockmill also themes, files in bundles that are not sent, and files behind a gate."""
    sizes = bench.sizes
    print(f"\nidle: measured for {sizes.idle_s} s once it is quiet")
    daemons = [subject for subject in bench.subjects if subject.is_daemon and subject.name != "least"]
    stockmill = [subject for subject in daemons if subject.name == "stockmill"]
    show(bench, f"{sizes.folders:,} empty folders", daemons, folders, BAR_IDLE_RSS_MB)
    show(bench, f"{sizes.folders:,} themes", stockmill, themes, BAR_IDLE_RSS_MB)
    # Each of these files is remembered, so the bar of memory is not for them; the processor rests all the same.
    show(bench, f"{sizes.bundled:,} in bundles", stockmill, bundled)
    show(bench, f"{sizes.held:,} scheduled", stockmill, scheduled)
    show(bench, f"{sizes.held:,} on hold", stockmill, held)


def show(bench, what, subjects, prepare, rss_mb_max=None):
    results = bench.interleaved(subjects, lambda subject: stand(bench, subject, prepare), 1)
    print(f"  {what:20} {'RSS MB':>8} {'CPU %':>7} {'CPU s at start':>15} {'quiet after s':>14}")
    for name, runs in results.items():
        for rss, share, cpu_s, quiet_s in runs:
            quiet = f"{quiet_s:.1f}" if quiet_s is not None else "never"
            print(f"  {name:20} {rss:8.1f} {share:7.2f} {cpu_s:15.2f} {quiet:>14}")
            if name == "stockmill":
                if rss_mb_max:
                    bench.bar(f"idle, {what}: memory", rss, rss_mb_max, "MB")
                bench.bar(f"idle, {what}: processor", share, BAR_IDLE_CPU, "% of a core")


# ---- What lies there ----


def folders(sizes, subject, place):
    for number in range(sizes.folders):
        (subject.watched(place) / f"theme-{number:05}").mkdir()


def themes(sizes, subject, place):
    folders(sizes, subject, place)
    for number in range(sizes.folders):
        (subject.watched(place) / f"theme-{number:05}" / "tags.yaml").write_text(f"title: Theme {number}\n")


def bundled(sizes, subject, place):
    """Pictures that went through all stages into bundles, and that nobody has sent."""
    mill = subject.mill(place.folder)
    mill.accept_small_pictures()
    (mill.path / "stockmill.yaml").write_text(SETTINGS)
    (place.inbox / "tags.yaml").write_text("title: Winter cabins\nkeywords: [snow, log cabin, cozy, winter, forest]\n")
    Drops(place.folder / "staging", sizes.bundled).rename_into(place.inbox)
    mill.call("once", check=True, patience_s=sizes.prepare_s)
    there = sum(1 for _ in mill.path.glob("upload/*/*/files/*"))
    if there != sizes.bundled:
        raise RuntimeError(f"{there} of {sizes.bundled} files are in bundles")


def scheduled(sizes, subject, place):
    """Pictures in `keep`, which opens in three days."""
    opens = datetime.date.today() + datetime.timedelta(days=3)
    day = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[opens.weekday()]
    (subject.mill(place.folder).path / "stockmill.yaml").write_text(SETTINGS + f'gates: {{keep: {{on: [{day}], at: "09:00"}}}}\n')
    held(sizes, subject, place)


def held(sizes, subject, place):
    """Pictures in `keep`, which is on hold."""
    Drops(place.folder / "staging", sizes.held).rename_into(place.target)


# ---- Measuring ----


def stand(bench, subject, prepare):
    """Returns memory in MB, percent of a core, processor time of the start, and after how long it was quiet."""
    with bench.fresh(subject) as (_, place):
        prepare(bench.sizes, subject, place)
        running = start(subject, place)
        try:
            quiet_s = wait_quiet(running, bench.sizes.settle_s)
            before, from_s = running.cpu_s(), time.monotonic()
            # The time of the measurement itself.
            time.sleep(bench.sizes.idle_s)
            used, passed = running.cpu_s() - before, time.monotonic() - from_s
            running.check_alive()
            return running.memory_mb("VmRSS"), 100 * used / passed, before, quiet_s
        finally:
            running.stop()


def wait_quiet(running, limit_s):
    """Waits for three seconds with next to no work; returns when they began, or None if they never came."""
    began = time.monotonic()
    window = collections.deque([(0.0, running.cpu_s())])
    while (now := time.monotonic() - began) < limit_s:
        time.sleep(0.25)
        window.append((now, running.cpu_s()))
        while window[-1][0] - window[0][0] > 3:
            then, used = window.popleft()
            if window[-1][1] - used <= 0.03:
                return then
    return None
