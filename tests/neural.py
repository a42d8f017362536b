"""The net that comes with stockmill against onnxruntime, on the same weights.

    cargo build --release --example upscale_rows
    python3 tests/neural.py target/release/examples/upscale_rows [--speed] [--all]

Needs the packages numpy, onnx and onnxruntime. Each picture may differ by 1 of 255, in 1 of 1000 samples. Results must
have the same bits for any number of threads, and with AVX2 and AVX-512; the mean of three channels and of areas is
checked too. `--all` takes wide pictures as well, `--speed` compares processor time and tells memory.
"""
import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MODELS = Path(__file__).parent.parent / "models"
SIZES = [(1, 1), (3, 5), (64, 64), (100, 37), (301, 202)]
WIDE = [(1024, 96), (8192, 64)]
SHARE_MAX = 1e-3


def weights(name):
    """The layers of a file of weights, as `src/craft/neural/weights.rs` describes it."""
    file = (MODELS / name).read_bytes()
    layers = {}
    for n in range(struct.unpack_from("<I", file, 12)[0]):
        entry = struct.unpack_from("<16s4H2I", file, 48 + 32 * n)
        shape, (weight, bias) = entry[1:5], entry[5:]
        values = np.frombuffer(file, "<f2", int(np.prod(shape)), weight).astype(np.float32)
        layers[entry[0].rstrip(b"\0").decode()] = values.reshape(shape), np.frombuffer(file, "<f4", shape[0], bias)
    return np.frombuffer(file, "<f4", 3, 24), np.frombuffer(file, "<f4", 1, 36), layers


def reference(restore):
    """A session of onnxruntime with the mix of both files."""
    mean, gain, base = weights("span_x4_48_base.spanw")
    fine = weights("span_x4_48_fine.spanw")[2]
    share = np.float32(restore / 100)
    nodes, numbers = [], {"mean": mean.reshape(1, 3, 1, 1), "gain": gain, "half": np.array([0.5], np.float32)}

    def add(kind, *inputs, **options):
        nodes.append(helper.make_node(kind, list(inputs), [f"v{len(nodes)}"], **options))
        return f"v{len(nodes) - 1}"

    def conv(name, value):
        for part, (one, other) in zip("wb", zip(base[name], fine[name])):
            numbers[f"{name}.{part}"] = ((1 - share) * one + share * other).astype(np.float32)
        edge = base[name][0].shape[2] // 2
        return add("Conv", value, f"{name}.w", f"{name}.b", pads=[edge] * 4)

    silu = lambda value: add("Mul", value, add("Sigmoid", value))
    first = last = conv("conv_1", add("Mul", add("Sub", "in", "mean"), "gain"))
    outputs = []
    for block in range(1, 7):
        inner = silu(conv(f"block_{block}.c1", last))
        out = conv(f"block_{block}.c3", silu(conv(f"block_{block}.c2", inner)))
        last = add("Mul", add("Add", out, last), add("Sub", add("Sigmoid", out), "half"))
        outputs.append(last)
    joined = add("Concat", first, conv("conv_2", last), outputs[0], inner, axis=1)
    up = add("DepthToSpace", conv("upsampler", conv("conv_cat", joined)), blocksize=4, mode="CRD")
    edge = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None])
    values = [numpy_helper.from_array(value, name) for name, value in numbers.items()]
    graph = helper.make_graph(nodes, "span", [edge("in")], [edge(up)], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def picture(width, height):
    """Waves, squares and noise."""
    noise = np.random.default_rng(width * 10007 + height)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([127 + 100 * np.sin(x / 7 + y / 11 + color) for color in range(3)], -1)
    squares = ((x // 9 + y // 5) % 2 * 60 - 30)[..., None]
    return np.clip(waves + squares + noise.normal(0, 8, waves.shape), 0, 255).astype(np.uint8)


def expected(session, image):
    rows = image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
    batch = (rows.astype(np.float32) / 255).transpose(2, 0, 1)[None]
    return np.clip(session.run(None, {"in": batch})[0][0].transpose(1, 2, 0), 0, 1) * 255


def enlarged(binary, image, restore, scale=4, threads=1, cpu="best"):
    """What the binary gives; its processor time; its memory in kB."""
    height, width, channels = (*image.shape, 1)[:3]
    words = [binary, restore, width, height, channels, scale, threads, cpu]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as said:
        source.write(image.tobytes())
        source.seek(0)
        process = subprocess.Popen([str(word) for word in words], stdin=source, stdout=result, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        if status:
            said.seek(0)
            sys.exit(f"{words} ended with {status}: {said.read().decode()}")
        result.seek(0)
        said.seek(0)
        numbers = np.frombuffer(result.read(), "<f4").reshape(height * scale, width * scale, channels)
        peak = re.search(r"VmHWM:\s+(\d+)", said.read().decode())
    return numbers, used.ru_utime + used.ru_stime, int(peak[1]) if peak else 0


def cpus(binary):
    tiny = np.zeros((1, 1, 3), np.uint8)
    works = lambda cpu: subprocess.run([binary, "0", "1", "1", "3", "4", "1", cpu], input=tiny.tobytes(),
                                       capture_output=True).returncode == 0
    return [cpu for cpu in ("any", "avx2", "avx512") if works(cpu)]


def compare(what, found, expected, wrong):
    steps = [np.floor(values + 0.5) for values in (found, expected)]
    apart = np.abs(steps[0] - steps[1])
    share = (apart > 0).mean()
    is_right = apart.max() <= 1 and share <= SHARE_MAX
    print(f"{what}: at most {np.abs(found - expected).max():.4f} apart, {100 * share:.4f} % of the bytes differ"
          + ("" if is_right else ": WRONG"), flush=True)
    wrong.extend([] if is_right else [what])


def equal(binary, sizes, wrong):
    kinds = cpus(binary)
    print("instructions:", ", ".join(kinds))
    for restore in (0, 50, 100):
        session = reference(restore)
        for width, height in sizes:
            image = picture(width, height)
            right = expected(session, image)
            bits = {}
            for cpu in kinds:
                what = f"{width}x{height}, restore {restore}, {cpu}"
                found = enlarged(binary, image, restore, cpu=cpu)[0]
                compare(what, found, right, wrong)
                others = [enlarged(binary, image, restore, cpu=cpu, threads=threads)[0] for threads in (2, 3)]
                if not all(np.array_equal(found, other) for other in others):
                    wrong.append(f"{what}: threads change it")
                bits[cpu] = found
            if {"avx2", "avx512"} <= bits.keys() and not np.array_equal(bits["avx2"], bits["avx512"]):
                wrong.append(f"{width}x{height}: AVX2 and AVX-512 differ")
        image = picture(37, 22)
        right = expected(session, image)
        areas = np.repeat(np.repeat(right, 3, 0), 3, 1)
        for scale, edge in ((2, 6), (3, 4)):
            means = areas.reshape(22 * scale, edge, 37 * scale, edge, 3).mean((1, 3))
            compare(f"x{scale}, restore {restore}", enlarged(binary, image, restore, scale)[0], means, wrong)
        grey = image[..., 1].copy()
        means = expected(session, grey).mean(2, keepdims=True)
        compare(f"grey, restore {restore}", enlarged(binary, grey, restore)[0], means, wrong)


def speed(binary, rounds=5):
    """Processor time of both, one after the other in each round."""
    session, image = reference(0), picture(512, 512)
    batch = {"in": (image.astype(np.float32) / 255).transpose(2, 0, 1)[None]}
    session.run(None, batch)
    kinds = {f"{cpu}, {threads} threads": (cpu, threads) for cpu in cpus(binary) for threads in (1, 2)}
    times = {name: [] for name in ["onnxruntime", *kinds]}
    # What the start costs is not the net's: reading the weights, and pixels through pipes.
    tiny = picture(1, 1)
    for _ in range(rounds):
        before = os.times()
        session.run(None, batch)
        after = os.times()
        times["onnxruntime"].append(after.user + after.system - before.user - before.system)
        start = enlarged(binary, tiny, 0)[1]
        for name, (cpu, threads) in kinds.items():
            times[name].append(enlarged(binary, image, 0, cpu=cpu, threads=threads)[1] - start)
    theirs = median(times["onnxruntime"])
    for name, each in times.items():
        print(f"{name}: {median(each):.3f} s for 512x512, onnxruntime takes {theirs / median(each):.2f} times as long")
    for width, height in ((1024, 256), (1024, 1024), (8192, 64)):
        for threads in (1, 2):
            kilobytes = enlarged(binary, picture(width, height), 0, threads=threads)[2] - enlarged(binary, tiny, 0)[2]
            print(f"{width}x{height}, {threads} threads: {kilobytes / 1024:.0f} MB more than for one pixel")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    wrong = []
    equal(options.binary, SIZES + (WIDE if options.all else []), wrong)
    if options.speed:
        speed(options.binary)
    print("\n".join(["wrong:", *wrong]) if wrong else "all equal")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
