"""Inotify, as thin as it gets."""

import ctypes
import os
import select
import struct

IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_Q_OVERFLOW = 0x8, 0x80, 0x100, 0x4000


class Inotify:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")

    def add(self, folder, mask):
        if self.libc.inotify_add_watch(self.fd, os.fsencode(folder), mask) < 0:
            raise OSError(ctypes.get_errno(), f"inotify_add_watch {folder}")

    def read(self, timeout_s=None):
        """Returns (mask, name) of what happened, at the latest after the time-out."""
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return []
        buffer, events, at = os.read(self.fd, 1 << 20), [], 0
        while at < len(buffer):
            _, mask, _, length = struct.unpack_from("iIII", buffer, at)
            at += 16
            events.append((mask, buffer[at : at + length].rstrip(b"\0")))
            at += length
        return events

    def close(self):
        os.close(self.fd)
