//! Bytes of XMP as text.

use std::borrow::Cow;

use super::CraftError;

/// A text, and what a person is told of how it is encoded.
type Decoded<'a> = (Cow<'a, str>, Option<String>);

/// Returns XMP as text: a byte order mark decides, else the XML declaration, else it is UTF-8.
pub(super) fn decoded(bytes: &[u8]) -> Result<Decoded<'_>, CraftError> {
    let utf_16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| odd.is_empty());
        let text = text.map(|text| (Cow::Owned(text), None));
        text.ok_or_else(|| CraftError::Metadata("it is no valid UTF-16; save it as UTF-8".to_owned()))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => utf_16(bytes, u16::from_le_bytes),
        [0, b'<', ..] => utf_16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        _ => match declared(bytes).as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii") => utf_8(bytes),
            Some(name @ ("iso-8859-1" | "latin1")) => Ok(latin_1(bytes, name)),
            // The two differ only in these.
            Some(name @ "windows-1252") if !bytes.iter().any(|byte| (0x80..=0x9f).contains(byte)) => {
                Ok(latin_1(bytes, name))
            }
            Some(other) => Err(CraftError::Metadata(format!("it is encoded as `{other}`; save it as UTF-8"))),
        },
    }
}

fn utf_8(bytes: &[u8]) -> Result<Decoded<'_>, CraftError> {
    std::str::from_utf8(bytes).map(|text| (Cow::Borrowed(text), None)).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        let what = "is not UTF-8, as it should be where nothing else is declared; it may be Latin-1: save it as UTF-8";
        CraftError::Metadata(format!("a character in line {line} {what}"))
    })
}

fn latin_1<'a>(bytes: &[u8], name: &str) -> Decoded<'a> {
    let told = format!("it is encoded as `{name}`, which it declares, and XMP should be UTF-8");
    (Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()), (!bytes.is_ascii()).then_some(told))
}

/// Returns the encoding that an XML declaration names, in lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    let rest = bytes.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|mark| mark == b"?>")?;
    let declaration = std::str::from_utf8(&rest[..end]).ok()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_ascii_lowercase())
}
