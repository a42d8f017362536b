use crate::model::Kind;

/// How much of a file's start is needed to tell its type.
pub const HEAD_BYTES: usize = 64 << 10;

/// Returns what a file is by its first bytes. The extension only decides between formats that have no
/// mark of their own.
pub fn sniff(head: &[u8], extension: &str) -> Option<Kind> {
    by_mark(head)
        .or_else(|| by_text(head, extension))
        .or_else(|| by_archive(head, extension))
        .or_else(|| stl(head, extension))
}

fn by_mark(head: &[u8]) -> Option<Kind> {
    let at = |offset: usize, mark: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let marks: [(&[u8], Kind); 11] = [
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"\xff\xd8\xff", Kind::Jpeg),
        (b"GIF87a", Kind::Gif),
        (b"GIF89a", Kind::Gif),
        (b"II*\0", Kind::Tiff),
        (b"MM\0*", Kind::Tiff),
        (b"glTF", Kind::Glb),
        (b"Kaydara FBX Binary  \0", Kind::Fbx),
        (b"; FBX ", Kind::Fbx),
        (b"BLENDER", Kind::Blend),
        (b"ply\n", Kind::Ply),
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
    if at(4, b"ftyp") {
        return match head.get(8..12) {
            Some(b"qt  ") => Some(Kind::Mov),
            Some(b"avif" | b"avis" | b"heic" | b"heix" | b"mif1" | b"M4A ") => None,
            _ => Some(Kind::Mp4),
        };
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        let is_webm = head.windows(7).take(64).any(|window| window == b"\x42\x82\x84webm");
        return Some(if is_webm { Kind::Webm } else { Kind::Mkv });
    }
    // A bitmap's mark is two letters only: its header must make sense too.
    let is_bmp =
        at(0, b"BM") && head.get(14..18).is_some_and(|size| matches!(size, [12 | 40 | 52 | 56 | 108 | 124, 0, 0, 0]));
    is_bmp.then_some(Kind::Bmp)
}

fn by_text(head: &[u8], extension: &str) -> Option<Kind> {
    let text = String::from_utf8_lossy(head);
    match extension {
        "obj" => {
            let is_obj = |line: &str| {
                matches!(line.split_whitespace().next(), Some("v" | "vn" | "vt" | "f" | "o" | "g" | "mtllib"))
            };
            text.lines().take(200).any(is_obj).then_some(Kind::Obj)
        }
        "gltf" => (text.trim_start().starts_with('{') && text.contains("\"asset\"")).then_some(Kind::Gltf),
        _ => None,
    }
}

fn by_archive(head: &[u8], extension: &str) -> Option<Kind> {
    (extension == "usdz" && head.starts_with(b"PK\x03\x04")).then_some(Kind::Usdz)
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
        let cases: [(&[u8], &str, Option<Kind>); 12] = [
            (b"\x89PNG\r\n\x1a\n....", "jpg", Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", "png", Some(Kind::Jpeg)),
            (b"RIFF\0\0\0\0WEBPVP8 ", "x", Some(Kind::Webp)),
            (b"<svg xmlns=''/>", "png", None),
            (b"<html>", "png", None),
            (b"\0\0\0\x18ftypqt  ", "mov", Some(Kind::Mov)),
            (b"\0\0\0\x18ftypisom", "mov", Some(Kind::Mp4)),
            (b"\0\0\0\x18ftypavif", "avif", None),
            (b"# cube\nv 0 0 0\n", "obj", Some(Kind::Obj)),
            (b"hello", "obj", None),
            (b"PK\x03\x04....", "zip", None),
            (b"PK\x03\x04....", "usdz", Some(Kind::Usdz)),
        ];
        for (head, extension, kind) in cases {
            assert_eq!(sniff(head, extension), kind, "{}", String::from_utf8_lossy(head));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(head in proptest::collection::vec(any::<u8>(), 0..200), extension in "[a-z]{0,4}") {
            let _ = sniff(&head, &extension);
        }
    }
}
