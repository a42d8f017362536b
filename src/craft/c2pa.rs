//! The C2PA manifest store of a picture (C2PA 2.x, in JUMBF boxes): where it lies, and what it says in plain words. No
//! signature is checked: who signed it stays unknown.

use std::io::Cursor;

use tiff::decoder::Decoder;
use tiff::tags::Tag;

use super::cbor::{Value, read_cbor};
use super::complete::png_chunks;
use super::{jpeg, webp};
use crate::model::{C2pa, ContentHash, Kind};

/// The tag of a TIFF.
const TIFF_TAG: Tag = Tag::Unknown(52_545);
/// The head of a JPEG segment with a part of a box: its name, the number of the box, that of the part.
const JPEG_HEAD_BYTES: usize = 8;
/// What each further part repeats of its box: length and type.
const BOX_HEAD_BYTES: usize = 8;
/// The most bytes of a store that is looked into.
const BYTES_MAX: usize = 16 << 20;
/// The most characters of a word that is taken out of it.
const WORD_CHARS_MAX: usize = 100;

/// Returns what is known of the manifest store in a picture, if there is one.
pub fn c2pa(bytes: &[u8], kind: Kind) -> Option<C2pa> {
    let store = match kind {
        Kind::Jpeg => of_jpeg(bytes),
        Kind::Png => png_chunks(bytes)
            .find(|chunk| chunk.name == *b"caBX")
            .and_then(|chunk| Some(chunk.whole.get(8..chunk.whole.len().checked_sub(4)?)?.to_vec())),
        Kind::Webp => {
            let chunks = webp::chunks(bytes).ok()?;
            chunks.iter().find(|chunk| chunk.name == *b"C2PA").map(|chunk| chunk.body.to_vec())
        }
        Kind::Tiff => Decoder::new(Cursor::new(bytes)).ok()?.find_tag(TIFF_TAG).ok()??.into_u8_vec().ok(),
        _ => None,
    }?;
    let said = Some(&store).filter(|store| store.len() <= BYTES_MAX).and_then(|store| said(store)).unwrap_or_default();
    Some(C2pa {
        bytes: store.len() as u64,
        hash: ContentHash::of(&store),
        generator: said.generator,
        source_type: said.source_type,
        at: said.at,
    })
}

/// Joins the parts of the box that has the store.
fn of_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let parts = jpeg::parts(bytes).map_while(Result::ok).take_while(|part| part.marker != 0xda);
    let parts = parts.filter(|part| part.marker == 0xeb && part.body.starts_with(b"JP"));
    let mut found: Option<([u8; 2], Vec<u8>)> = None;
    for part in parts {
        let Some((head, body)) = part.body.split_first_chunk::<JPEG_HEAD_BYTES>() else { continue };
        let number = [head[2], head[3]];
        match &mut found {
            None if label(body).is_some_and(|label| label == b"c2pa") => found = Some((number, body.to_vec())),
            Some((of, store)) if *of == number => {
                store.extend_from_slice(body.get(BOX_HEAD_BYTES..).unwrap_or_default());
            }
            _ => (),
        }
    }
    found.map(|(_, store)| store)
}

#[derive(Default)]
struct Said {
    generator: Option<String>,
    source_type: Option<String>,
    at: Option<String>,
}

/// Returns what the manifest says that is in force, which is the last one.
fn said(store: &[u8]) -> Option<Said> {
    let manifest = boxes(inside(store)?).filter(|(kind, _)| kind == b"jumb").last()?.1;
    let parts = || boxes(manifest).filter(|(kind, _)| kind == b"jumb").map(|(_, inner)| inner);
    let named = |inner: &&[u8], name: &[u8]| name_of(inner).is_some_and(|label| label.starts_with(name));
    let claim = parts().find(|inner| named(inner, b"c2pa.claim")).and_then(content);
    let assertions = parts().find(|inner| named(inner, b"c2pa.assertions")).unwrap_or_default();
    let assertions = boxes(assertions).filter(|(kind, _)| kind == b"jumb").map(|(_, inner)| inner);
    let actions = assertions.filter(|inner| named(inner, b"c2pa.actions")).find_map(content);
    let mut said = Said { generator: claim.as_ref().and_then(generator), ..Said::default() };
    let actions = actions.as_ref().and_then(|actions| actions.get("actions")).map(Value::items).unwrap_or_default();
    for action in actions {
        let text = |key: &str| action.get(key).and_then(Value::text).map(word);
        said.source_type = said.source_type.or_else(|| text("digitalSourceType").map(|uri| term(&uri)));
        said.at = said.at.or_else(|| text("when"));
    }
    Some(said)
}

/// Returns the program that a claim names.
fn generator(claim: &Value) -> Option<String> {
    let info = claim.get("claim_generator_info");
    let info = info.and_then(|info| info.items().first().or(Some(info)));
    let of = |key: &str| info.and_then(|info| info.get(key)).and_then(Value::text);
    let name = of("name").map(|name| match of("version") {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    });
    name.or_else(|| claim.get("claim_generator").and_then(Value::text).map(str::to_owned)).map(|name| word(&name))
}

/// Returns a word as it may stand in a record and a log.
fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '`').take(WORD_CHARS_MAX).collect()
}

fn term(uri: &str) -> String {
    uri.rsplit('/').next().unwrap_or(uri).to_owned()
}

/// Returns what a box of boxes contains.
fn inside(store: &[u8]) -> Option<&[u8]> {
    boxes(store).find(|(kind, _)| kind == b"jumb").map(|(_, inner)| inner)
}

fn label(store: &[u8]) -> Option<&[u8]> {
    // A box that goes on in a further part is longer than this one.
    let (head, inner) = store.split_first_chunk::<BOX_HEAD_BYTES>()?;
    if head[4..] == *b"jumb" { name_of(inner) } else { None }
}

/// Returns the name of a box of boxes, by its description.
fn name_of(inner: &[u8]) -> Option<&[u8]> {
    let (kind, description) = boxes(inner).next()?;
    // Its type has 16 bytes, and one bit of the next one says whether it has a name.
    let (flags, rest) = description.get(16..)?.split_first()?;
    (kind == *b"jumd" && flags & 2 != 0).then(|| rest.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// Returns the CBOR in a box of boxes.
fn content(inner: &[u8]) -> Option<Value> {
    read_cbor(boxes(inner).find(|(kind, _)| kind == b"cbor")?.1)
}

/// Returns boxes one after another, each with its type and its content; what does not end is left out.
fn boxes(mut rest: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let ([a, b, c, d, kind @ ..], behind) = rest.split_first_chunk::<8>()?;
        let (head, length) = match u32::from_be_bytes([*a, *b, *c, *d]) {
            0 => (8, rest.len()),
            1 => (16, usize::try_from(u64::from_be_bytes(*behind.first_chunk()?)).ok()?),
            length => (8, length as usize),
        };
        let content = rest.get(head..length)?;
        rest = &rest[length..];
        Some((*kind, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{embed, encode, testing};
    use crate::model::{Format, Meta};
    use proptest::prelude::*;

    fn part(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&length[..], &kind, content].concat()
    }

    fn named(name: &str, content: &[u8]) -> Vec<u8> {
        let description = [&[0; 16][..], &[3], name.as_bytes(), b"\0"].concat();
        part(*b"jumb", &[part(*b"jumd", &description), content.to_vec()].concat())
    }

    fn text(text: &str) -> Vec<u8> {
        [&[0x78, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat()
    }

    fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let head = 0xa0 | u8::try_from(pairs.len()).unwrap();
        std::iter::once(head).chain(pairs.iter().flat_map(|(key, value)| [text(key), value.clone()].concat())).collect()
    }

    /// A store of two manifests, of which the last one is in force.
    fn store(generator: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let action = map(&[
            ("action", text("c2pa.created")),
            ("digitalSourceType", text("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")),
            ("when", [&[0xc0][..], &text("2026-11-01T10:00:00Z")].concat()),
        ]);
        let actions = map(&[("actions", [&[0x81][..], &action].concat())]);
        let manifest = |claim: Vec<u8>| {
            let actions = named("c2pa.actions.v2", &part(*b"cbor", &actions));
            let parts = [named("c2pa.assertions", &actions), named("c2pa.claim.v2", &part(*b"cbor", &claim))].concat();
            named("urn:c2pa:1", &parts)
        };
        let old = manifest(map(&[("claim_generator", text("old"))]));
        // It does not fit into one segment.
        let filler = part(*b"free", &vec![7; 70_000]);
        named("c2pa", &[old, filler, manifest(map(generator))].concat())
    }

    fn with(kind: Kind, store: &[u8]) -> Vec<u8> {
        let format = Format::ALL.into_iter().find(|format| format.kind() == kind).unwrap();
        let plain = encode(&testing::gradient(20, 20), format, 90).unwrap();
        match kind {
            Kind::Jpeg => {
                let segments = store[8..].chunks(60_000).zip(1_u32..).flat_map(|(chunk, number)| {
                    let body = [&b"JP\0\x01"[..], &number.to_be_bytes(), &store[..8], chunk].concat();
                    [&[0xff, 0xeb][..], &u16::try_from(body.len() + 2).unwrap().to_be_bytes(), &body].concat()
                });
                plain[..2].iter().copied().chain(segments).chain(plain[2..].iter().copied()).collect()
            }
            Kind::Png => {
                let chunk = [&u32::try_from(store.len()).unwrap().to_be_bytes()[..], b"caBX", store, &[0; 4]].concat();
                [&plain[..33], &chunk, &plain[33..]].concat()
            }
            _ => {
                let mut chunks = webp::chunks(&plain).unwrap();
                chunks.push(webp::Chunk { name: *b"C2PA", body: store });
                webp::join(&chunks)
            }
        }
    }

    #[test]
    fn what_a_manifest_says_is_read_and_it_never_goes_along() {
        let info = map(&[("name", text("Firefly `\u{7}")), ("version", text("3"))]);
        let cases = [
            (vec![("claim_generator_info", [&[0x81][..], &info].concat())], Some("Firefly  3")),
            (vec![("claim_generator_info", info)], Some("Firefly  3")),
            (vec![("claim_generator", text("gen/1.0"))], Some("gen/1.0")),
            (Vec::new(), None),
        ];
        for (claim, generator) in cases {
            let store = store(&claim);
            for kind in [Kind::Jpeg, Kind::Png, Kind::Webp] {
                let bytes = with(kind, &store);
                let found = c2pa(&bytes, kind).unwrap();
                assert_eq!((found.bytes, &found.hash), (store.len() as u64, &ContentHash::of(&store)), "{kind}");
                assert_eq!(found.generator.as_deref(), generator, "{kind}");
                assert_eq!(found.source_type.as_deref(), Some("trainedAlgorithmicMedia"), "{kind}");
                assert_eq!(found.at.as_deref(), Some("2026-11-01T10:00:00Z"), "{kind}");
                let made = embed(&bytes, kind, &Meta::default()).unwrap().0.into_bytes();
                assert_eq!(c2pa(&made, kind), None, "{kind}");
            }
        }
        // What cannot be read is there all the same.
        let odd = c2pa(&with(Kind::Png, b"odd"), Kind::Png).unwrap();
        assert_eq!((odd.bytes, odd.generator, odd.source_type), (3, None, None));
        assert_eq!(c2pa(&encode(&testing::gradient(9, 9), Format::Tiff, 90).unwrap(), Kind::Tiff), None);
    }

    proptest! {
        #[test]
        fn any_store_is_survived(at in 0_usize..70_600, byte in any::<u8>(), end in 0_usize..70_600) {
            let mut store = store(&[("claim_generator", text("g"))]);
            let (at, end) = (at % store.len(), end % store.len());
            store[at] = byte;
            let _ = said(&store);
            let _ = said(&store[..end]);
        }
    }
}
