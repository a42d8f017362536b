"""What is dropped: small, valid, distinct PNG files; and what became of them."""

import os
import random
import time
from pathlib import Path

from mill_root import Account, digest, png


def noise(seed):
    """Returns a grey PNG of 120 x 128 pixels, a little under 4 kB, that no other seed gives."""
    grey = random.Random(seed).randbytes(30 * 128)
    rows = b"".join(b"\0" + grey[row : row + 30] for row in range(0, len(grey), 30))
    return png((120, 128, 2, 0), rows, 0)


class Drops:
    """Files that lie ready in a staging folder, and what was in them."""

    def __init__(self, folder, count, first_seed=0):
        self.folder = folder
        self.digests = set()
        folder.mkdir(parents=True)
        self.names = [f"generated-{number:06}.png" for number in range(count)]
        for number, name in enumerate(self.names):
            content = noise(first_seed + number)
            self.digests.add(digest(content))
            (folder / name).write_bytes(content)
        assert len(self.digests) == count, "two drops are alike"
        self.written = time.monotonic()

    def rest(self):
        """Waits until the youngest file is a second old: a file that was just written is not what is measured."""
        while (left := self.written + 1 - time.monotonic()) > 0:
            time.sleep(left)

    def rename_into(self, inbox):
        """Drops all by rename; returns the wall time just before the first."""
        pairs = [(str(self.folder / name), str(inbox / name)) for name in self.names]
        begun = time.time_ns()
        for source, target in pairs:
            os.rename(source, target)
        return begun


def check(subject, place, drops):
    """Returns how many drops do not stand in the next folder, and in words which are not whole or not alone."""
    lying = []
    for folder, _, names in os.walk(place.folder):
        lying.extend(Path(folder, name) for name in names if name.endswith(".png"))
    account = Account(drops.digests, ((path, digest(path.read_bytes())) for path in lying))
    problems = []
    if subject.name == "stockmill":
        arrived = [path for path in lying if path.parent == place.target]
        problems.extend(f"{path.name} has no sidecar" for path in arrived if not path.with_name(f"{path.name}.yaml").is_file())
    for found, word in ((account.lost(), "lost"), (account.doubled(), "doubled"), (account.strange, "damaged")):
        if found:
            problems.append(f"{len(found)} {word}")
    left = sum(all(path.parent != place.target for path in paths) for paths in account.places.values())
    return left, problems
