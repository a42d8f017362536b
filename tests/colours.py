"""Drops pictures into a mill whose colours are told in every way that stockmill takes, and compares what comes out with
what littlecms makes of them: `colours.py BINARY`. Needs Pillow and numpy. Prints mean and largest difference of 255."""
import io
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

import profiles
from mill_root import Mill

EDGE = 240
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
power = lambda exponent: profiles.curve(lambda value: value ** exponent, 4096)
rgb = lambda primaries, curve=profiles.curve(steps=4096): profiles.of_rgb("test", profiles.colorants(primaries), curve)
# (mean, largest): what issue and documents promise.
BAR, BAR_OF_INKS = (0.5, 4), (1.0, 8)


def colors(number):
    """Nearly every level of each channel, in an order of its own: two pictures of one content are one asset."""
    y, x = np.mgrid[0:EDGE, 0:EDGE]
    smooth = np.dstack([x * 255 / (EDGE - 1), y * 255 / (EDGE - 1), (x * 7 + y * 3) % 256]).round().astype(np.uint8)
    return np.roll(smooth, number, axis=1)


def dot_gain(gain=0.2):
    """Ink that grows by 20 % at half."""
    return profiles.curve(lambda value: 1 - min(1, (1 - value) + 4 * gain * value * (1 - value)), 4096)


def inks_profile():
    """A profile of inks: a table of 9^4 Lab values (lut16Type) of a plain model of printing with impure inks."""
    steps = np.linspace(0, 1, 9)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    paper = lambda ink, *pass_: np.stack([1 - ink * (1 - share) for share in pass_], -1)
    light = paper(c, 0.03, 0.45, 0.75) * paper(m, 0.70, 0.06, 0.30) * paper(y, 0.92, 0.80, 0.05) * paper(k, 0.02, 0.02, 0.02)
    matrix = np.array(profiles.colorants()).T
    white = np.array(profiles.D50)
    share = (light @ matrix.T) / white
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    lab = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
    coded = np.clip(np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1), 0, 65535)
    table = struct.pack(">4s4xBBBx", b"mft2", 4, 3, 9) + b"".join(map(profiles.fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    straight = struct.pack(">HH", 0, 65535)
    table += struct.pack(">HH", 2, 2) + straight * 4 + coded.round().astype(">u2").tobytes() + straight * 3
    tags = [(b"desc", profiles.text("inks")), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", profiles.xyz(profiles.D50)), (b"A2B0", table)]
    made = profiles.profile(b"CMYK", tags)
    return made[:12] + b"prtr" + made[16:20] + b"Lab " + made[24:]


def png(pixels, *chunks):
    """A PNG of 8 or 16 bits with chunks of its own."""
    depth = pixels.dtype.itemsize * 8
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = pixels.astype(f">u{depth // 8}").reshape(pixels.shape[0], -1)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, kind, 0, 0, 0)
    chunk = lambda name, body: struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    parts = [(b"IHDR", head), *chunks, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def iccp(profile):
    return (b"iCCP", b"x\0\0" + zlib.compress(profile))


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def by_littlecms(image, profile):
    srgb = ImageCms.createProfile("sRGB")
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(image, own, srgb, renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode="RGB"))


def cases():
    """Yields what it is, its name, a function from colours to its bytes and the truth, and the bar."""
    deep = lambda wild: wild.astype(np.uint16) * 257
    cms = lambda wild, profile: by_littlecms(Image.fromarray(wild), profile)

    def of_png(profile, *chunks, make=lambda wild: wild):
        def made(wild):
            truth = cms(wild[..., 0] if profile[16:20] == b"GRAY" else wild, profile)
            return png(make(wild), *chunks), truth
        return made

    def of_pillow(format, profile, channel=slice(None), **options):
        def made(wild):
            image = Image.fromarray(wild[..., channel])
            return saved(image, format, icc_profile=profile, **options), by_littlecms(image, profile)
        return made

    linear, gamma_22 = power(1), power(2.2)
    for name, profile in (("Display P3", rgb(P3)), ("Adobe RGB", rgb(ADOBE, power(563 / 256))), ("linear sRGB", rgb(profiles.SRGB, linear))):
        yield f"iCCP {name}", "x.png", of_png(profile, iccp(profile)), BAR
        yield f"iCCP {name}, 16 bit", "x.png", of_png(profile, iccp(profile), make=deep), BAR
        yield f"TIFF {name}", "x.tif", of_pillow("TIFF", profile), BAR
    # cICP counts before a profile and sRGB.
    others = [iccp(rgb(ADOBE)), (b"sRGB", b"\0")]
    for name, codes, profile in (
        ("P3", (12, 13, 0, 1), rgb(P3)),
        ("BT.2020, linear", (9, 8, 0, 1), rgb(BT2020, linear)),
        ("sRGB", (1, 13, 0, 1), rgb(profiles.SRGB)),
    ):
        yield f"cICP {name}", "x.png", of_png(profile, (b"cICP", bytes(codes)), *others), BAR
    p3 = (b"cHRM", struct.pack(">8I", *(round(value * 100000) for xy in ((0.3127, 0.3290), *P3) for value in xy)))
    gamma = lambda value: (b"gAMA", struct.pack(">I", round(value * 100000)))
    yield "gAMA linear, 16 bit", "x.png", of_png(rgb(profiles.SRGB, linear), gamma(1), make=deep), BAR
    yield "gAMA 1/2.2", "x.png", of_png(rgb(profiles.SRGB, gamma_22), gamma(0.45455)), BAR
    yield "gAMA and cHRM", "x.png", of_png(rgb(P3, gamma_22), gamma(0.45455), p3), BAR
    yield "cHRM", "x.png", of_png(rgb(P3), p3), BAR
    yield "sRGB before gAMA", "x.png", lambda wild: (png(wild, gamma(1), (b"sRGB", b"\0")), wild), BAR
    yield "no profile that can be read", "x.png", lambda wild: (png(wild, iccp(b"nonsense")), wild), BAR
    one = lambda wild: wild[..., 0]
    for name, curve in (("dot gain 20 %", dot_gain()), ("gamma 1.8", power(1.8))):
        profile = profiles.of_grey("test", curve)
        yield f"grey, {name}", "x.png", of_png(profile, iccp(profile), make=one), BAR
        yield f"grey, {name}, 16 bit", "x.png", of_png(profile, iccp(profile), make=lambda wild: one(deep(wild))), BAR
        yield f"grey JPEG, {name}", "x.jpg", of_pillow("JPEG", profile, 0, quality=100), BAR
    # Of a grey curve as steep as this littlecms makes a table of bytes: it is asked as of colours.
    steep = lambda wild: (png(one(wild), gamma(1)), cms(np.dstack([one(wild)] * 3), rgb(profiles.SRGB, linear)))
    yield "grey, gAMA linear", "x.png", steep, BAR

    def inks(format, adobe=0, **options):
        def made(wild):
            image = Image.fromarray(np.dstack([wild, wild[..., 1] // 3]), "CMYK")
            content = saved(image, format, icc_profile=inks_profile(), **options)
            if adobe:
                at = content.index(b"Adobe") + 11
                content = content[:at] + bytes([adobe]) + content[at + 1 :]
            return content, by_littlecms(Image.open(io.BytesIO(content)), inks_profile())
        return made

    yield "CMYK JPEG", "x.jpg", inks("JPEG", quality=100, subsampling=0), BAR_OF_INKS
    # The same values as luminance, two colour differences and black.
    yield "YCCK JPEG", "x.jpg", inks("JPEG", adobe=2, quality=100, subsampling=0), BAR_OF_INKS
    yield "CMYK TIFF", "x.tif", inks("TIFF"), BAR_OF_INKS

    def associated(wild):
        half = np.dstack([wild // 2, np.full(wild.shape[:2], 128, np.uint8)])
        content = saved(Image.fromarray(half), "TIFF")
        # The tag ExtraSamples: of 2, alpha that is apart, 1 is made, alpha by which the colours are multiplied.
        tag = struct.pack("<HHI", 338, 3, 1)
        assert content.count(tag + b"\2") == 1
        content = content.replace(tag + b"\2", tag + b"\1")
        shown = np.minimum(np.round(half[..., :3] * 255.0 / 128), 255)
        return content, np.round((shown * 128 + 255.0 * 127) / 255)

    yield "TIFF of associated alpha", "x.tif", associated, BAR
    floats = lambda wild: saved(Image.fromarray(wild[..., 0] / np.float32(255)), "TIFF")
    yield "TIFF of grey floats", "x.tif", lambda wild: (floats(wild), np.dstack([wild[..., 0]] * 3)), BAR


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        mill = Mill(sys.argv[1], folder)
        mill.call("init", check=True)
        (mill.path / "stockmill.yaml").write_text("keep: {method: none}\nexport: {format: png}\nupload: {markets: []}\n")
        every, truths = list(cases()), []
        for number, (_, name, make, _) in enumerate(every):
            theme = mill.path / "raw" / f"case-{number}"
            theme.mkdir()
            content, truth = make(colors(number))
            (theme / name).write_bytes(content)
            truths.append(truth)
        log = mill.call("once").stdout
        for number, (what, _, _, (mean_max, most)) in enumerate(every):
            found = list((mill.path / "upload" / f"case-{number}").glob("*.png"))
            if not found:
                print(f"FAILED {what}: nothing came out")
                print("\n".join(line for line in log.splitlines() if f"case-{number}/" in line))
                failed += 1
                continue
            image = Image.open(found[0])
            if image.mode == "RGBA":
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            pixels = np.asarray(image).astype(float)
            pixels = np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels[..., :3]
            pixels = pixels / 257 if pixels.max() > 255 else pixels
            far = np.abs(pixels - np.asarray(truths[number], float))
            is_good = far.mean() <= mean_max and far.max() <= most
            failed += not is_good
            print(f"{'ok    ' if is_good else 'FAILED'} {what}: mean {far.mean():.3f}, largest {far.max():.1f}; {image.mode}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
