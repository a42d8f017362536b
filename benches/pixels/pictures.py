"""Makes the test pictures: like a photograph, and the same each time."""

import numpy
from PIL import Image, ImageDraw


def photograph(edge, seed):
    """Returns smooth noise at several scales, with edges and fine strokes like letters, 8 bit RGB."""
    random = numpy.random.default_rng(seed)
    total = numpy.zeros((edge, edge, 3))
    for cells, weight in ((4, 90), (16, 50), (64, 24), (256, 9)):
        noise = (random.random((cells, cells, 3)) * 255).astype("uint8")
        total += weight * numpy.asarray(Image.fromarray(noise).resize((edge, edge), Image.Resampling.BICUBIC)) / 255
    total += random.normal(0, 2.5, total.shape)
    image = Image.fromarray(numpy.clip(total + 40, 0, 255).astype("uint8"))
    draw = ImageDraw.Draw(image)
    for number in range(12):
        x, y, size = (int(value) for value in random.integers(0, edge - 60, 3))
        size = size // 8 + 20
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        draw.polygon([(x, y), (x + size, y + size // 3), (x + size // 4, y + size)], fill=colour)
        draw.text((y, x), f"detail {number} of {seed}: the quick brown fox", fill=colour)
    return image


def save_png(path, image):
    image.save(path, compress_level=6)


def with_alpha(image):
    """Returns the same with a soft round opacity."""
    edge = image.width
    y, x = numpy.mgrid[:edge, :edge] / edge - 0.5
    alpha = numpy.clip(700 * (0.55 - numpy.hypot(x, y)), 0, 255).astype("uint8")
    image = image.convert("RGBA")
    image.putalpha(Image.fromarray(alpha))
    return image


def sixteen_bit(image, seed):
    """Returns the pixels with 16 bits, of which the lower eight are noise."""
    low = numpy.random.default_rng(seed).integers(0, 255, (*image.size[::-1], 3))
    return (numpy.asarray(image).astype("uint16") << 8) + low.astype("uint16")


def save_png16(path, pixels):
    """Writes RGB with 16 bits, which Pillow cannot."""
    import struct
    import zlib

    height, width, _ = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1)
    # Filter `sub`, as programs write it.
    raw = rows.view("u1").reshape(height, -1).astype("int16")
    raw[:, 6:] = raw[:, 6:] - raw[:, :-6].copy()
    lines = numpy.concatenate([numpy.ones((height, 1)), raw & 255], axis=1).astype("uint8").tobytes()

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b"")
    )
