use std::fmt::Write as _;

use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::CraftError;
use crate::model::{Meta, Tags};

/// A larger packet is none.
const BYTES_MAX: usize = 4 << 20;
/// Deeper elements are not looked into.
const DEPTH_MAX: usize = 64;

/// Writes metadata as an XMP packet (ISO 16684-1), keywords in order. Characters that XML cannot hold
/// are dropped: one of them would make the whole packet unreadable.
pub fn write_xmp(meta: &Meta) -> String {
    let mut inner = String::new();
    lang_alt(&mut inner, "dc:title", &meta.title);
    lang_alt(&mut inner, "dc:description", &meta.description);
    list(&mut inner, "dc:subject", "Bag", &meta.keywords);
    list(&mut inner, "dc:creator", "Seq", std::slice::from_ref(&meta.creator));
    lang_alt(&mut inner, "dc:rights", &meta.rights);
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\"\n  xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n  \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n  \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">\n\
         {inner}<xmp:CreatorTool>stockmill</xmp:CreatorTool>\n\
         <Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>\n\
         </rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>",
        meta.source_type.uri()
    )
}

fn clean(text: &str) -> String {
    let legal =
        |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    escape(text.chars().filter(|c| legal(*c)).collect::<String>().trim()).into_owned()
}

fn lang_alt(out: &mut String, name: &str, text: &str) {
    let text = clean(text);
    if !text.is_empty() {
        let item = format!("<rdf:li xml:lang=\"x-default\">{text}</rdf:li>");
        writeln!(out, "<{name}><rdf:Alt>{item}</rdf:Alt></{name}>").expect("writing to a text cannot fail");
    }
}

fn list(out: &mut String, name: &str, kind: &str, items: &[String]) {
    let items = items.iter().map(|item| clean(item)).filter(|item| !item.is_empty());
    let items = items.fold(String::new(), |list, item| list + "<rdf:li>" + &item + "</rdf:li>");
    if !items.is_empty() {
        writeln!(out, "<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>").expect("writing to a text cannot fail");
    }
}

/// Reads the tags of a foreign XMP packet or sidecar. Keywords come from digiKam's tag list or
/// Lightroom's hierarchy where there is no plain list.
pub fn read_xmp(bytes: &[u8]) -> Result<Tags, CraftError> {
    if bytes.len() > BYTES_MAX {
        return Err(CraftError::TooLarge(format!("{} bytes of XMP; at most {BYTES_MAX} are read", bytes.len())));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut found = Found::default();
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    loop {
        let wrong = |what: String| CraftError::Metadata(format!("the XMP is no sound XML: {what}"));
        match reader.read_event().map_err(|error| wrong(error.to_string()))? {
            Event::Start(element) => {
                if path.len() >= DEPTH_MAX {
                    return Err(wrong(format!("more than {DEPTH_MAX} elements deep")));
                }
                path.push(element.name().as_ref().to_owned());
                value.clear();
            }
            Event::Text(text) => value.push_str(&text),
            Event::GeneralRef(entity) => {
                let name = entity.to_string();
                let resolved = entity.resolve_char_ref().ok().flatten().map(String::from);
                let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                value.push_str(&resolved.or(known).unwrap_or_default());
            }
            Event::CData(data) => value.push_str(&data),
            Event::End(_) => {
                found.take(&path, value.trim());
                path.pop();
                value.clear();
            }
            Event::Eof => return Ok(found.tags()),
            _ => (),
        }
    }
}

#[derive(Default)]
struct Found {
    tags: Tags,
    tag_list: Vec<String>,
    hierarchy: Vec<String>,
}

impl Found {
    fn take(&mut self, path: &[String], value: &str) {
        let is_item = path.last().is_some_and(|name| name == "rdf:li");
        let Some(property) =
            path.iter().rev().find(|name| !name.starts_with("rdf:")).filter(|_| is_item && !value.is_empty())
        else {
            return;
        };
        let text = || Some(value.to_owned());
        let last = |separator| value.rsplit(separator).next().unwrap_or(value).to_owned();
        match property.as_str() {
            "dc:title" => self.tags.title = self.tags.title.take().or_else(text),
            "dc:description" => self.tags.description = self.tags.description.take().or_else(text),
            "dc:creator" => self.tags.creator = self.tags.creator.take().or_else(text),
            "dc:rights" => self.tags.rights = self.tags.rights.take().or_else(text),
            "dc:subject" => self.tags.keywords.push(value.to_owned()),
            "digiKam:TagsList" => self.tag_list.push(last('/')),
            "lr:hierarchicalSubject" => self.hierarchy.push(last('|')),
            _ => (),
        }
    }

    fn tags(mut self) -> Tags {
        for other in [self.tag_list, self.hierarchy] {
            if self.tags.keywords.is_empty() {
                self.tags.keywords = other;
            }
        }
        self.tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meta() -> Meta {
        Meta {
            title: "A & B <\"cabin\">\u{b}".to_owned(),
            description: "Zwei Hütten 🏔".to_owned(),
            keywords: ["zebra", "apple", "Übergang"].map(str::to_owned).to_vec(),
            creator: "Ann O'Nym".to_owned(),
            rights: "© 2026".to_owned(),
            ..Meta::default()
        }
    }

    #[test]
    fn what_is_written_reads_back_in_order() {
        let text = write_xmp(&meta());
        assert!(text.contains(">http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia<"), "{text}");
        assert!(!text.contains('\u{b}'));
        let tags = read_xmp(text.as_bytes()).unwrap();
        assert_eq!(tags.title.as_deref(), Some("A & B <\"cabin\">"));
        assert_eq!(tags.description.as_deref(), Some("Zwei Hütten 🏔"));
        assert_eq!(tags.keywords, ["zebra", "apple", "Übergang"]);
        assert_eq!(tags.creator.as_deref(), Some("Ann O'Nym"));
        assert_eq!(tags.rights.as_deref(), Some("© 2026"));
    }

    #[test]
    fn foreign_keyword_lists_are_understood() {
        let text = "<r><lr:hierarchicalSubject><rdf:Bag><rdf:li>a|b|c</rdf:li></rdf:Bag></lr:hierarchicalSubject></r>";
        assert_eq!(read_xmp(text.as_bytes()).unwrap().keywords, ["c"]);
        assert!(read_xmp("<a>".repeat(100).as_bytes()).is_err());
        assert!(read_xmp(b"<a></b>").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}", title in ".{0,80}") {
            let _ = read_xmp(text.as_bytes());
            let meta = Meta { title, ..Meta::default() };
            prop_assert!(read_xmp(write_xmp(&meta).as_bytes()).is_ok());
        }
    }
}
