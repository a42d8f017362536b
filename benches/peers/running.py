"""A started program with the processes that it starts, measured from /proc."""

import collections
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

MB = 1_000_000
TICKS = os.sysconf("SC_CLK_TCK")


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
