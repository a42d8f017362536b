use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A note's text, and what is to be told of how it was read: the line and the message.
pub(in crate::records) struct Decoded {
    pub(in crate::records) text: String,
    pub(in crate::records) told: Option<(usize, String)>,
}

/// Returns a note's text with `\n` line ends, or why the bytes are no text.
///
/// A byte order mark decides; else it is UTF-8, else UTF-16 if every other byte is zero, else what the
/// detector takes it for, which is told: it may be wrong.
pub(in crate::records) fn decode(bytes: &[u8]) -> Result<Decoded, &'static str> {
    if bytes.starts_with(b"{\\rtf") {
        return Err("the note is rich text (RTF); save it as plain text");
    }
    let (encoding, is_guess) = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => (encoding, false),
        None => {
            std::str::from_utf8(bytes).map_or_else(|_| (guess(bytes), true), |_| (utf16(bytes).unwrap_or(UTF_8), false))
        }
    };
    let (text, _, has_errors) = encoding.decode(bytes);
    if text.contains('\0') {
        return Err("the note is not text; save it as UTF-8");
    }
    let line_of = |at: usize| 1 + text[..at].matches('\n').count();
    let foreign = || text.find(|c: char| if is_guess { !c.is_ascii() } else { c == '\u{fffd}' });
    let what = match (is_guess, has_errors) {
        (false, false) => None,
        (false, true) => Some(format!("some bytes are not {}; save the note as UTF-8", encoding.name())),
        (true, _) => Some(format!("the note is not UTF-8 and was read as {}; save it as UTF-8", encoding.name())),
    };
    let told = what.map(|what| (foreign().map_or(1, line_of), what));
    Ok(Decoded { text: text.replace("\r\n", "\n").replace('\r', "\n"), told })
}

/// Returns UTF-16 without a mark: Latin letters have a zero beside each.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.len() < 4 || !bytes.contains(&0) {
        return None;
    }
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let most = bytes.len() / 2 - bytes.len() / 8;
    match (zeros(0), zeros(1)) {
        (0, low) if low >= most => Some(UTF_16LE),
        (high, 0) if high >= most => Some(UTF_16BE),
        _ => None,
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_every_encoding() {
        let utf16 = |bom: &[u8], bytes: fn(u16) -> [u8; 2]| {
            bom.iter().copied().chain("Café — a\n".encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
        };
        let cases: [(Vec<u8>, Option<&str>, Option<usize>); 10] = [
            (utf16(&[0xff, 0xfe], u16::to_le_bytes), Some("Café — a\n"), None),
            (utf16(&[0xfe, 0xff], u16::to_be_bytes), Some("Café — a\n"), None),
            ("Cabins\n".encode_utf16().flat_map(u16::to_le_bytes).collect(), Some("Cabins\n"), None),
            (b"\xef\xbb\xbfa\r\nb\rc".to_vec(), Some("a\nb\nc"), None),
            (b"Caf\xe9 \x97 \x80".to_vec(), Some("Café — €"), Some(1)),
            (b"Lake\nSch\xf6ne H\xfctte im Schnee\n".to_vec(), Some("Lake\nSchöne Hütte im Schnee\n"), Some(2)),
            (b"\xff\xfea\0\n\0\x00\xd8b\0".to_vec(), Some("a\n\u{fffd}b"), Some(2)),
            (b"\x89PNG\0\0".to_vec(), None, None),
            (b"{\\rtf1 Cabins}".to_vec(), None, None),
            (Vec::new(), Some(""), None),
        ];
        for (bytes, text, told) in cases {
            let decoded = decode(&bytes).ok();
            assert_eq!(decoded.as_ref().map(|decoded| decoded.text.as_str()), text, "{bytes:?}");
            assert_eq!(decoded.and_then(|decoded| decoded.told).map(|(line, _)| line), told, "{bytes:?}");
        }
    }
}
