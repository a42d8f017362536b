"""The peers that are libraries, and the two references. Each runs as a program of its own: NAME INBOX TARGET."""

import contextlib
import ctypes
import os
import shutil
import sys
from pathlib import Path

from inotify import IN_CLOSE_WRITE, IN_MOVED_TO, IN_Q_OVERFLOW, Inotify


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


if __name__ == "__main__":
    name, inbox, target = sys.argv[1:]
    WORKERS[name](inbox, target)
