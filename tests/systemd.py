#!/usr/bin/env python3
"""Starts the shipped units under a real systemd, in namespaces of their own, and uses them as a person would.

    python3 tests/systemd.py --stockmill target/release/stockmill

Each unit must become ready (the user unit without its folder), take a picture from `raw` to `keep` in its sandbox, take its
settings anew, let a neural net give way to the rest, and end by itself when it is stopped; and so once more with `gpu.conf`
beside it and a program that enlarges. Where the binary has the feature `delivery` and there is an sshd, the timer of the delivery
has its unit take a bundle there, with a key that it gets as a credential. Needs root on Linux, systemd, and Python 3; says in a
word if something lacks, or if systemd cannot start so much as `touch` in the same sandbox here.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import delivery

HERE = Path(__file__).resolve().parent.parent
SYSTEMD = "/usr/lib/systemd/systemd"
PATIENCE_S = 30
# What a service waits for by default; nothing of the machine's own is to be started.
TARGETS = ["sysinit", "basic", "shutdown", "umount", "final", "exit", "multi-user", "default", "network", "local-fs"]


def why_not():
    if os.geteuid() != 0:
        return "it needs root"
    if not os.access(SYSTEMD, os.X_OK):
        return "there is no systemd here"
    tried = subprocess.run(["unshare", "-fpm", "--mount-proc", "true"], capture_output=True, text=True)
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else None


def picture(edge, value=lambda x, y: x * y % 251):
    """Returns a PNG; of 512 pixels an edge it is large enough to be enlarged by the default settings."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes(value(x, y) for x in range(3 * edge)) for y in range(edge))
    head = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def comes(is_so, within_s):
    end = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def until(is_so, what, log):
    if not comes(is_so, PATIENCE_S):
        said = log.read_text(errors="replace") if log.exists() else "nothing"
        raise SystemExit(f"FAILED: gave up waiting until {what}; the service said:\n{said}")


def unit_text(name, program, home):
    """Returns a shipped unit with the places of this test, and where what it prints goes."""
    text = (HERE / "systemd" / name).read_text()
    for was, now in [
        ("%h/.cargo/bin/stockmill", str(program)),
        ("/usr/local/bin/stockmill", str(program)),
        ("%h/Stockmill", str(home / "mill")),
        ("/srv/stockmill/%i", str(home / "mill")),
        ("User=stockmill", "User=nobody"),
        ("Group=stockmill", "Group=nogroup"),
    ]:
        text = text.replace(was, now)
    said = f"\n[Service]\nStandardOutput=append:{home}/said\nStandardError=append:{home}/said\n"
    return text.replace("\n[Service]\n", said, 1)


def units(folder, name, program, home, with_program):
    folder.mkdir()
    if with_program:
        (folder / "mill.service.d").mkdir()
        shutil.copy(HERE / "systemd" / "gpu.conf", folder / "mill.service.d")
    for target in TARGETS:
        (folder / f"{target}.target").write_text(f"[Unit]\nDescription={target}\nDefaultDependencies=no\n")
    for slice_name in ("system", "user"):
        (folder / f"{slice_name}.slice").write_text("[Slice]\n")
    text = unit_text(name, program, home)
    # It leaves nothing: `run` makes a mill only in an empty folder.
    tried = f"touch {home}/mill/probe && rm {home}/mill/probe && echo probed"
    (folder / "mill.service").write_text(text.replace("[Unit]\n", "[Unit]\nAfter=probe.service\n", 1))
    probe = text.replace("Type=notify", "Type=oneshot").replace(f"{program} run", f"/bin/sh -c '{tried}'")
    lines = [line for line in probe.splitlines() if not line.startswith(("Restart=", "RestartSec=", "WatchdogSec="))]
    (folder / "probe.service").write_text("\n".join(lines))
    after = "[Unit]\nDefaultDependencies=no\nAfter=mill.service\nRequires=mill.service\n"
    # Started after the mill: systemd waits for its word that it is ready.
    (folder / "ready.service").write_text(f"{after}[Service]\nType=oneshot\nExecStart=/bin/touch {home}/ready\n")
    (folder / "test.target").write_text("[Unit]\nDefaultDependencies=no\nWants=probe.service mill.service ready.service\n")


def set_program(mill, program, tools):
    """Has a script enlarge the pictures of a mill."""
    tools.mkdir()
    shutil.copy(program, tools / "enlarge")
    script = tools / "up"
    script.write_text(f'#!/bin/sh\nexec {tools}/enlarge convert "$1" "$2" --scale "$3"\n')
    script.chmod(0o755)
    run = f'[{script}, "{{in}}", "{{out}}", "{{scale}}"]'
    (mill / "stockmill.yaml").write_text(f"keep: {{method: command, scale: 1.5, command: {{run: {run}, scales: [2]}}}}\n")


def start_systemd(units):
    """Starts a systemd of its own, which goes for `test.target`."""
    script = (
        # A credential is mounted by a child, and shows in what is shared with it alone.
        "mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount --make-rshared / && mkdir /run/systemd && "
        f"exec {SYSTEMD} --system --unit=test.target --log-target=null --show-status=no"
    )
    env = {**os.environ, "container": "lxc", "SYSTEMD_UNIT_PATH": str(units)}
    return subprocess.Popen(
        ["unshare", "-fpm", "--mount-proc", "--kill-child", "sh", "-c", script],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def try_delivery(program, folder):
    """Has the timer deliver a bundle to an sshd, by a key that only the unit gets."""
    home, into = folder / "delivery", folder / "into"
    home.mkdir()
    into.mkdir()
    sshd = delivery.Sshd(home, into)
    mill = delivery.Mill(program, home, size=100_000)
    mill.settings(sshd.address(), host_key=sshd.digest(), secret_file=None)
    (mill.root / "upload" / ".stockmill-delivery").mkdir()
    log = home / "said"
    units = home / "units"
    units.mkdir()
    for target in [*TARGETS, "timers"]:
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\nDefaultDependencies=no\n")
    (units / "system.slice").write_text("[Slice]\n")
    text = unit_text("stockmill-deliver.service", program, home)
    credential = f"\n[Service]\nLoadCredential=adobe-stock:{home}/client\n"
    (units / "stockmill-deliver.service").write_text(text.replace("\n[Service]\n", credential, 1))
    timer = (HERE / "systemd" / "stockmill-deliver.timer").read_text()
    timer = timer.replace("OnStartupSec=5min", "OnStartupSec=1s").replace("RandomizedDelaySec=2min", "RandomizedDelaySec=0\nAccuracySec=100ms")
    (units / "stockmill-deliver.timer").write_text(timer)
    (units / "test.target").write_text("[Unit]\nDefaultDependencies=no\nWants=stockmill-deliver.timer\n")
    manager = start_systemd(units)
    try:
        until(lambda: log.exists() and "delivered now" in log.read_text(), "the timer delivers", log)
        if "all delivered (3 files)" not in log.read_text():
            raise SystemExit(f"FAILED: the unit did not deliver; it said:\n{log.read_text()}")
        delivery.arrived("a delivery by the unit", mill, into)
    finally:
        manager.kill()
        manager.wait()
        sshd.stop()
    print("stockmill-deliver.timer: its unit delivered by a credential, in its sandbox")


def delivers(program):
    said = subprocess.run([program, "deliver"], capture_output=True, text=True, env={**os.environ, "STOCKMILL_ROOT": "/nowhere"})
    return "built without delivery" not in said.stdout + said.stderr


def try_unit(name, program, folder, with_program):
    home = folder / (name.replace("@", "-at") + ("-program" if with_program else ""))
    home.mkdir()
    # The user unit starts on a fresh machine; who sets up a server makes the folder for the unit's user.
    if "@" in name or with_program:
        (home / "mill").mkdir()
    if with_program:
        set_program(home / "mill", program, home / "tools")
    if "@" in name:
        shutil.chown(home / "mill", "nobody", "nogroup")
    log = home / "said"
    units(home / "units", name, program, home, with_program)
    manager = start_systemd(home / "units")
    try:
        if not comes(lambda: log.exists() and "probed" in log.read_text(), PATIENCE_S):
            print(f"{name} is not started: systemd cannot set up its sandbox here.")
            return False
        until((home / "ready").exists, f"{name} is ready", log)
        [mill] = mills(program)
        status = Path(f"/proc/{mill}/status").read_text()
        for fact in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"):
            if fact not in status:
                raise SystemExit(f"FAILED: {name}: the process has no `{fact}`")
        (home / "mill" / "raw" / "drop.png").write_bytes(picture(128 if with_program else 512))
        until(lambda: list((home / "mill" / "archive").rglob("*.png")), f"{name} takes a picture to the archive", log)
        if with_program:
            # It is told once all of its steps are done, and the original goes before that.
            until(lambda: "by the program up (x" in log.read_text(), f"{name} has a program enlarge", log)
        settings = home / "mill" / "stockmill.yaml"
        settings.write_text("keep: {method: neural}\n")
        os.kill(mill, 1)
        until(lambda: "Settings read again." in log.read_text(), f"{name} reloads", log)
        (home / "mill" / "raw" / "slow.png").write_bytes(picture(512, lambda x, y: x // 8 + y // 16))
        until(lambda: gives_way(mill), f"{name} has a net at work that gives way", log)
        if "The system refuses" in log.read_text():
            raise SystemExit(f"FAILED: {name} does not let a net give way")
        os.kill(mill, 15)
        until(lambda: "Stopped" in log.read_text(), f"{name} ends by itself", log)
    finally:
        manager.kill()
        manager.wait()
        until(lambda: not mills(program), "everything has ended", log)
    worked = "worked by a program" if with_program else "worked"
    print(f"{name}: ready, sandboxed, {worked}, reloaded, gave way, stopped")
    return True


def gives_way(process):
    """Returns whether a net is at work, on threads with a higher nice value than the first thread has."""
    nice = {}
    for thread in Path(f"/proc/{process}/task").iterdir():
        name, rest = (thread / "stat").read_text().rsplit(")", 1)
        nice[int(thread.name)] = name.endswith("(net"), int(rest.split()[16])
    nets = [own for is_net, own in nice.values() if is_net]
    return bool(nets) and all(own > nice[process][1] for own in nets)


def mills(program):
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_mill(pid, program)]


def is_mill(pid, program):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:2] == [os.fsencode(program), b"run"]
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stockmill", type=Path, required=True, help="the binary")
    asked = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"The units are not started: {reason}.")
        return 0
    # Beneath no home and no temporary folder: the sandbox hides both.
    with tempfile.TemporaryDirectory(prefix="stockmill-units-", dir="/srv") as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        program = folder / "stockmill"
        shutil.copy(asked.stockmill, program)
        names = ("stockmill@.service", "stockmill.service")
        started = [try_unit(name, program, folder, with_program) for with_program in (False, True) for name in names]
        if any(started) and not all(started):
            raise SystemExit("FAILED: a sandbox can be set up here, and one of the units is not started")
        if all(started) and delivers(program) and (shutil.which("sshd") or Path("/usr/sbin/sshd").exists()):
            try_delivery(program, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
