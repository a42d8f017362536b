use std::borrow::Cow;

use super::once;
use crate::model::{Reference, References, hex_byte};

/// Returns bytes as text: UTF-8 or UTF-16 with or without a mark, else Latin-1.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let utf_16 = |rest: &[u8], number: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| number([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
            }
        }
    }
}

/// Returns a URI with its `%` escapes read; a file's URI as the path that it stands for. A query or a
/// fragment is no part of it.
pub(super) fn path_of_uri(uri: &str) -> String {
    let uri = uri.trim();
    let is_file = uri.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:"));
    let path = if is_file { &uri[5..] } else { uri };
    let decoded = percent_decoded(path);
    if !is_file {
        return decoded;
    }
    // `file:///C:/x`, `file:///home/x`, `file://x.png`, `file:x.png`.
    let rest = decoded.trim_start_matches('/');
    let has_drive = rest.get(1..2) == Some(":");
    let slashes = decoded.len() - rest.len();
    if has_drive || slashes == 0 || slashes == 2 { rest.to_owned() } else { format!("/{rest}") }
}

fn percent_decoded(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(hex_byte);
        if let Some(byte) = hex.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    decoded(&bytes).into_owned()
}

/// Returns the texture that a PLY names, as photogrammetry writes it.
pub(super) fn ply(head: &[u8]) -> References {
    let text = decoded(head);
    let header = text.split("end_header").next().unwrap_or_default();
    let names = header.split(['\r', '\n']).filter_map(|line| line.trim().strip_prefix("comment TextureFile"));
    References { named: once(names.map(|name| Reference::to(name.trim()))), unknown: None }
}

/// Returns the files that a USD text names: `@path@`, or `@@@path@@@` where the path holds an `@`.
pub(super) fn usd(bytes: &[u8]) -> References {
    if !bytes.starts_with(b"#usda") {
        return References::unknown("what a binary USD file names cannot be told");
    }
    let text = decoded(bytes);
    let mut named = Vec::new();
    let mut rest: &str = &text;
    while let Some(at) = rest.find('@') {
        let mark = if rest[at..].starts_with("@@@") { "@@@" } else { "@" };
        let tail = &rest[at + mark.len()..];
        let Some(end) = tail.find(mark) else { break };
        // A path stands on one line: anything else is no path, and its second mark may begin one.
        if tail[..end].contains('\n') {
            rest = tail;
            continue;
        }
        named.push(Reference::to(&tail[..end]));
        rest = &tail[end + mark.len()..];
    }
    References { named: once(named), unknown: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_as_paths() {
        let cases = [
            ("a%20b.png", "a b.png"),
            // `%+f` was read as a control character.
            ("a%+f%4.png", "a%+f%4.png"),
            ("file:///C:/art/a%20b.png", "C:/art/a b.png"),
            ("FILE:///home/x.png", "/home/x.png"),
            ("file://x.png", "x.png"),
            ("file:tex/x.png", "tex/x.png"),
            ("h%C3%B6.png", "hö.png"),
            ("https://example.org/x.png", "https://example.org/x.png"),
        ];
        for (uri, path) in cases {
            assert_eq!(path_of_uri(uri), path, "{uri}");
        }
        assert_eq!(decoded(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(decoded(b"h\xf6"), "hö");
    }
}
