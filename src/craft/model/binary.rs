//! Finds names in binary models: texts that look like paths.

use super::by_base_name;
use crate::model::References;

/// Extensions of pictures that models use.
const PICTURES: [&str; 20] = [
    "png", "jpg", "jpeg", "tga", "tif", "tiff", "bmp", "dds", "exr", "hdr", "webp", "psd", "gif", "ktx", "ktx2", "tx",
    "iff", "sgi", "pic", "jp2",
];
/// The longest text that counts as a path.
const PATH_BYTES_MAX: usize = 1024;
/// The most paths that are read, repeated ones included.
const PATHS_MAX: usize = 1 << 16;

/// Returns every text in some bytes that looks like the path of a picture, and where it starts.
pub(super) fn picture_paths(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let dots = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    let ends = dots.filter_map(|dot| {
        let tail = &bytes[dot + 1..bytes.len().min(dot + 6)];
        let is_it =
            |extension: &str| tail.get(..extension.len()).is_some_and(|t| t.eq_ignore_ascii_case(extension.as_bytes()));
        let longest = PICTURES.iter().map(|e| if is_it(e) { e.len() } else { 0 }).max().filter(|length| *length > 0)?;
        Some((dot, dot + 1 + longest))
    });
    ends.take(PATHS_MAX).filter_map(|(dot, end)| {
        let floor = dot.saturating_sub(PATH_BYTES_MAX);
        let is_text = |byte: u8| byte >= b' ' && byte != 0x7f && !b"\"<>|*?".contains(&byte);
        let start = bytes[floor..dot].iter().rposition(|byte| !is_text(*byte)).map_or(floor, |at| floor + at + 1);
        // A length before the text tells where the text ends.
        let claimed =
            start.checked_sub(4).map(|at| u32::from_le_bytes(bytes[at..start].try_into().expect("four bytes")));
        let is_end = claimed.is_some_and(|length| start + length as usize == end)
            || bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
        (is_end && start < dot).then_some((start, &bytes[start..end]))
    })
}

/// Returns the pictures that a Blender file names. A packed picture still names its old path.
pub(super) fn blend(bytes: &[u8]) -> References {
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return References::unknown("what a compressed Blender file names cannot be told");
    }
    if !bytes.starts_with(b"BLENDER") {
        return References::unknown("it is no Blender file of a known form");
    }
    let names = picture_paths(bytes).filter_map(|(_, path)| {
        let path = super::text::decoded(path);
        // `//` is the folder of the file itself.
        let below = path.strip_prefix("//").map(str::to_owned);
        below.or_else(|| is_absolute(&path).then(|| path.into_owned()))
    });
    let mut named = by_base_name(names);
    named.iter_mut().for_each(|reference| reference.may_be_inside = true);
    References { named, unknown: None }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1..3).is_some_and(|mark| mark == b":\\" || mark == b":/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn a_blender_file_names_pictures_that_may_be_packed() {
        let names = b"BLENDER-v405\0//textures\\wood.png\0\0IMstone.png\0/home/x/a b.JPG\0C:\\art\\y.tga\0//render\0";
        assert_eq!(shown(names, "blend"), "textures\\wood.png?, /home/x/a b.JPG?, C:\\art\\y.tga?");
        assert_eq!(shown(b"BLENDER-v405\0\0\0", "blend"), "");
        assert_eq!(shown(b"\x1f\x8b\x08", "blend"), "unknown");
        assert_eq!(shown(b"hello", "blend"), "unknown");
        assert_eq!(shown(b"\x28\xb5\x2f\xfd", "blend"), "unknown");
    }
}
