"""The two colour profiles that stockmill writes into pictures: `profiles.py` writes `src/craft/srgb.icc` and
`src/craft/grey.icc` from the primaries of sRGB (IEC 61966-2-1), `profiles.py --check` says whether they are what it would
write. Both are version 2, which every program reads. Where Pillow is there, littlecms reads them too."""
import io
import struct
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "src" / "craft"
D50 = (0.9642, 1.0, 0.8249)
D65 = (0.3127, 0.3290)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def of_xy(x, y):
    return (x / y, 1.0, (1 - x - y) / y)


def times(matrix, vector):
    return tuple(sum(a * b for a, b in zip(row, vector)) for row in matrix)


def inverse(m):
    cofactor = lambda i, j: (m[(j + 1) % 3][(i + 1) % 3] * m[(j + 2) % 3][(i + 2) % 3]
                             - m[(j + 1) % 3][(i + 2) % 3] * m[(j + 2) % 3][(i + 1) % 3])
    whole = sum(m[0][j] * cofactor(j, 0) for j in range(3))
    return tuple(tuple(cofactor(i, j) / whole for j in range(3)) for i in range(3))


def colorants(primaries=SRGB, white=D65):
    """The primaries' XYZ, adapted to D50, which they add up to."""
    from_white = of_xy(*white)
    columns = [of_xy(*primary) for primary in primaries]
    shares = times(inverse(tuple(zip(*columns))), from_white)
    before, after = times(BRADFORD, from_white), times(BRADFORD, D50)
    adapted = []
    for column, share in zip(columns, shares):
        cone = times(BRADFORD, tuple(share * value for value in column))
        adapted.append(times(inverse(BRADFORD), tuple(c * a / b for c, a, b in zip(cone, after, before))))
    return adapted


def to_linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def curve(to_linear=to_linear, steps=1024):
    values = [round(to_linear(step / (steps - 1)) * 65535) for step in range(steps)]
    return b"curv\0\0\0\0" + struct.pack(f">I{steps}H", steps, *values)


def text(name):
    return b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name.encode() + b"\0" * (1 + 4 + 4 + 2 + 1 + 67)


def profile(space, tags):
    """Tags that have the same content share it. Each begins at a multiple of four."""
    start = 128 + 4 + 12 * len(tags)
    table, content, places = b"", b"", {}
    for name, data in tags:
        if data not in places:
            content += b"\0" * (-len(content) % 4)
            places[data] = start + len(content)
            content += data
        table += name + struct.pack(">II", places[data], len(data))
    content += b"\0" * (-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s6H4s", start + len(content), b"", 0x02100000, b"mntr", space, b"XYZ ", 2026, 1, 1, 0, 0, 0, b"acsp")
    head = head.ljust(68, b"\0") + b"".join(map(fixed, D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


def of_rgb(name, columns, curve):
    # Rounded, the three still add up to white: an equal red, green and blue is neutral.
    rounded = [[round(value * 65536) / 65536 for value in column] for column in columns]
    for row in range(3):
        rounded[1][row] = round(D50[row] * 65536) / 65536 - rounded[0][row] - rounded[2][row]
    tags = [(b"desc", text(name)), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", xyz(D50))]
    tags += zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, rounded))
    return profile(b"RGB ", tags + [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")])


def of_grey(name, curve):
    return profile(b"GRAY", [(b"desc", text(name)), (b"cprt", b"text\0\0\0\0CC0\0"), (b"wtpt", xyz(D50)), (b"kTRC", curve)])


def ask_littlecms(name, data):
    try:
        from PIL import Image, ImageCms
    except ImportError:
        return print(f"{name}: Pillow is not there, so littlecms was not asked")
    mode = "L" if name == "grey.icc" else "RGB"
    own, theirs = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
    ramp = Image.linear_gradient("L").convert(mode)
    for intent in ImageCms.Intent:
        turned = ImageCms.profileToProfile(ramp, own, theirs, renderingIntent=intent, outputMode="RGB")
        worst = max(abs(a - b) for a, b in zip(turned.tobytes(), ramp.convert("RGB").tobytes()))
        print(f"{name}: littlecms, {intent.name.lower()}: a ramp differs by {worst} of 255")
        if worst > 1:
            sys.exit(1)


def main():
    made = {"srgb.icc": of_rgb("sRGB", colorants(), curve()), "grey.icc": of_grey("Grey, sRGB curve", curve())}
    for name, data in made.items():
        if "--check" not in sys.argv:
            (FOLDER / name).write_bytes(data)
        elif (FOLDER / name).read_bytes() != data:
            sys.exit(f"{FOLDER / name} is not what this script writes")
        ask_littlecms(name, data)


if __name__ == "__main__":
    main()
