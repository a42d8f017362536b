use crate::model::Kind;

/// How many bytes at a file's start are needed to tell its type.
pub const HEAD_BYTES: usize = 64 << 10;

/// Returns what a file is by its first bytes. The extension only decides between formats that have no
/// mark of their own.
pub fn sniff(head: &[u8], extension: &str) -> Option<Kind> {
    by_mark(head)
        .or_else(|| by_boxes(head, extension))
        .or_else(|| by_text(head, extension))
        .or_else(|| by_archive(head, extension))
        .or_else(|| stl(head, extension))
}

fn by_mark(head: &[u8]) -> Option<Kind> {
    let at = |offset: usize, mark: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let marks: [(&[u8], Kind); 17] = [
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"\xff\xd8\xff", Kind::Jpeg),
        (b"GIF87a", Kind::Gif),
        (b"GIF89a", Kind::Gif),
        (b"II*\0", Kind::Tiff),
        (b"MM\0*", Kind::Tiff),
        // BigTIFF.
        (b"II+\0\x08\0\0\0", Kind::Tiff),
        (b"MM\0+\0\x08\0\0", Kind::Tiff),
        (b"glTF", Kind::Glb),
        (b"Kaydara FBX Binary  \0", Kind::Fbx),
        (b"; FBX ", Kind::Fbx),
        (b"\xef\xbb\xbf; FBX ", Kind::Fbx),
        (b"BLENDER", Kind::Blend),
        (b"ply\n", Kind::Ply),
        (b"ply\r", Kind::Ply),
        (b"#usda ", Kind::Usda),
        (b"PXR-USDC", Kind::Usdc),
    ];
    if let Some((_, kind)) = marks.iter().find(|(mark, _)| at(0, mark)) {
        return Some(*kind);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some(Kind::Webp);
    }
    if at(0, b"RIFF") && at(8, b"AVI ") {
        return Some(Kind::Avi);
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        let is_webm = head.windows(7).take(64).any(|window| window == b"\x42\x82\x84webm");
        return Some(if is_webm { Kind::Webm } else { Kind::Mkv });
    }
    // The mark of a bitmap has only two letters: its header must make sense too.
    let is_bmp =
        at(0, b"BM") && head.get(14..18).is_some_and(|size| matches!(size, [12 | 40 | 52 | 56 | 108 | 124, 0, 0, 0]));
    is_bmp.then_some(Kind::Bmp)
}

/// Returns what a picture is that stockmill does not take.
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    let is_box = head.get(4..8) == Some(b"ftyp");
    // The brand, and those that it is said to be compatible with.
    let length = u32::from_be_bytes(*head.first_chunk()?) as usize;
    let brands = || head.get(8..length.min(head.len())).unwrap_or_default().chunks_exact(4);
    let has = |known: &[&[u8; 4]]| is_box && brands().any(|brand| known.iter().any(|known| brand == *known));
    let begins = |mark: &[u8]| head.starts_with(mark);
    match () {
        () if has(&[b"avif", b"avis"]) => Some("an AVIF"),
        () if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"]) => Some("a HEIC"),
        () if has(&[b"crx "]) => Some("a camera's raw picture"),
        () if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL \r\n\x87\n") => Some("a JPEG XL"),
        () if begins(b"\0\0\0\x0cjP  \r\n\x87\n") || begins(b"\xff\x4f\xff\x51") => Some("a JPEG 2000"),
        () if begins(b"8BPS") => Some("a Photoshop document"),
        () => None,
    }
}

/// Brands of pictures and sound that use the same boxes as videos (ISO/IEC 14496-12).
const STILL_OR_SOUND: [&[u8; 4]; 24] = [
    b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"avci", b"avcs",
    b"mif1", b"mif2", b"msf1", b"miaf", b"crx ", b"jxl ", b"jp2 ", b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ",
];

/// Recognises a video in boxes. Old `.mov` files have no brand and begin with any box.
fn by_boxes(head: &[u8], extension: &str) -> Option<Kind> {
    let mut at = 0_usize;
    // A few boxes without content may stand before the first one that decides.
    for _ in 0..8 {
        let size = u32::from_be_bytes(head.get(at..at + 4)?.try_into().expect("four bytes are four bytes"));
        let next = at.checked_add(size as usize)?;
        match head.get(at + 4..at + 8)? {
            b"ftyp" => {
                let brand: &[u8] = head.get(at + 8..at + 12)?;
                let is_sound = matches!(extension, "m4a" | "m4b" | "m4p" | "m4r" | "aac");
                let is_video = !is_sound && !STILL_OR_SOUND.iter().any(|other| &other[..] == brand);
                return is_video.then_some(if brand == b"qt  " { Kind::Mov } else { Kind::Mp4 });
            }
            b"moov" | b"mdat" | b"pnot" if !(2..8).contains(&size) => return Some(Kind::Mov),
            b"wide" | b"free" | b"skip" if size >= 8 && next < head.len() => at = next,
            // The unused space is larger than the bytes that are given.
            b"wide" | b"free" | b"skip" if size >= 8 && matches!(extension, "mov" | "qt" | "mp4" | "m4v") => {
                return Some(if matches!(extension, "mov" | "qt") { Kind::Mov } else { Kind::Mp4 });
            }
            _ => return None,
        }
    }
    None
}

fn by_text(head: &[u8], extension: &str) -> Option<Kind> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') && text.contains("<COLLADA") {
        return Some(Kind::Dae);
    }
    match extension {
        "obj" => {
            let is_obj = |line: &str| {
                matches!(
                    line.split_whitespace().next(),
                    Some("v" | "vn" | "vt" | "f" | "o" | "g" | "mtllib" | "usemtl")
                )
            };
            text.lines().take(1000).any(is_obj).then_some(Kind::Obj)
        }
        "gltf" => (text.starts_with('{') && has_gltf_key(text)).then_some(Kind::Gltf),
        _ => None,
    }
}

/// Returns whether a text has a key of a glTF: `asset` must be somewhere, but may stand behind long lists.
fn has_gltf_key(text: &str) -> bool {
    const KEYS: [&str; 12] = [
        "\"asset\"",
        "\"accessors\"",
        "\"animations\"",
        "\"bufferViews\"",
        "\"buffers\"",
        "\"extensionsUsed\"",
        "\"images\"",
        "\"materials\"",
        "\"meshes\"",
        "\"nodes\"",
        "\"scenes\"",
        "\"textures\"",
    ];
    KEYS.iter().any(|key| text.contains(key))
}

/// Recognises packed files: the mark is that of the archive, and the extension tells what is in it.
fn by_archive(head: &[u8], extension: &str) -> Option<Kind> {
    let is_zip = head.starts_with(b"PK\x03\x04");
    match extension {
        "usdz" if is_zip => Some(Kind::Usdz),
        "3mf" if is_zip => Some(Kind::ThreeMf),
        "blend" if head.starts_with(b"\x1f\x8b") || head.starts_with(b"\x28\xb5\x2f\xfd") => Some(Kind::Blend),
        _ => None,
    }
}

fn stl(head: &[u8], extension: &str) -> Option<Kind> {
    if extension != "stl" {
        return None;
    }
    let is_text = head.starts_with(b"solid") && head.windows(5).any(|window| window == b"facet");
    (is_text || head.len() > 84).then_some(Kind::Stl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn content_decides_and_not_the_extension() {
        let cases: [(&[u8], &str, Option<Kind>); 43] = [
            (b"\x89PNG\r\n\x1a\n....", "jpg", Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", "png", Some(Kind::Jpeg)),
            (b"RIFF\0\0\0\0WEBPVP8 ", "x", Some(Kind::Webp)),
            (b"<svg xmlns=''/>", "png", None),
            (b"<html>", "png", None),
            (b"\0\0\0\x18ftypqt  ", "mov", Some(Kind::Mov)),
            (b"\0\0\0\x18ftypisom", "mov", Some(Kind::Mp4)),
            (b"\0\0\0\x18ftyp3gp4", "3gp", Some(Kind::Mp4)),
            (b"\0\0\0\x18ftypavif", "avif", None),
            (b"\0\0\0\x18ftypmsf1", "heic", None),
            (b"\0\0\0\x18ftypheis", "mp4", None),
            // A camera's raw picture was taken for a video.
            (b"\0\0\0\x18ftypcrx ", "cr3", None),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl", None),
            (b"\0\0\0\x18ftypM4A ", "m4a", None),
            (b"\0\0\0\x18ftypM4B ", "m4b", None),
            (b"\0\0\0\x18ftypmp42", "m4a", None),
            // QuickTime without a brand.
            (b"\0\0\x20\0moov", "mov", Some(Kind::Mov)),
            (b"\0\0\0\x01mdat\0\0\0\0", "bin", Some(Kind::Mov)),
            (b"\0\0\0\x08wide\0\0\x20\0mdat", "mov", Some(Kind::Mov)),
            (b"\0\0\0\x14pnot", "mov", Some(Kind::Mov)),
            (b"\0\0\0\x0cfree....\0\0\0\x18ftypqt  ", "mov", Some(Kind::Mov)),
            (b"\0\x02\0\0skip....", "mov", Some(Kind::Mov)),
            (b"\0\x02\0\0skip....", "txt", None),
            (b"\0\0\0\x04moov", "mov", None),
            (b"# cube\nv 0 0 0\n", "obj", Some(Kind::Obj)),
            (b"\xef\xbb\xbfmtllib x\n", "obj", Some(Kind::Obj)),
            (b"hello", "obj", None),
            (b"PK\x03\x04....", "zip", None),
            (b"PK\x03\x04....", "usdz", Some(Kind::Usdz)),
            (b"PK\x03\x04....", "3mf", Some(Kind::ThreeMf)),
            (b"BLENDER-v405", "blend", Some(Kind::Blend)),
            (b"\x1f\x8b\x08", "blend", Some(Kind::Blend)),
            (b"\x28\xb5\x2f\xfd", "blend", Some(Kind::Blend)),
            (b"\x1f\x8b\x08", "gz", None),
            (b"ply\r\nformat", "ply", Some(Kind::Ply)),
            (b"#usda 1.0\n", "usd", Some(Kind::Usda)),
            (b"PXR-USDC\0", "usd", Some(Kind::Usdc)),
            (b"<?xml version=\"1.0\"?>\n<COLLADA xmlns=\"\">", "dae", Some(Kind::Dae)),
            (b"\xef\xbb\xbf<COLLADA>", "dae", Some(Kind::Dae)),
            (b"{\"asset\":{}}", "gltf", Some(Kind::Gltf)),
            // `asset` may come behind megabytes of lists.
            (b"\xef\xbb\xbf{ \"accessors\": [", "gltf", Some(Kind::Gltf)),
            (b"{\"a\": 1}", "gltf", None),
            (b"{\"asset\":{}}", "json", None),
        ];
        for (head, extension, kind) in cases {
            assert_eq!(sniff(head, extension), kind, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn what_is_not_taken_is_named() {
        let cases: [(&[u8], Option<&str>); 12] = [
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf....", Some("an AVIF")),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic....", Some("a HEIC")),
            (b"\0\0\0\x14ftypmif1\0\0\0\0mif1heic", None),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Some("a camera's raw picture")),
            (b"\xff\x0a....", Some("a JPEG XL")),
            (b"\0\0\0\x0cJXL \r\n\x87\n", Some("a JPEG XL")),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Some("a JPEG 2000")),
            (b"8BPS\0\x01", Some("a Photoshop document")),
            (b"\0\0\0\x18ftypisom", None),
            (b"\0\0\0\x18ftypM4A ", None),
            (b"\xff\xff\xff\xffftypavif", Some("an AVIF")),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(foreign(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(head in proptest::collection::vec(any::<u8>(), 0..200), extension in "[a-z]{0,4}") {
            let _ = sniff(&head, &extension);
            let _ = foreign(&[b"\0\0\0\x40ftyp", &head[..]].concat());
        }
    }
}
