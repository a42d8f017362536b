"""Who is measured: how each is started, and where it takes from and moves to."""

import json
import os
import shutil
import socket
import threading
from pathlib import Path

from mill_root import Mill
from running import Running, wait_until


# The small drops are large enough, and nothing is enlarged.
SETTINGS = "keep: {min_megapixels: 0.01}\n"
WORKERS = Path(__file__).with_name("workers.py")


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
        command = [self.python, str(WORKERS), self.name, str(place.inbox), str(place.target)]
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
            raise SystemExit(f"there is no program `{self.program}`; build it with `cargo build --profile dist`")

    def mill(self, folder):
        return Mill(self.program, folder / "mill")

    def place(self, folder):
        mill = self.mill(folder)
        mill.path.mkdir(parents=True)
        (mill.path / "stockmill.yaml").write_text(SETTINGS + "gates: {keep: hold}\n")
        mill.call("init", check=True)
        place = Place(folder, "mill/raw/bench", "mill/keep/bench")
        (place.inbox / "tags.yaml").write_text("title: Bench\n")
        return place

    def start(self, place, wait=True):
        """Starts the daemon; with `wait`, returns when it tells that it is ready."""
        notify = Notify(place.folder / "notify")
        mill = self.mill(place.folder)
        env = {**mill.environment(), "NOTIFY_SOCKET": str(notify.path)}
        env.pop("WATCHDOG_USEC", None)
        running = Running(mill.words("run"), place.folder / "output", env)
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
