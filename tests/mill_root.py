"""A mill for the scripts that cut and fault the real binary: how it is filled, and what must hold of it afterwards."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
THEME = "winter-cabins"
NOTE = "- Winter cabins \N{EM DASH} snow, log cabin, cozy\n  - prompt: a {log|stone} cabin\n"
STAGES = ("ideas", "raw", "keep", "export", "upload")
# What may lie in an inbox when all work is done.
RECORDS = ("tags.yaml", "prompts.txt")
STEP = re.compile(
    r' (?:INFO|ERROR) (?P<did>.*?) stage="(?P<stage>\w+)"(?: theme="[^"]*")?(?: asset=(?P<asset>\w+))?'
    r'(?: from=(?P<origin>\S+))?(?: to=(?P<to>\S+))?(?: market="(?P<market>[^"]*)")?(?: took_ms=|$)'
)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def picture(seed, edge=120):
    """Returns a whole PNG that no other seed gives."""
    rows = bytearray()
    for y in range(edge):
        rows.append(0)
        for x in range(edge):
            rows += bytes(((x * 3 + seed) % 256, (y * 2 + seed // 256) % 256, (seed * 40 + (x // 8) * (y // 8)) % 256))
    return png((edge, edge, 8, 2), bytes(rows))


def png(size_depth_colour, rows, level=-1):
    """Returns a PNG of width, height, bits and kind of colour, and of rows that each begin with their filter."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", *size_depth_colour, 0, 0, 0)
    packed = zlib.compress(rows, level)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def is_whole(content):
    """Returns whether a PNG or JPEG is whole, as far as its own structure and checksums say."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        at = 8
        while at + 12 <= len(content):
            (length,) = struct.unpack(">I", content[at : at + 4])
            end = at + 12 + length
            if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != struct.unpack(">I", content[end - 4 : end])[0]:
                return False
            if content[at + 4 : at + 8] == b"IEND":
                return end == len(content)
            at = end
        return False
    # Packed pixels have no long run of zeros; a page that never reached the disk has nothing else.
    return content.startswith(b"\xff\xd8") and content.endswith(b"\xff\xd9") and bytes(256) not in content


class Mill:
    """A root, and the binary that works on it."""

    def __init__(self, binary, path):
        self.binary = str(Path(binary).resolve())
        self.path = Path(path)

    def make(self, settings=""):
        """Makes a root with one theme, whose market takes small pictures, so that a run is quick."""
        self.accept_small_pictures()
        # No editor is at work here: notes need not wait for one.
        at_once = "" if "settle:" in settings else "settle: {notes_quiet_s: 0}\n"
        (self.path / "stockmill.yaml").write_text("keep: {method: lanczos, min_megapixels: 0.04}\n" + settings + at_once)
        self.call("init", check=True)
        (self.path / "ideas/note.md").write_text(NOTE)
        self.call("once", check=True)
        assert (self.path / "raw" / THEME / "tags.yaml").exists(), "the note made no theme"

    def accept_small_pictures(self):
        """Gives the root a profile of its market with a lower lowest size, so that small pictures reach a bundle."""
        adobe = (HOUSE / "config/markets/adobe-stock.yaml").read_text()
        assert "min: 4," in adobe, "the market's profile has another lowest size; change it here too"
        (self.path / "markets").mkdir(parents=True, exist_ok=True)
        (self.path / "markets/adobe-stock.yaml").write_text(adobe.replace("min: 4,", "min: 0.01,"))

    def words(self, *words):
        return [self.binary, *words, "--root", str(self.path)]

    def environment(self):
        return {key: value for key, value in os.environ.items() if key not in ("STOCKMILL_ROOT", "NOTIFY_SOCKET")}

    def start(self, *words, log):
        return subprocess.Popen(self.words(*words), stdout=log, stderr=log, env=self.environment())

    def call(self, *words, check=False, patience_s=120):
        """Runs a command to its end and returns it, with all that it said."""
        return subprocess.run(
            self.words(*words),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=check,
            timeout=patience_s,
        )

    def files(self):
        """Returns the content of every file but the log's, the settings' and the areas' marks, by its path below the root."""
        found = {}
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = Path(folder, name)
                below = str(path.relative_to(self.path))
                is_mark = name == ".stockmill-area" or below.startswith(".stockmill/areas/")
                if below != "stockmill.yaml" and not is_mark and not below.startswith(("logs/", "markets/")):
                    found[below] = path.read_bytes()
        return found


def steps(text):
    """Returns every step on an asset or a note that a log reports as done, in order."""
    return [found.groupdict() for found in map(STEP.search, text.splitlines()) if found and found["origin"] and found["to"]]


def drop_all(mill, drops):
    """Writes what a person drops: contents by path below the root."""
    for below, content in drops.items():
        path = mill.path / below
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def products(binary, folder, drops, settings=""):
    """Returns what an undisturbed mill may make of each dropped picture: sets of digests by the original's digest.

    A disturbed mill may end a plan before `export`: then a master lies in between, whose pixels are rounded.
    """
    assert "gates:" not in settings
    made = {}
    for gates in ["", "gates: {export: hold}\n"]:
        mill = Mill(binary, folder)
        mill.make(settings + gates)
        drop_all(mill, drops)
        mill.call("once", check=True)
        mill.call("release", "export", check=True)
        mill.call("once", check=True)
        files = mill.files()
        for archived, (_, content) in bundled(files).items():
            made.setdefault(archived, set()).add(digest(content))
        assert len(made) == sum(below.endswith(".png") for below in drops), f"not all went through: {sorted(files)}"
        shutil.rmtree(folder)
    return made


def bundled(files):
    """Returns every bundled file, name and content, by the digest of its original in the archive."""
    found = {}
    for below, content in files.items():
        if "/files/" in below:
            archived = archived_of(files, below)
            found[digest(files[archived]) if archived in files else f"unknown: {below}"] = (below, content)
    return found


def archived_of(files, below):
    sidecar = files.get(below.replace("/files/", "/sidecars/") + ".yaml", b"").decode("utf-8", "replace")
    named = re.search(r"^  archived: (.+)$", sidecar, re.MULTILINE)
    return named[1] if named else None


class Findings:
    """What is wrong with a root: sentences by kind."""

    def __init__(self):
        self.by_kind = {}

    def add(self, kind, what):
        self.by_kind.setdefault(kind, []).append(what)

    def count(self, kind):
        return len(self.by_kind.get(kind, []))

    def __bool__(self):
        return bool(self.by_kind)

    def lines(self):
        return [f"{kind}: {what}" for kind, said in sorted(self.by_kind.items()) for what in said]


class Account:
    """Where each dropped content lies: what is lost, doubled or strange is counted here, for all scripts."""

    def __init__(self, dropped, lying):
        """Takes the digests of what was dropped, and pairs of a path and the digest of what lies there."""
        self.places = {content: [] for content in dropped}
        self.strange = []
        for path, content in lying:
            self.places.get(content, self.strange).append(path)

    def lost(self):
        return [content for content, paths in self.places.items() if not paths]

    def doubled(self):
        return [content for content, paths in self.places.items() if len(paths) > 1]


def check(mill, drops, made, findings):
    """Checks a root on which all work is done: each original once and whole, each asset bundled once, nothing left."""
    files = mill.files()
    check_files(files, drops, made, findings)
    check_journal(files, findings)


def check_files(files, drops, made, findings):
    check_originals(files, drops, findings)
    check_bundles(files, made, findings)
    check_left(files, findings)
    check_whole(files, drops, made, findings)


def check_originals(files, drops, findings):
    lying = ((below, digest(content)) for below, content in files.items() if not below.startswith(".stockmill/"))
    account = Account(map(digest, drops.values()), lying)
    for dropped, content in drops.items():
        found = account.places[digest(content)]
        if not found:
            findings.add("lost", f"{dropped} is nowhere")
        elif len(found) > 1:
            findings.add("duplicated", f"{dropped} is at {found}")
        elif dropped.endswith((".png", ".md")) and not found[0].startswith("archive/"):
            findings.add("unfinished", f"{dropped} is still at {found[0]}")


def check_bundles(files, made, findings):
    by_original = {}
    for below in files:
        if "/files/" in below:
            archived = archived_of(files, below)
            original = digest(files[archived]) if archived in files else None
            by_original.setdefault(original, []).append(below)
    for below in by_original.pop(None, []):
        findings.add("half", f"{below} has no sidecar that names its original in the archive")
    for original, products_of_it in made.items():
        found = by_original.pop(original, [])
        if not found:
            findings.add("lost", f"nothing is bundled of the original {original[:12]}")
        elif len(found) > 1:
            findings.add("duplicated", f"one original is bundled as {sorted(found)}")
        elif digest(files[found[0]]) not in products_of_it:
            findings.add("half", f"{found[0]} is not what an undisturbed mill makes")
    for found in by_original.values():
        findings.add("duplicated", f"{found} is of an original that nobody dropped")
    names, rows = {}, {}
    for below, content in files.items():
        if "/files/" in below:
            names.setdefault(below.split("/files/")[0], []).append(below.split("/files/")[1])
        elif below.startswith("upload/") and below.endswith("/adobe-stock.csv"):
            lines = content.decode("utf-8", "replace").split("\r\n")
            rows[below.rpartition("/")[0]] = [line.split(",")[0] for line in lines[1:] if line]
    for bundle in sorted(names.keys() | rows.keys()):
        if sorted(names.get(bundle, [])) != sorted(rows.get(bundle, [])):
            files_only = sorted(set(names.get(bundle, [])) - set(rows.get(bundle, [])))
            rows_only = sorted(set(rows.get(bundle, [])) - set(names.get(bundle, [])))
            findings.add("half", f"{bundle}: files without a row {files_only}, rows without a file {rows_only}")


def check_left(files, findings):
    for below in files:
        area, _, rest = below.partition("/")
        if "scratch/" in below:
            findings.add("left behind", below)
        elif area == "failed":
            reason = files[below].decode("utf-8", "replace").strip() if below.endswith(".reason.txt") else ""
            findings.add("set aside", f"{below} {reason}".strip())
        elif area in STAGES and below.rpartition("/")[2] not in RECORDS:
            if area != "upload" or not re.match(r"\d{4}-\d\d-\d\d/", rest):
                findings.add("unfinished", f"{below} is left")


def check_whole(files, drops, made, findings):
    known = {digest(content) for content in drops.values()} | set().union(*made.values())
    tags = {content for below, content in files.items() if below.endswith(f"/{THEME}/tags.yaml")}
    if len(tags) != 1:
        findings.add("half", f"the shared tags have {len(tags)} versions")
    for below, content in files.items():
        if below == ".stockmill/lock" or below.startswith(".stockmill/journal/") or digest(content) in known:
            continue
        if below.startswith(".stockmill/trash/"):
            if not stands(content):
                findings.add("half", f"{below} ({len(content)} bytes), which `undo` may want, is torn")
        elif below.endswith((".png", ".jpg")):
            findings.add("half", f"{below} ({len(content)} bytes) is neither an original nor a whole product")
        elif not is_record(below, content):
            findings.add("half", f"{below} ({len(content)} bytes) is torn")
    for below in files:
        if below.startswith("archive/") and below.endswith(".png") and below + ".yaml" not in files:
            findings.add("half", f"{below} has no sidecar")
        if below.startswith("archive/") and below.endswith(".png.yaml") and below[: -len(".yaml")] not in files:
            findings.add("half", f"{below} has no picture")


def check_journal(files, findings):
    open_plans = {}
    for below in sorted(files):
        if below.startswith(".stockmill/journal/"):
            for line in files[below].split(b"\n")[:-1]:
                crc, _, text = line.partition(b" ")
                if crc != f"{zlib.crc32(text):08x}".encode():
                    break
                record = json.loads(text)
                if record["is"] == "intent":
                    open_plans[record["plan"]] = record["about"]["did"]
                else:
                    open_plans.pop(record["plan"], None)
    for plan, did in open_plans.items():
        findings.add("unfinished", f"plan {plan} ({did}) is open in the journal")


def check_promises(mill, log, findings):
    """Checks, right after a cut and before any recovery, that what the log reported is still so."""
    files = mill.files()
    last = {}
    for step in steps(log):
        last[step["asset"] or step["origin"]] = step
    for step in last.values():
        to = step["to"]
        if to in files and stands(files[to]):
            continue
        # The next step may have begun: then its product stands, since a source leaves last.
        stem = Path(to).stem
        later = STAGES[STAGES.index(step["stage"]) + 2 :]
        further = [below for below in files if below.startswith(later) and Path(below).stem == stem] if later else []
        if step["stage"] == "export":
            further = [below for below in files if "/files/" in below and Path(below).stem == stem]
        if not any(stands(files[below]) for below in further):
            findings.add("undone", f"`{step['did']}` of {step['origin']} was reported, but {to} does not stand")
    for count, bundle in re.findall(r"Manifest written for (\d+) files\. .*?to=(\S+)", log):
        rows = files.get(f"{bundle}/adobe-stock.csv", b"").count(b"\r\n") - 1
        if rows < int(count):
            findings.add("undone", f"a manifest of {count} files was reported for {bundle}; it has {rows} rows")


def is_record(below, content):
    """Returns whether a record is whole: JSON can be read, and all else ends with a line."""
    if below.endswith("checklist.json"):
        try:
            return isinstance(json.loads(content), dict)
        except ValueError:
            return False
    return bool(content) and b"\0" not in content and content.endswith(b"\n")


def stands(content):
    return bool(content) and (is_whole(content) if content[:2] in (b"\x89P", b"\xff\xd8") else not content.strip(b"\0") == b"")


def check_repeats(log, findings):
    """Checks that no step was reported twice: the second time would mean that the first was undone."""
    seen = set()
    for step in steps(log):
        if step["asset"]:
            key = (step["asset"], step["stage"], step["market"])
            if key in seen:
                findings.add("undone", f"`{step['did']}` of asset {step['asset']} was reported twice")
            seen.add(key)
