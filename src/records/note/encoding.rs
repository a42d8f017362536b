/// The characters of Windows-1252 that Latin-1 lacks, from 0x80; holes stay control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Returns a note's text with `\n` line ends, or `None` if the bytes are no text.
///
/// A byte order mark decides; else it is UTF-8, else Windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let text = if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        utf16(rest, u16::from_le_bytes)
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        utf16(rest, u16::from_be_bytes)
    } else {
        let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        std::str::from_utf8(rest).map_or_else(|_| windows_1252(rest), str::to_owned)
    };
    (!text.contains('\0')).then(|| text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn windows_1252(bytes: &[u8]) -> String {
    let decode = |byte: &u8| match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(*byte),
    };
    bytes.iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_every_encoding() {
        let utf16 = |bom: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            bom.into_iter().chain("Café — 日\n".encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
        };
        assert_eq!(decode(&utf16([0xff, 0xfe], u16::to_le_bytes)).as_deref(), Some("Café — 日\n"));
        assert_eq!(decode(&utf16([0xfe, 0xff], u16::to_be_bytes)).as_deref(), Some("Café — 日\n"));
        assert_eq!(decode(b"\xef\xbb\xbfa\r\nb\rc").as_deref(), Some("a\nb\nc"));
        assert_eq!(decode(b"Caf\xe9 \x97 \x80").as_deref(), Some("Café — €"));
        assert_eq!(decode(b"\x89PNG\0\0"), None);
    }
}
