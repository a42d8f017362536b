#!/usr/bin/env python3
"""Measures the processor time of writing metadata into finished JPEGs: stockmill beside exiftool and exiv2.

    cargo build --release --locked --example embed
    python3 benches/metadata/run.py [--count 1000] [--rounds 3] [--binary target/release/examples/embed]

Each writes the same fields into the same files, in their place, in a single process: of exiftool and exiv2 one call for
all files. The files lie in memory (tmpfs), so that the disk is no matter. Beside them stands what it costs to read each
file and to write it again as it is: nobody who replaces files durably can be below that. Rounds are interleaved. numpy
and Pillow make the pictures.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image

KEYWORDS = ["snow", "log cabin", "winter", "forest", "quiet", "Berghütte", "night", "stars", "pine", "lake"]
TITLE = "A quiet cabin in the snow"
TEXT = "A log cabin below pines, with snow on its roof and light in its window."
CREATOR, RIGHTS = "Ann Miller", "© 2026 Ann Miller"
URI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
BARS = {"exiftool": 0.2, "exiv2": 0.5}


def picture(path, seed):
    """Writes a JPEG of about 2 MB: a gradient with noise."""
    rng = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:2000, 0:3000]
    pixels = numpy.stack([x / 12, y / 8, (x + y) / 20], axis=2) + rng.normal(0, 9, (2000, 3000, 3))
    Image.fromarray(numpy.clip(pixels, 0, 255).astype("uint8")).save(path, quality=93)


def exiftool(files):
    fields = [
        f"-XMP-dc:Title={TITLE}", f"-XMP-dc:Description={TEXT}", f"-XMP-dc:Creator={CREATOR}", f"-XMP-dc:Rights={RIGHTS}",
        f"-XMP-photoshop:Headline={TITLE}", f"-XMP-iptcExt:DigitalSourceType={URI}", "-XMP-xmp:CreatorTool=stockmill",
        "-IPTC:CodedCharacterSet=UTF8", f"-IPTC:ObjectName={TITLE}", f"-IPTC:Caption-Abstract={TEXT}",
        f"-IPTC:By-line={CREATOR}", f"-IPTC:CopyrightNotice={RIGHTS}", f"-IPTC:Headline={TITLE}",
        f"-EXIF:ImageDescription={TEXT}", f"-EXIF:Artist={CREATOR}", f"-EXIF:Copyright={RIGHTS}", "-EXIF:Software=stockmill",
        *(f"-{group}={word}" for word in KEYWORDS for group in ("XMP-dc:Subject", "IPTC:Keywords")),
    ]
    return ["exiftool", "-q", "-overwrite_original", *fields, *files]


def exiv2(files):
    lang = lambda text: f"lang=x-default {text}"
    fields = [
        f"set Xmp.dc.title {lang(TITLE)}", f"set Xmp.dc.description {lang(TEXT)}", f"set Xmp.dc.rights {lang(RIGHTS)}",
        f"set Xmp.dc.creator XmpSeq {CREATOR}", f"set Xmp.photoshop.Headline {TITLE}",
        f"set Xmp.iptcExt.DigitalSourceType {URI}", "set Xmp.xmp.CreatorTool stockmill",
        "set Iptc.Envelope.CharacterSet String \x1b%G", f"set Iptc.Application2.ObjectName {TITLE}",
        f"set Iptc.Application2.Caption {TEXT}", f"set Iptc.Application2.Byline {CREATOR}",
        f"set Iptc.Application2.Copyright {RIGHTS}", f"set Iptc.Application2.Headline {TITLE}",
        f"set Exif.Image.ImageDescription {TEXT}", f"set Exif.Image.Artist {CREATOR}",
        f"set Exif.Image.Copyright {RIGHTS}", "set Exif.Image.Software stockmill",
        *(f"set Xmp.dc.subject XmpBag {word}" for word in KEYWORDS),
        *(f"add Iptc.Application2.Keywords {word}" for word in KEYWORDS),
    ]
    return ["exiv2", *(part for field in fields for part in ("-M", field)), *files]


# Reads each file of a folder and writes it again as it is, in the place of the old one.
COPY = """
import os, sys
for name in os.listdir(sys.argv[1]):
    path = os.path.join(sys.argv[1], name)
    with open(path, "rb", buffering=0) as old, open(path + ".new", "xb", buffering=0) as new:
        new.write(old.read())
        os.fsync(new.fileno())
    os.rename(path + ".new", path)
"""


def measured(command):
    """Runs a command, and returns its processor time and its wall time."""
    started = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, time.monotonic() - started


def check(path):
    """Ends if a file does not say what it should."""
    said = subprocess.run(
        ["exiftool", "-s3", "-XMP-dc:Title", "-IPTC:Headline", "-EXIF:Artist", "-XMP-dc:Subject", path],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    if said != [TITLE, TITLE, CREATOR, ", ".join(KEYWORDS)]:
        sys.exit(f"{path} says {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="how many files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binary", default="target/release/examples/embed")
    parser.add_argument("--folder", default="/dev/shm", help="where to work; a tmpfs")
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    subjects = {
        "copied as it is": lambda folder, files: [sys.executable, "-c", COPY, str(folder)],
        "stockmill": lambda folder, files: [binary, str(folder)],
        "with receipts": lambda folder, files: [binary, "--receipts", str(folder)],
        "exiftool": lambda folder, files: exiftool(files),
        "exiv2": lambda folder, files: exiv2(files),
    }
    for name in ("exiftool", "exiv2"):
        if shutil.which(name) is None:
            print(f"{name} is not there and is left out")
            del subjects[name]
    took = {name: [] for name in subjects}
    with tempfile.TemporaryDirectory(dir=options.folder) as work:
        sources = [Path(work) / f"source-{n}.jpg" for n in range(4)]
        for seed, source in enumerate(sources):
            picture(source, seed)
        print(f"{options.count} JPEGs of {sources[0].stat().st_size / 1e6:.2f} MB")
        names = list(subjects)
        for number in range(options.rounds):
            # Another one begins each round.
            for name in names[number % len(names):] + names[:number % len(names)]:
                folder = Path(work) / "files"
                folder.mkdir()
                for n in range(options.count):
                    shutil.copyfile(sources[n % len(sources)], folder / f"{n:05}.jpg")
                files = sorted(str(path) for path in folder.iterdir())
                took[name].append(measured(subjects[name](folder, files)))
                if name != "copied as it is":
                    check(files[-1])
                shutil.rmtree(folder)
    ours = statistics.median(cpu for cpu, _ in took["stockmill"])
    print(f"{'':16}{'cpu s':>9}{'wall s':>9}{'ours / its':>12}{'bar':>7}")
    for name, runs in took.items():
        cpu, wall = (statistics.median(run[at] for run in runs) for at in (0, 1))
        bar = BARS.get(name)
        shown = "" if bar is None else f"{bar:7.2f}  {'met' if ours / cpu <= bar else 'MISSED'}"
        print(f"{name:16}{cpu:9.3f}{wall:9.3f}{ours / cpu:12.3f}{shown}")


if __name__ == "__main__":
    main()
