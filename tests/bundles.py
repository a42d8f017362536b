"""Drops pictures with hostile texts into a mill of seven markets and reads the bundles with programs of others:
`bundles.py BINARY [--assets N] [--kills N] [--keep FOLDER]`. Needs exiftool and exiv2.

Every field must be the same in the file, by both readers, and in the CSV, by Python's own reader; every asset must have
one row with each market, or a reason why it has none; every limit must be kept, and no text be invented."""

import argparse
import csv
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from pathlib import Path

from mill_root import HOUSE, Mill, png

# What the markets' own pages say, apart from the profiles that are on trial.
ADOBE_WORDS = ("generative ai", "ai generated", "midjourney", "stable diffusion", "dall-e")
MARKETS = {
    "adobe-stock": {
        "header": "Filename,Title,Keywords,Category,Releases", "title": 70, "signs": ",;\"<>", "keywords": (1, 50),
        "name": r"[\w.-]{1,30}", "words": ADOBE_WORDS,
    },
    "magnific": {
        "header": "File name;Title;Keywords;Prompt;Model", "title": 100, "signs": ";\"\n", "keywords": (5, 50),
        "name": r"[\w.-]{1,80}", "keyword": "_ai_generated",
    },
    "dreamstime": {
        "header": "Filename,Image Name,Description,Category 1,Category 2,Category 3,keywords,Free,W-EL,P-EL,SR-EL,SR-Price,Editorial,MR doc Ids,Pr Docs",
        "title": 200, "description": (50, 1000), "keywords": (1, 50), "name": r"[A-Za-z0-9]{1,76}\.[a-z]{3}",
        "in_description": "ai generated", "bom": True,
    },
    "123rf": {
        "header": "oldfilename,123rf_filename,description,keywords,country", "title": 255, "keywords": (7, 50),
        "name": r"[\w.-]{1,80}",
    },
    "vecteezy": {
        "header": "Filename,Title,Description,Keywords,License", "title": 100, "description": (0, 500), "keywords": (5, 50),
        "name": r"[\w.-]{1,80}", "in_title": "ai generated", "keyword": "AI generated",
    },
    "shutterstock": {
        "header": "Filename,Description,Keywords,Categories,Editorial,Mature content,illustration", "title": 200,
        "keywords": (7, 50), "name": r"[\w.-]{1,80}", "bom": True, "human": True,
    },
    "pond5": {
        "header": "originalfilename,title,description,keywords,copyright,price,editorial", "title": 80,
        "description": (0, 2000), "keywords": (5, 50), "name": r"[\w.-]{1,80}", "human": True,
    },
}
# What a CSV's column holds, by its header.
COLUMNS = {
    "filename": "name", "file name": "name", "oldfilename": "name", "originalfilename": "name",
    "title": "title", "image name": "title", "description": "description", "keywords": "keywords",
}
FRAGMENTS = [
    "frozen lake", "雪の夜明け", "שלום עולם", "مرحبا", "🎉👨‍👩‍👧", "café", "e\u0301te\u0301", "Ünïcödé", "a&b <i>x</i>", "\"quoted\"", "it's", "]]>", "<!--",
    "&amp;", "semi;colon", "com,ma", "tab\there", "line\nbreak", "bell\u0007", "vt\u000b", "\u202eback\u202c", "\ufeff", "\ufffe", "\ufdd0", "\u2028", "\u0085",
    "100%", "#tag", "C:\\temp", "50€", "½", "ﬁne", "\u200bzero", "snow  double", "generative AI", "Midjourney", "AI-generated", "007", "1e5", "NaN",
    "null", "true", "👍🏽", "𝔘𝔫𝔦", "I\u0307", "ß", "—dash—", "*star*", "|pipe|", "{brace}", "`tick`", "$HOME", "~", "\\n", "%s",
]
STARTS = ["", "", "", "=", "+", "-", "@", "\t=", " =", "'", "\"", "==", "-1+", "=cmd|'/C calc'!A0 "]
PLAIN = "A quiet frozen lake between tall pine trees under a pale winter sky"
WAIT_S = 3600


def letters(text):
    """A text without its case, its accents and its signs."""
    return [c for c in unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text)).casefold() if c.isalnum()]


def is_within(short, long):
    """Whether the letters of one text stand in another in this order."""
    rest = iter(letters(long))
    return all(c in rest for c in letters(short))


def picture(chance):
    edge, cells = 112, 8
    rows = bytearray()
    for y in range(cells):
        colors = [chance.randbytes(3) for _ in range(cells)]
        row = b"\0" + b"".join(color * (edge // cells) for color in colors)
        rows += row * (edge // cells)
    return png((edge, edge, 8, 2), bytes(rows), 1)


def tags(chance, number):
    some = lambda least, most: [chance.choice(FRAGMENTS) for _ in range(chance.randint(least, most))]
    by_camera = number % 8 == 7
    title = chance.choice(STARTS) + " ".join([f"Lake {number}", *some(0, 9)])
    description = chance.choice(STARTS) + " ".join([PLAIN, *some(0, 60)])
    if number % 12 == 5:
        description = "Short"
    keywords = [chance.choice(STARTS) + word for word in some(0, 30)] + [f"lake {n}" for n in range(chance.randint(3, 50))]
    told = {
        "title": title, "description": description, "keywords": keywords,
        "category": {"adobe-stock": 11, "dreamstime": "nature/sea", "shutterstock": "Nature"},
        "source_type": "digitalCapture" if by_camera else "trainedAlgorithmicMedia",
    }
    if number % 10 == 3:
        told["keywords"] = keywords[:2]
    return told


def fill(mill, assets):
    """Drops the assets, 20 to a theme, and returns the tags of each theme."""
    chance = random.Random(14)
    themes = {}
    for number in range((assets + 19) // 20):
        name, told = f"lake-{number:04}", tags(chance, number)
        themes[name] = told
        folder = mill.path / "raw" / name
        folder.mkdir(parents=True)
        # JSON is YAML, where what lies beyond the first plane is not written as two escapes, and what YAML bars is.
        text = json.dumps(told, ensure_ascii=False)
        text = re.sub("[\x85\u2028\ufeff\ufdd0\ufffe]", lambda barred: f"\\u{ord(barred[0]):04x}", text)
        (folder / "tags.yaml").write_text(text, encoding="utf-8")
        for piece in range(min(20, assets - 20 * number)):
            (folder / f"in-{piece}.png").write_bytes(picture(chance))
    return themes


def make(mill):
    (mill.path / "markets").mkdir(parents=True)
    for name in MARKETS:
        text = (HOUSE / f"config/markets/{name}.yaml").read_text()
        text = re.sub(r"(megapixels|edge|bytes): \{min: [\d.]+", lambda key: key[1] + ": {min: " + ("0.01" if key[1] == "megapixels" else "1"), text)
        (mill.path / f"markets/{name}.yaml").write_text(text)
    markets = ", ".join(MARKETS)
    (mill.path / "stockmill.yaml").write_text(
        f"keep: {{method: none, min_megapixels: 0.01}}\nupload: {{markets: [{markets}]}}\ndefaults: {{creator: \"=Jo & <Ñ>\", rights: \"© 2026 Jo\"}}\n"
    )
    mill.call("init", check=True)


def work(mill, kills, log):
    """Lets the mill work to its end, killed a few times on the way; returns seconds and the most memory in MiB."""
    chance, began, most = random.Random(kills), time.monotonic(), 0
    for _ in range(kills):
        process = mill.start("once", log=log)
        try:
            process.wait(chance.uniform(0.3, 6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    for _ in range(2):
        process = mill.start("once", log=log)
        _, status, usage = os.wait4(process.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, f"`once` ended with {status}"
        most = max(most, usage.ru_maxrss // 1024)
    return time.monotonic() - began, most


def by_exiftool(folder):
    """Returns each file's fields, as exiftool reads them."""
    told = subprocess.run(["exiftool", "-X", "-a", "-q", "-charset", "iptc=utf8", str(folder)], capture_output=True)
    rdf = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
    found = {}
    for file in ElementTree.fromstring(told.stdout):
        fields = {}
        for field in file:
            group, _, name = field.tag.rpartition("}")
            items = [item.text or "" for item in field.iter(rdf + "li")]
            group = group.removeprefix("{http://ns.exiftool.org/").removesuffix("/1.0/").removesuffix("/")
            fields[f"{group}:{name}"] = items or [field.text or ""]
        found[Path(file.get(rdf + "about")).name] = fields
    return found


def by_exiv2(files):
    """Returns each file's XMP, as exiv2 gives it and Python reads it."""
    told = subprocess.run(["exiv2", "-pX", *map(str, files)], capture_output=True).stdout.decode("utf-8")
    packets = re.findall(r"<x:xmpmeta.*?</x:xmpmeta>", told, re.DOTALL)
    assert len(packets) == len(files), f"exiv2 reads {len(packets)} of {len(files)} packets"
    dc, li = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
    found = {}
    for file, packet in zip(files, packets):
        tree = ElementTree.fromstring(packet)
        texts = lambda name: [item.text or "" for field in tree.iter(dc + name) for item in field.iter(li)]
        found[file.name] = {name: texts(name) for name in ("title", "description", "subject", "creator")}
    return found


class Judge:
    """What is wrong, each kind of it a few times."""

    def __init__(self):
        self.counts = Counter()

    def must(self, holds, kind, *about):
        if not holds:
            self.counts[kind] += 1
            if self.counts[kind] <= 2:
                print("WRONG", kind, *(repr(one)[:300] for one in about))


def judge_bundle(judge, market, bundle, themes, seen):
    rules = MARKETS[market]
    files = sorted((bundle / "files").iterdir())
    fields, packets = by_exiftool(bundle / "files"), by_exiv2(files)
    rows = []
    for manifest in sorted(bundle.glob("*.csv")):
        content = manifest.read_bytes()
        judge.must(content.startswith(b"\xef\xbb\xbf") == rules.get("bom", False), "byte-order mark", manifest)
        separator = ";" if ";" in rules["header"] else ","
        table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True))
        judge.must(separator.join(table[0]) == rules["header"], "header", table[0])
        judge.must(len(table) <= 5001 and len(content) <= 1_000_000, "manifest too large", manifest)
        rows += table[1:]
    header = [COLUMNS.get(name.lower()) for name in rules["header"].split(separator)]
    names = [row[header.index("name")] for row in rows]
    judge.must(sorted(names) == [file.name for file in files], "rows and files", bundle, set(names) ^ {file.name for file in files})
    for row in rows:
        name = row[header.index("name")]
        judge.must(len(row) == len(header), "cells", row)
        for cell in row:
            judge.must(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")), "formula", name, cell)
            judge.must(not re.search(r"[\x00-\x1f\x7f\ufdd0\ufffe\uffff]", cell), "control character", name, cell)
        if name in fields and name in packets:
            sidecar = (bundle / "sidecars" / f"{name}.yaml").read_text(encoding="utf-8")
            theme, asset = (re.search(rf"^{key}: '?([^\s']+)", sidecar, re.MULTILINE)[1] for key in ("theme", "id"))
            seen[asset].append(market)
            judge_row(judge, rules, dict(zip(header, row)), fields[name], packets[name], themes[theme])


def judge_row(judge, rules, row, fields, packet, typed):
    name = row["name"]
    is_by_ai = typed["source_type"] == "trainedAlgorithmicMedia"
    judge.must(re.fullmatch(rules["name"], name), "file name", name)
    judge.must(not (is_by_ai and rules.get("human")), "made by AI", name)
    of = lambda field: (fields.get(field) or [""])[0]
    title, description, keywords = of("XMP/XMP-dc:Title"), of("XMP/XMP-dc:Description"), fields.get("XMP/XMP-dc:Subject", [])
    for field, value in (("title", [title]), ("description", [description]), ("subject", keywords)):
        judge.must((packet[field] or [""]) == value, f"exiftool and exiv2: {field}", name, packet[field], value)
    if "title" in row:
        judge.must(row["title"] == title, "title in file and CSV", name, title, row["title"])
    if "description" in row:
        judge.must(row["description"] in (description, title), "description in file and CSV", name, description, row["description"])
    judge.must(row["keywords"] == ",".join(keywords), "keywords in file and CSV", name, keywords, row["keywords"])
    for field, whole, limit in (("Title", title, 64), ("Description", description, 2000)):
        short = of("IPTC/IPTC:" + {"Title": "ObjectName", "Description": "Caption-Abstract"}[field])
        judge.must(whole.startswith(short) and len(whole.encode()[:limit]) - len(short.encode()) < 8, "IPTC", name, short, whole)
    short = fields.get("IPTC/IPTC:Keywords", [])
    judge.must(len(short) == len(keywords) and all(map(str.startswith, keywords, short)), "IPTC keywords", name, short, keywords)
    judge.must(of("EXIF/IFD0:ImageDescription") in (description, ""), "EXIF", name, of("EXIF/IFD0:ImageDescription"), description)
    # Limits.
    judge.must(0 < len(title) <= rules["title"] or "title" not in row, "length of title", name, title)
    judge.must(not set(title) & set(rules.get("signs", "")), "signs in title", name, title)
    if "description" in rules:
        least, most = rules["description"]
        judge.must(least <= len(row["description"]) <= most, "length of description", name, len(row["description"]))
    least, most = rules["keywords"]
    judge.must(least <= len(keywords) <= most, "number of keywords", name, len(keywords))
    judge.must(len({word.casefold() for word in keywords}) == len(keywords), "keyword twice", name, keywords)
    for word in rules.get("words", ()):
        pattern = r"(?<!\w)" + re.escape(word).replace(r"\ ", r"[ _-]+") + r"(?!\w)"
        judge.must(not re.search(pattern, "\n".join([title, *keywords]), re.IGNORECASE), "forbidden word", name, word, title, keywords)
    # What says that AI made it, and nothing that nobody typed.
    if is_by_ai:
        says = lambda key, text: rules.get(key, "") in text.lower().replace("-", " ")
        judge.must(says("in_title", title), "AI in title", name, title)
        judge.must(says("in_description", row.get("description", "")), "AI in description", name)
        judge.must(rules.get("keyword", "") in [*keywords, ""], "AI as keyword", name, keywords)
    judge.must(of("XMP/XMP-iptcExt:DigitalSourceType").endswith(("/" + typed["source_type"], "")), "source type", name)
    flags = f" {rules.get('in_title', '')} {rules.get('in_description', '')}"
    judge.must(is_within(title, typed["title"] + flags), "title is invented", name, title, typed["title"])
    told = typed["description"] + typed["title"] + flags
    judge.must(is_within(description, told), "description is invented", name, description, typed["description"])
    wanted = {"".join(letters(word)) for word in typed["keywords"]} | {"".join(letters(rules.get("keyword", "")))}
    for word in keywords:
        judge.must(any("".join(letters(word)) in other for other in wanted), "keyword is invented", name, word)


def judge_all(judge, mill, themes, assets):
    seen, held = defaultdict(list), defaultdict(set)
    for bundle in sorted(mill.path.glob("upload/2*/*")):
        market = re.sub(r"-\d+$", "", bundle.name) if bundle.name not in MARKETS else bundle.name
        judge_bundle(judge, market, bundle, themes, seen)
    # What `history` tells: a kill may come between a step and its line in the log.
    for journal in sorted(mill.path.glob(".stockmill/journal/*")):
        for line in journal.read_text(encoding="utf-8").splitlines():
            asset = re.search(r'"asset":"(\w+)"', line)
            for markets in re.findall(r"((?:[\w-]+, )*[\w-]+) refuses? it: ", line):
                held[asset[1] if asset else ""].update(markets.split(", "))
    waiting = [file for file in mill.path.glob("upload/lake-*/*.jpg")]
    judge.must(len(seen) + len(waiting) == assets, "assets lost", len(seen), len(waiting), assets)
    for asset, markets in seen.items():
        judge.must(len(markets) == len(set(markets)), "twice to a market", asset, markets)
        judge.must(set(markets) | held[asset] == set(MARKETS), "refused without a reason", asset, markets, held[asset])
    left = [file for stage in ("raw", "keep", "export") for file in mill.path.glob(f"{stage}/*/*.*") if file.name != "tags.yaml"]
    judge.must(not left, "left in a stage", left[:5])
    failed = [file for file in mill.path.glob("failed/**/*") if file.is_file() and file.name != ".stockmill-area"]
    judge.must(not failed, "in failed/", failed[:5])
    return len(seen), sum(map(len, seen.values())), len(waiting)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--assets", type=int, default=200)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder that is not there yet, for the mill to be looked at afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        mill = Mill(options.binary, options.keep or Path(scratch, "mill"))
        make(mill)
        themes = fill(mill, options.assets)
        with open(Path(scratch, "log"), "wb") as log:
            seconds, memory = work(mill, options.kills, log)
        judge = Judge()
        assets, files, waiting = judge_all(judge, mill, themes, options.assets)
    print(f"{assets} assets as {files} files in bundles, {waiting} wait; {options.kills} kills; {seconds:.0f} s, {memory} MiB")
    print(f"wrong: {dict(judge.counts) or 'nothing'}")
    sys.exit(1 if judge.counts else 0)


if __name__ == "__main__":
    main()
