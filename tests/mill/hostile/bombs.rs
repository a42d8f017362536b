//! Content that is more, less or something else than it says.

use std::fs::{self, File};
use std::io::Write as _;

use image::{DynamicImage, ImageFormat, Rgb};

use super::{Arrives, SETTINGS, World, run_to_the_end, set_aside, stays};
use crate::picture;

/// Returns zeros in DEFLATE, 258 of them in 13 bits, wrapped as zlib does.
fn zeros(count: u64) -> Vec<u8> {
    let (mut bytes, mut bits, mut filled) = (vec![0x78, 0x01], 0_u32, 0);
    let mut push = |bytes: &mut Vec<u8>, value: u32, length: u32| {
        bits |= value << filled;
        filled += length;
        while filled >= 8 {
            bytes.push(u8::try_from(bits & 0xff).unwrap());
            bits >>= 8;
            filled -= 8;
        }
    };
    let reversed = |code: u32, length: u32| code.reverse_bits() >> (32 - length);
    let literal = reversed(0b0011_0000, 8);
    push(&mut bytes, 0b011, 3);
    push(&mut bytes, literal, 8);
    for _ in 0..(count - 1) / 258 {
        push(&mut bytes, reversed(0b1100_0101, 8), 8);
        push(&mut bytes, 0, 5);
    }
    for _ in 0..(count - 1) % 258 {
        push(&mut bytes, literal, 8);
    }
    push(&mut bytes, 0, 7);
    push(&mut bytes, 0, 7);
    bytes.extend(((u32::try_from(count % 65_521).unwrap() << 16) | 1).to_be_bytes());
    bytes
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

fn png(width: u32, height: u32, depth: u8, data: &[u8], extra: &[Vec<u8>]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 0, 0, 0, 0]].concat();
    let chunks = [chunk(*b"IHDR", &header), extra.concat(), chunk(*b"IDAT", data), chunk(*b"IEND", b"")].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks].concat()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn rgb(seed: u32) -> DynamicImage {
    image::load_from_memory(&picture(seed, 100)).unwrap()
}

/// Returns a JPEG with a further segment after its start.
fn jpeg_with(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, data, &jpeg[2..]].concat()
}

#[test]
fn bombs_are_set_aside_without_being_unpacked() {
    let mut world = World::new(SETTINGS);
    let row_bytes = 40_000 / 8 + 1;
    world.drop(
        "bomb.png",
        &png(40_000, 40_000, 1, &zeros(40_000 * row_bytes), &[]),
        set_aside("it is too large: 40000x40000 pixels"),
    );
    world.drop("lying.png", &png(100_000, 100_000, 8, b"", &[]), set_aside("it is too large: 100000x100000 pixels"));
    world.drop(
        "lying at most.png",
        &png(20_000, 19_999, 8, &zeros(100), &[]),
        set_aside("does not have enough data for image"),
    );
    world.drop("nothing.png", &png(0, 0, 8, &zeros(1), &[]), set_aside("Invalid image dimensions"));
    let text = [b"c\0\0".to_vec(), zeros(300_000_000)].concat();
    world.drop("text.png", &png(100, 100, 8, &zeros(100 * 101), &[chunk(*b"zTXt", &text)]), Arrives);
    let profile = [b"p\0\0".to_vec(), zeros(300_000_000)].concat();
    world.drop(
        "profile.png",
        // Pixels of its own: the same content is not bundled twice.
        &png(100, 101, 8, &zeros(101 * 101), &[chunk(*b"iCCP", &profile), chunk(*b"tEXt", b"a\0b")]),
        Arrives,
    );
    let gif = [&b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;"[..]]
        .concat();
    world.drop("lying.gif", &gif, set_aside("it is too large: 65535x65535 pixels"));
    let lossless = b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0";
    world.drop("lying.webp", lossless, set_aside("Inconsistent image sizes"));
    let extended = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff";
    world.drop("lying canvas.webp", extended, set_aside("Image too large"));
    let tag = |tag: u16, kind: u16, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tags = [
        tag(256, 4, 60_000),
        tag(257, 4, 60_000),
        tag(258, 3, 8),
        tag(259, 3, 1),
        tag(262, 3, 1),
        tag(273, 4, 8),
        tag(277, 3, 1),
        tag(278, 4, 60_000),
        tag(279, 4, 3_600_000_000),
    ];
    let tiff = [&b"II*\0\x08\0\0\0\x09\0"[..], &tags.concat(), &[0; 4]].concat();
    world.drop("lying.tif", &tiff, set_aside("it is too large: 60000x60000 pixels"));
    let ring = [&b"II*\0\x08\0\0\0\x01\0"[..], &tag(256, 4, 10), &8_u32.to_le_bytes()].concat();
    world.drop("ring.tif", &ring, set_aside("a cycle in the list of IFDs"));
    let jpeg = encoded(&rgb(3), ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    let mut huge = jpeg;
    huge[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    world.drop("lying.jpg", &huge, set_aside("it is too large: 65535x65535 pixels"));
    world.survive();
}

#[test]
fn what_is_cut_off_is_set_aside() {
    let mut world = World::new(SETTINGS);
    for (n, (extension, format, cut_off)) in [
        ("png", ImageFormat::Png, "it is cut off: the PNG has no end chunk"),
        ("jpg", ImageFormat::Jpeg, "it is cut off: the JPEG has no end mark"),
        ("webp", ImageFormat::WebP, "it is cut off: the WebP is shorter than its header says"),
        ("gif", ImageFormat::Gif, "it is cut off: the GIF has no end mark"),
        ("tif", ImageFormat::Tiff, "it is cut off: failed to fill whole buffer"),
        ("bmp", ImageFormat::Bmp, "it is cut off: failed to fill whole buffer"),
    ]
    .into_iter()
    .enumerate()
    {
        let whole = encoded(&rgb(u32::try_from(n).unwrap() + 50), format);
        for percent in [20, 60, 97] {
            let cut = &whole[..whole.len() * percent / 100];
            world.drop(format!("cut at {percent}.{extension}"), cut, set_aside(cut_off));
        }
    }
    let part = |name: &[u8; 4], size: u32| [&(size + 8).to_be_bytes()[..], name, &vec![0; size as usize]].concat();
    let video = [part(b"ftyp", 8), part(b"mdat", 5_000), part(b"moov", 20)].concat();
    world.drop("cut.mp4", &video[..4_000], set_aside("it is cut off: the video's last box is not all there"));
    world.drop("no index.mp4", &video[..16 + 5_008], set_aside("it is cut off: the video has no index (`moov`)"));
    world.drop(
        "boxes.mp4",
        &[part(b"ftyp", 8), part(b"free", 0).repeat(200_000)].concat(),
        set_aside("it is cut off: the video has no index (`moov`)"),
    );
    world.survive();
}

#[test]
fn odd_content_is_known_by_what_it_is() {
    let mut world = World::new(SETTINGS);
    for (name, bytes) in [
        ("page.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
        ("script.jpg", b"#!/bin/sh\ntouch /tmp/x\n"),
        ("archive.zip", b"PK\x03\x04 a zip"),
        ("archive.png", b"PK\x03\x04 a zip"),
        ("program.exe", b"MZ\x90\0"),
        ("random.png", &[7; 5_000]),
    ] {
        world.drop(name, bytes, stays("its content is no picture, video or 3D model that stockmill knows"));
    }
    world.drop("empty.png", b"", stays("it is empty so far"));
    // A terabyte of nothing is not read, whatever its head.
    for (n, head) in
        (0..).zip([&b""[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x64\0\0\0\x64\x08\x02\0\0\0", b"\0\0\0\x18ftypisom"])
    {
        let mut file = File::create(world.raw(format!("sparse {n}.png"))).unwrap();
        file.write_all(head).unwrap();
        file.set_len(1 << 40).unwrap();
        world.expect(format!("sparse {n}.png"), stays("most of it is holes"));
    }
    // Two things at once: the picture goes on, and what hangs behind it stays in the archive.
    let polyglot = [world.picture(), b"PK\x03\x04 a hidden zip PK\x05\x06".to_vec()].concat();
    world.drop("polyglot.png", &polyglot, Arrives);
    let mut seed = 70;
    let mut with = |marker: u8, data: &[u8]| {
        seed += 1;
        jpeg_with(&encoded(&rgb(seed), ImageFormat::Jpeg), marker, data)
    };
    world.drop("exif.jpg", &with(0xe1, &[b"Exif\0\0".to_vec(), vec![0xa5; 60_000]].concat()), Arrives);
    world.drop("exif loop.jpg", &with(0xe1, b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0"), Arrives);
    world.drop("xmp.jpg", &with(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><unclosed &bad; <<"), Arrives);
    world.drop("icc.jpg", &with(0xe2, &[b"ICC_PROFILE\0\x01\x01".to_vec(), vec![0xa5; 60_000]].concat()), Arrives);
    world.drop("comment.jpg", &with(0xfe, &vec![0; 60_000]), Arrives);
    world.drop("a jpeg.png", &encoded(&rgb(61), ImageFormat::Jpeg), Arrives);
    world.drop("deep.png", &encoded(&DynamicImage::from(rgb(62).to_rgb16()), ImageFormat::Png), Arrives);
    world.drop("deep grey.png", &encoded(&DynamicImage::from(rgb(63).to_luma16()), ImageFormat::Png), Arrives);
    world.drop("alpha.png", &encoded(&DynamicImage::from(rgb(64).to_rgba8()), ImageFormat::Png), Arrives);
    let mut cmyk = Vec::new();
    let pixels: Vec<u8> = (0..40_000_u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    jpeg_encoder::Encoder::new(&mut cmyk, 90).encode(&pixels, 100, 100, jpeg_encoder::ColorType::Cmyk).unwrap();
    world.drop("cmyk.jpg", &cmyk, Arrives);
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    let frame = |n: u32| {
        image::Frame::new(
            DynamicImage::from(image::RgbImage::from_pixel(4, 4, Rgb([u8::try_from(n % 256).unwrap(), 0, 0])))
                .to_rgba8(),
        )
    };
    encoder.encode_frames((0..10_000).map(frame)).unwrap();
    drop(encoder);
    world.drop("moving.gif", &gif, set_aside("it is animated, and stockmill works on still pictures"));
    let root = world.survive();
    for n in 0..3 {
        assert_eq!(root.at(&format!("raw/winter-cabins/sparse {n}.png")).metadata().unwrap().len(), 1 << 40);
    }
    for path in root.bundled() {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"PK\x03\x04"), "{}", path.display());
    }
}

#[test]
fn files_that_differ_and_show_the_same_picture_leave_nothing_undone() {
    // They become the same bytes once they are enlarged.
    let world = World::new(SETTINGS);
    let jpeg = encoded(&rgb(90), ImageFormat::Jpeg);
    for comment in ["one", "two", "three"] {
        fs::write(world.raw(format!("{comment}.jpg")), jpeg_with(&jpeg, 0xfe, comment.as_bytes())).unwrap();
    }
    run_to_the_end(&world.root);
    let root = world.root;
    let left = |name: &&String| ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage));
    let files = root.files();
    let left: Vec<&String> = files.iter().filter(left).filter(|name| name.ends_with('g')).collect();
    assert!(left.is_empty(), "`once` ended and left {left:?}\n{}", root.log());
}
