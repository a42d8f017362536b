"""Runs a program and lets one of its system calls fail, or kills it there. Linux on x86-64.

strace counts calls for each thread, and all calls alike. Here one count goes over all threads, and only calls on files
below a folder count: so the N-th call is the N-th call, and no fault hits the loader or the log.
"""

import ctypes
import errno
import os
import platform
import signal
import struct

# By name: number, and where its files are told: pairs of registers (folder, path), or (file, None).
CALLS = {
    "read": (0, [("rdi", None)]),
    "write": (1, [("rdi", None)]),
    "open": (2, [(None, "rdi")]),
    "pwrite64": (18, [("rdi", None)]),
    "sendfile": (40, [("rdi", None)]),
    "fsync": (74, [("rdi", None)]),
    "fdatasync": (75, [("rdi", None)]),
    "ftruncate": (77, [("rdi", None)]),
    "rename": (82, [(None, "rdi"), (None, "rsi")]),
    "mkdir": (83, [(None, "rdi")]),
    "unlink": (87, [(None, "rdi")]),
    "getdents64": (217, [("rdi", None)]),
    "openat": (257, [("rdi", "rsi")]),
    "mkdirat": (258, [("rdi", "rsi")]),
    "newfstatat": (262, [("rdi", "rsi")]),
    "unlinkat": (263, [("rdi", "rsi")]),
    "renameat": (264, [("rdi", "rsi"), ("rdx", "r10")]),
    "linkat": (265, [("rdi", "rsi"), ("rdx", "r10")]),
    "syncfs": (306, [("rdi", None)]),
    "renameat2": (316, [("rdi", "rsi"), ("rdx", "r10")]),
    "copy_file_range": (326, [("rdx", None)]),
    "statx": (332, [("rdi", "rsi")]),
    "openat2": (437, [("rdi", "rsi")]),
}
CHANGES = ("write", "pwrite64", "sendfile", "fsync", "fdatasync", "ftruncate", "rename", "mkdir", "unlink", "mkdirat", "unlinkat",
           "renameat", "linkat", "syncfs", "renameat2", "copy_file_range")
NAMES = {number: name for name, (number, _) in CALLS.items()}
KILL = "SIGKILL"

REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base "
             "ds es fs gs").split()
TRACEME, CONT, GETREGS, SETREGS, SETOPTIONS = 0, 7, 12, 13, 0x4200
# Follow forks and threads, tell of exec and of the filter's calls, and let nothing outlive us.
OPTIONS = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100000
EVENT_SECCOMP = 7
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


def why_not():
    """Returns why this machine cannot do it, if so."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "calls are counted on Linux on x86-64 alone"
    return None


def ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def filter_of(names):
    """Returns a seccomp filter that stops at the calls with these names."""
    load, equal, answer = 0x20, 0x15, 0x06
    numbers = [CALLS[name][0] for name in names]
    rules = [(load, 0, 0, 0)]
    rules += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    rules += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x7FF00000)]
    packed = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    return ctypes.create_string_buffer(packed, len(packed)), len(rules)


class Outcome:
    """How a run ended: `code` is its exit code, or minus its signal; `calls` is what was counted."""

    def __init__(self):
        self.code, self.calls, self.hit, self.hung = None, [], [], False


def run(words, environment, said, root, fault=None, always=None, watch=None, patience_s=60):
    """Runs a program to its end.

    `fault` is (names, which, error): the call number `which` of those with these names fails with `error`, or is never made
    because of SIGKILL; `which` may be (first, last). `always` gives errors to calls by name. All that is in `watch` is counted.
    """
    names, which, error = fault or ((), (0, 0), None)
    first, last = which if isinstance(which, tuple) else (which, which)
    always = always or {}
    stop_at = sorted(set(names) | set(always) | set(watch or ()))
    program, length = filter_of(stop_at)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(said, 1)
            os.dup2(said, 2)
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            libc.prctl(38, 1, 0, 0, 0)
            filter_program = struct.pack("HxxxxxxQ", length, ctypes.addressof(program))
            libc.prctl(22, 2, filter_program, 0, 0)
            os.execve(words[0], words, environment)
        finally:
            os._exit(127)
    os.waitpid(child, WALL)
    ptrace(SETOPTIONS, child, OPTIONS)
    ptrace(CONT, child)
    outcome, known, counted = Outcome(), {child}, 0
    roots = (os.fsencode(root) + b"/", os.fsencode(root) + b"/logs")

    asked = []

    def out_of_patience(_signal, _frame):
        # Nothing may be raised here: what a wait has just answered would be forgotten.
        outcome.hung = bool(asked)
        asked.append(signal.SIGKILL if asked else signal.SIGTERM)
        os.kill(child, asked[-1])

    before = signal.signal(signal.SIGALRM, out_of_patience)
    signal.setitimer(signal.ITIMER_REAL, patience_s, 20)
    try:
        while True:
            pid, status = os.waitpid(-1, WALL)
            if not os.WIFSTOPPED(status):
                known.discard(pid)
                if pid == child:
                    outcome.code = os.waitstatus_to_exitcode(status)
                    return outcome
                continue
            give = 0
            if status >> 8 == signal.SIGTRAP | EVENT_SECCOMP << 8:
                registers = Registers()
                try:
                    ptrace(GETREGS, pid, ctypes.byref(registers))
                    name = NAMES[registers.orig_rax]
                    where = files_of(pid, name, registers, roots)
                    if where is not None:
                        answer = always.get(name)
                        if name in names:
                            counted += 1
                            if first <= counted <= last:
                                answer = error
                                outcome.hit.append(f"{name} {where}")
                        if watch and name in watch:
                            outcome.calls.append((name, where))
                        if answer == KILL:
                            os.kill(child, signal.SIGKILL)
                        elif answer is not None:
                            registers.orig_rax = 2**64 - 1
                            registers.rax = 2**64 - getattr(errno, answer)
                            ptrace(SETREGS, pid, ctypes.byref(registers))
                except ProcessLookupError:
                    continue
            elif status >> 16 == 0:
                stop = os.WSTOPSIG(status)
                if pid not in known and stop == signal.SIGSTOP:
                    known.add(pid)
                elif stop != signal.SIGTRAP:
                    give = stop
            try:
                ptrace(CONT, pid, give)
            except ProcessLookupError:
                pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outcome.code is None:
            os.kill(child, signal.SIGKILL)


def files_of(pid, name, registers, roots):
    """Returns the files of a call, below the root; None if it is about others."""
    found, inside = [], False
    for folder, path in CALLS[name][1]:
        place = b""
        if path is not None:
            place = text_at(pid, getattr(registers, path))
        if not place.startswith(b"/") and folder is not None:
            handle = ctypes.c_int(getattr(registers, folder) & 0xFFFFFFFF).value
            try:
                base = os.readlink(os.fsencode(f"/proc/{pid}/fd/{handle}" if handle >= 0 else f"/proc/{pid}/cwd"))
            except OSError:
                return None
            place = os.path.join(base, place) if place else base
        inside = inside or (place.startswith(roots[0]) and not place.startswith(roots[1]))
        found.append(os.fsdecode(place.removeprefix(roots[0])))
    return " -> ".join(found) if inside else None


def text_at(pid, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        try:
            memory.seek(address)
            text = memory.read(4096 - address % 4096)
            if b"\0" not in text:
                text += memory.read(4096)
        except OSError:
            # The standard library asks with no path at all whether the kernel has a call.
            return b""
    return text.partition(b"\0")[0]
