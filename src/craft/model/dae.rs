use quick_xml::Reader;
use quick_xml::events::Event;

use super::once;
use super::text::{decoded, path_of_uri};
use crate::model::{Reference, References};

/// Returns the pictures that a COLLADA document names: `init_from` inside `image`, with or without `ref`.
/// Elsewhere, `init_from` names an image of the document itself.
pub(super) fn dae(bytes: &[u8]) -> References {
    let text = decoded(bytes);
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<String> = Vec::new();
    let mut named = Vec::new();
    let mut name = String::new();
    let is_name = |open: &[String]| {
        let local = |n: usize| open.iter().rev().nth(n).map_or("", String::as_str);
        let (first, second, third) = (local(0), local(1), local(2));
        (first == "init_from" && second == "image") || (first == "ref" && second == "init_from" && third == "image")
    };
    let mut is_whole = false;
    let unknown = loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                open.push(tag.local_name().as_ref().to_owned());
                name.clear();
                if open.len() > 256 {
                    break Some("it is nested too deep".to_owned());
                }
            }
            Ok(Event::Text(piece)) if is_name(&open) => name.push_str(&piece),
            Ok(Event::CData(piece)) if is_name(&open) => name.push_str(&piece),
            Ok(Event::GeneralRef(reference)) if is_name(&open) => name.push_str(&character(&reference)),
            Ok(Event::End(_)) => {
                if is_name(&open) && !name.trim().is_empty() {
                    named.push(Reference::to(path_of_uri(&name)));
                }
                name.clear();
                open.pop();
                is_whole |= open.is_empty();
            }
            Ok(Event::Eof) if is_whole => break None,
            Ok(Event::Eof) => break Some("it ends too early".to_owned()),
            Ok(_) => (),
            Err(error) => break Some(format!("it is no XML: {error}")),
        }
    };
    let unknown = unknown.map(|why| format!("what it names cannot be told: {why}"));
    References { named: once(named), unknown }
}

fn character(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn pictures_are_named_by_images_alone() {
        let document = |inner: &str| format!("<?xml version=\"1.0\"?><COLLADA>{inner}</COLLADA>");
        let cases = [
            ("<library_images><image><init_from>tex.png</init_from></image></library_images>", "tex.png"),
            ("<image><init_from>file:///C:/art/my%20tex.png</init_from></image>", "C:/art/my tex.png"),
            ("<image><init_from>./a &amp; b.png</init_from></image>", "./a & b.png"),
            ("<image><init_from><ref>\n tex.png </ref></init_from></image>", "tex.png"),
            ("<image><init_from><hex>00</hex></init_from></image>", ""),
            ("<surface><init_from>tex-image</init_from></surface>", ""),
        ];
        for (inner, expected) in cases {
            assert_eq!(shown(document(inner), "dae"), expected, "{inner}");
        }
        assert_eq!(shown("<COLLADA><image><init_from>a.png</init_from>", "dae"), "a.png, unknown");
    }
}
