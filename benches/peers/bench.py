"""The rounds: every measurement in a folder of its own, subject after subject, and what is wrong in the end."""

import contextlib
import os
import subprocess
import sys


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


def say(text):
    """Shows on a terminal what is under way; a file of results stays clean."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
