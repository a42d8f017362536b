"""The same work with Pillow, as somebody would write it: `convert IN OUT SCALE QUALITY SAMPLING`, or a whole mill."""

import csv
import multiprocessing
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SAMPLING = {"444": 0, "420": 2}


def convert(source, target, scale, quality, sampling):
    with Image.open(source) as image:
        size = tuple(round(edge * float(scale)) for edge in image.size)
        image = image.resize(size, Image.Resampling.LANCZOS)
    if target.endswith(".jpg"):
        if image.mode != "RGB":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
        image.save(target, quality=int(quality), subsampling=SAMPLING[sampling], icc_profile=SRGB)
    else:
        image.save(target)


def bundled(job):
    source, target = job
    with Image.open(source) as image:
        scale = (4.2e6 / (image.width * image.height)) ** 0.5
        size = tuple(-int(-edge * scale // 1) for edge in image.size)
        image = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    image.save(target, quality=95, subsampling=0, icc_profile=SRGB)


def mill(folder, out, processes, title, keywords):
    """Resizes and encodes all, then one exiftool call writes the metadata of all, then a CSV."""
    jobs = [(path, Path(out) / f"{path.stem}.jpg") for path in sorted(Path(folder).glob("*.png"))]
    if int(processes) == 1:
        list(map(bundled, jobs))
    else:
        with multiprocessing.Pool(int(processes)) as pool:
            pool.map(bundled, jobs, chunksize=4)
    words = [f"-XMP-dc:Subject={word}" for word in keywords.split(",")]
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", f"-XMP-dc:Title={title}", *words, out], check=True
    )
    with open(Path(out) / "adobe-stock.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Filename", "Title", "Keywords"])
        rows.writerows([target.name, title, keywords] for _, target in jobs)


def thumbnails(folder, out, processes):
    jobs = [(path, Path(out) / f"{path.stem}.jpg") for path in sorted(Path(folder).glob("*.png"))]
    with multiprocessing.Pool(int(processes)) as pool:
        pool.map(thumbnail, jobs, chunksize=4)


def thumbnail(job):
    convert(str(job[0]), str(job[1]), 0.25, 95, "444")


if __name__ == "__main__":
    {"convert": convert, "mill": mill, "thumbnails": thumbnails}[sys.argv[1]](*sys.argv[2:])
