"""Getting the peers: what is on PyPI is installed by name into a virtual environment of the run."""

import subprocess
import sys

from subjects import Inotifywait, Organize, Stockmill, Worker

SUBJECTS = ["bare", "stockmill", "least", "watchdog", "watchfiles", "inotifywait", "organize"]


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
