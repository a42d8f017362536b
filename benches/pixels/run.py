#!/usr/bin/env python3
"""Measures stockmill's pixels beside Pillow and libvips: whole processes, in interleaved rounds, medians.

    python3 benches/pixels/run.py [--only a,m] [--rounds 5] [--binary target/release/stockmill] [--counts 60,200]

benches/README.md says what it needs. What is not there is named, and the rest goes on.
"""

import argparse
import importlib.util
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

import pictures

HERE = Path(__file__).resolve().parent
PILLOW = [sys.executable, str(HERE / "peer_pillow.py")]
TITLE, KEYWORDS = "A quiet cabin in the snow", "cabin,snow,winter,forest,quiet"
# Runs a command, and prints what it took as the last line.
STARTER = """
import os, sys, time
started = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
wall = time.monotonic() - started
print("\\n%f %f %d" % (wall, used.ru_utime + used.ru_stime, used.ru_maxrss))
sys.exit(0 if status == 0 else 1)
"""


@dataclass
class Run:
    """What one process took, with all its children."""

    wall: float
    cpu: float
    mib: float
    bytes: int


def measured(command, threads, out, env=None):
    """Runs a command on as many processors as it has threads; a failure ends the measurement."""
    pinned = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))]
    # The kernel counts the memory of who starts a program as the program's, until that is larger: a small one starts it.
    starter = [sys.executable, "-I", "-S", "-c", STARTER, *pinned, *map(str, command)]
    said = subprocess.run(
        starter, capture_output=True, text=True, errors="replace",
        env={**os.environ, "VIPS_CONCURRENCY": str(threads), **(env or {})},
    )
    if said.returncode != 0:
        sys.exit(f"{command} ended with {said.returncode}: {said.stderr[-2000:]}")
    wall, cpu, kib = map(float, said.stdout.splitlines()[-1].split())
    files = [out] if out.is_file() else [path for path in out.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    return Run(wall, cpu, kib / 1024, total)


class Row:
    """One kind of work, done by several programs in turn."""

    def __init__(self, title, subjects, rounds, quality=None):
        self.title, self.quality = title, quality
        self.runs = {name: [] for name, _ in subjects}
        for number in range(rounds):
            # Another one begins each round.
            for name, run in subjects[number % len(subjects):] + subjects[:number % len(subjects)]:
                self.runs[name].append(run())

    def show(self):
        print(f"\n{self.title}\n{'':22}{'wall s':>9}{'cpu s':>9}{'MiB':>8}{'kB out':>9}{'wall':>8}{'cpu':>8}{'MiB':>7}  quality")
        middle = lambda name, of: statistics.median(getattr(run, of) for run in self.runs[name])
        ours = next(iter(self.runs))
        for name in self.runs:
            wall, cpu, mib, size = (middle(name, of) for of in ("wall", "cpu", "mib", "bytes"))
            ratios = [middle(ours, of) / middle(name, of) for of in ("wall", "cpu", "mib")]
            shown = "".join(f"{ratio:{width}.2f}" for ratio, width in zip(ratios, (8, 8, 7)))
            quality = self.quality(name) if self.quality else ""
            print(f"{name:22}{wall:9.3f}{cpu:9.3f}{mib:8.0f}{size / 1000:9.0f}{shown}  {quality}")
        sys.stdout.flush()


def exact(image, size):
    """Returns an image enlarged by a Lanczos filter of three lobes in doubles, and rounded once, at the end."""
    pixels = numpy.asarray(image.convert("RGB")).astype("float64")
    for axis, length in ((0, size[1]), (1, size[0])):
        pixels = numpy.tensordot(weights(pixels.shape[axis], length), pixels, (1, axis))
        pixels = numpy.moveaxis(pixels, 0, axis)
    return Image.fromarray(numpy.clip(numpy.rint(pixels), 0, 255).astype("uint8"))


def weights(old, new):
    support = max(1.0, old / new)
    centres = (numpy.arange(new) + 0.5) * old / new - 0.5
    away = (numpy.arange(old)[None, :] - centres[:, None]) / support
    kernel = numpy.where(abs(away) < 3, numpy.sinc(away) * numpy.sinc(away / 3), 0)
    return kernel / kernel.sum(axis=1, keepdims=True)


def similarity(reference, made):
    """Returns SSIMULACRA2 of a picture beside its reference, as text."""
    if importlib.util.find_spec("ssimulacra2") is None:
        return "no ssimulacra2"
    from ssimulacra2 import compute_ssimulacra2

    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.png", "made.png")]
        reference.save(paths[0])
        Image.open(made).convert("RGB").save(paths[1])
        return f"{compute_ssimulacra2(*paths):.2f}"


class Bench:
    def __init__(self, asked, folder):
        self.binary, self.rounds, self.folder = asked.binary.resolve(), asked.rounds, folder
        self.counts = [int(count) for count in asked.counts.split(",")]
        self.vips = shutil.which("vips")
        if not self.vips:
            print("libvips is left out: there is no `vips`")

    def one(self, title, source, scale, out, threads, quality=95, sampling="444", reference=None, peers=("pillow", "vips")):
        """One picture to one file, by each program."""
        made = {name: self.folder / f"{name}{out}" for name in ("stockmill", *peers)}
        of_jpeg = ["--quality", quality, "--subsampling", sampling] if made["stockmill"].suffix == ".jpg" else []
        ours = [self.binary, "convert", source, made["stockmill"], "--force", "--scale", scale, "--threads", threads, *of_jpeg]
        commands = {"stockmill": ours}
        if "pillow" in peers:
            commands["pillow"] = [*PILLOW, "convert", source, made["pillow"], scale, quality, sampling]
        if "vips" in peers and self.vips:
            how = f"[Q={quality},subsample-mode={'off' if sampling == '444' else 'on'}]" if out == ".jpg" else ""
            if scale == 1:
                commands["vips"] = [self.vips, "copy", source, f"{made['vips']}{how}"]
            else:
                commands["vips"] = [self.vips, "resize", source, f"{made['vips']}{how}", scale, "--kernel", "lanczos3"]
        subjects = [
            (name, lambda name=name, command=command: measured(command, threads, made[name]))
            for name, command in commands.items()
        ]
        quality = (lambda name: similarity(reference, made[name])) if reference else None
        Row(f"{title}, {threads} thread{'s' * (threads > 1)}", subjects, self.rounds, quality).show()

    def png(self, edge, seed=1):
        path = self.folder / f"photo-{edge}-{seed}.png"
        if not path.exists():
            pictures.save_png(path, pictures.photograph(edge, seed))
        return path

    def a(self):
        source = self.png(1024)
        reference = exact(Image.open(source), (4096, 4096))
        for threads in (1, 2):
            self.one("a: PNG 1024 -> x4 -> JPEG q95 4:4:4", source, 4, ".jpg", threads, reference=reference)
        self.photographs()

    def photographs(self):
        """The quality of real photographs, where scikit-image has some."""
        if importlib.util.find_spec("skimage") is None:
            return print("no photographs: there is no scikit-image")
        from skimage import data

        for name in ("astronaut", "coffee", "chelsea"):
            try:
                image = Image.fromarray(getattr(data, name)())
            except Exception as error:
                print(f"no photograph `{name}`: {error}")
                continue
            source = self.folder / f"{name}.png"
            image.save(source)
            reference = exact(image, tuple(edge * 4 for edge in image.size))
            self.one(f"a: photograph `{name}` -> x4 -> JPEG q95 4:4:4", source, 4, ".jpg", 2, reference=reference)

    def b(self):
        self.one("b: PNG 2048 -> x2 -> JPEG q95 4:4:4", self.png(2048), 2, ".jpg", 2)

    def c(self):
        source = self.folder / "camera.jpg"
        pictures.photograph(4000, 3).crop((0, 0, 4000, 3000)).save(source, quality=95, subsampling=2)
        self.one("c: JPEG 12 MP 4:2:0 -> JPEG q92 4:2:0", source, 1, ".jpg", 2, 92, "420", peers=("vips",))

    def d(self):
        image = pictures.photograph(1024, 4)
        alpha, deep = self.folder / "alpha.png", self.folder / "deep.png"
        pictures.save_png(alpha, pictures.with_alpha(image))
        pictures.save_png16(deep, pictures.sixteen_bit(image, 4))
        for out in (".png", ".jpg"):
            self.one(f"d: RGBA PNG 1024 -> x4 -> {out}", alpha, 4, out, 2, peers=("pillow",))
            self.one(f"d: 16-bit PNG 1024 -> x4 -> {out}", deep, 4, out, 2, peers=("vips",))

    def many(self, count):
        folder = self.folder / f"many-{count}"
        if not folder.exists():
            folder.mkdir()
            for seed in range(count):
                pictures.save_png(folder / f"p{seed:04}.png", pictures.photograph(1024, seed))
        return folder

    def e(self):
        source = self.many(100)

        def run(command, name):
            out = self.fresh(name)
            return measured([*command, source, out, *((2,) if name == "pillow" else ())], 2, out)

        ours = [self.binary, "convert", "--scale", "0.25", "--threads", 2, "--subsampling", "444"]
        theirs = [*PILLOW, "thumbnails"]
        subjects = [("stockmill", lambda: run(ours, "stockmill")), ("pillow, 2 processes", lambda: run(theirs, "pillow"))]
        Row("e: 100 PNG 1024 -> thumbnails of 256, 2 threads", subjects, self.rounds).show()

    def m(self):
        if not shutil.which("exiftool"):
            return print("m is left out: there is no `exiftool`")
        for count in self.counts:
            source = self.many(count)
            subjects = [
                ("stockmill", lambda: self.mill(source, count)),
                ("script, 1 process", lambda: self.script(source, 1, count)),
                ("script, 2 processes", lambda: self.script(source, 2, count)),
            ]
            Row(f"m: {count} PNG 1024, raw to bundle; cpu counts against 1 process, wall against 2", subjects, self.rounds).show()

    def mill(self, source, count):
        root = self.fresh("mill")
        env = {"STOCKMILL_ROOT": str(root)}
        subprocess.run([self.binary, "init"], env={**os.environ, **env}, check=True, capture_output=True)
        theme = root / "raw" / "cabins"
        theme.mkdir()
        (theme / "tags.yaml").write_text(f"title: {TITLE}\nkeywords: [{KEYWORDS.replace(',', ', ')}]\n")
        for path in source.iterdir():
            shutil.copy(path, theme)
        # Files that were there a while need no quiet time; both sides begin with what is on the disk.
        os.sync()
        time.sleep(1)
        run = measured([self.binary, "once"], 2, root / "upload", env)
        bundled = [path for path in (root / "upload").rglob("*.jpg") if re.search(r"-\d+\.jpg$", path.name)]
        if len(bundled) != count:
            sys.exit(f"{len(bundled)} of {count} were bundled: see {root}/logs")
        run.bytes = sum(path.stat().st_size for path in bundled)
        return run

    def script(self, source, processes, count):
        out = self.fresh("script")
        run = measured([*PILLOW, "mill", source, out, processes, TITLE, KEYWORDS], 2, out)
        made = list(out.glob("*.jpg"))
        if len(made) != count:
            sys.exit(f"the script made {len(made)} of {count}")
        run.bytes = sum(path.stat().st_size for path in made)
        return run

    def fresh(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="a,b,c,d,e,m", help="letters of rows, with commas between them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--binary", type=Path, default=HERE.parents[1] / "target/release/stockmill")
    parser.add_argument("--counts", default="60,200", help="how many pictures go through the whole mill in `m`")
    parser.add_argument("--folder", type=Path, help="where to work; else beside the program")
    asked = parser.parse_args()
    rows = asked.only.split(",")
    unknown = [row for row in rows if row not in "abcdem" or len(row) != 1]
    if unknown:
        parser.error(f"no row is called {', '.join(unknown)}: there are a, b, c, d, e, m")
    with tempfile.TemporaryDirectory(prefix="pixels-", dir=asked.folder or asked.binary.resolve().parent) as folder:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; the last columns but one are ours / theirs")
        bench = Bench(asked, Path(folder))
        for row in rows:
            getattr(bench, row)()


if __name__ == "__main__":
    main()
