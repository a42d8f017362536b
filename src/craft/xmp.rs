use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::escape;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

use super::CraftError;
use crate::model::{Meta, Tags, is_barred};

/// Larger packets are refused.
const BYTES_MAX: usize = 4 << 20;
/// Packets with deeper elements are refused.
const DEPTH_MAX: usize = 64;

/// Writes metadata as an XMP packet (ISO 16684-1), keywords in order. Characters that XML cannot hold
/// are dropped: one of them would make the whole packet unreadable.
pub fn write_xmp(meta: &Meta) -> String {
    let mut inner = String::new();
    lang_alt(&mut inner, "dc:title", &meta.title);
    lang_alt(&mut inner, "dc:description", &meta.description);
    text(&mut inner, "photoshop:Headline", &meta.title);
    list(&mut inner, "dc:subject", "Bag", &meta.keywords);
    list(&mut inner, "dc:creator", "Seq", std::slice::from_ref(&meta.creator));
    lang_alt(&mut inner, "dc:rights", &meta.rights);
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\"\n  xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n  \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n  \
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\"\n  \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">\n\
         {inner}<xmp:CreatorTool>stockmill</xmp:CreatorTool>\n\
         <Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>\n\
         </rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>",
        meta.source_type.uri()
    )
}

fn clean(text: &str) -> String {
    let is_kept = |c: &char| matches!(c, '\t' | '\n' | '\r') || !is_barred(*c);
    escape(text.chars().filter(is_kept).collect::<String>().trim()).into_owned()
}

fn lang_alt(out: &mut String, name: &str, text: &str) {
    let text = clean(text);
    if !text.is_empty() {
        let item = format!("<rdf:li xml:lang=\"x-default\">{text}</rdf:li>");
        writeln!(out, "<{name}><rdf:Alt>{item}</rdf:Alt></{name}>").expect("writing to a text cannot fail");
    }
}

fn text(out: &mut String, name: &str, text: &str) {
    let text = clean(text);
    if !text.is_empty() {
        writeln!(out, "<{name}>{text}</{name}>").expect("writing to a text cannot fail");
    }
}

fn list(out: &mut String, name: &str, kind: &str, items: &[String]) {
    let items = items.iter().map(|item| clean(item)).filter(|item| !item.is_empty());
    let items = items.fold(String::new(), |list, item| list + "<rdf:li>" + &item + "</rdf:li>");
    if !items.is_empty() {
        writeln!(out, "<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>").expect("writing to a text cannot fail");
    }
}

/// What a foreign XMP sidecar says about its picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForeignXmp {
    /// Its tags.
    pub tags: Tags,
    /// Whether its rating is -1, which means rejected in Bridge, Lightroom and darktable.
    pub is_rejected: bool,
}

/// Reads the tags of a foreign XMP packet or sidecar.
pub fn read_xmp(bytes: &[u8]) -> Result<Tags, CraftError> {
    read_foreign_xmp(bytes).map(|foreign| foreign.tags)
}

/// Reads a foreign XMP packet or sidecar. Keywords come from digiKam's tag list or Lightroom's hierarchy if there is no
/// plain list. A text without XMP, or with a part of it, is refused: the missing part may say something.
pub fn read_foreign_xmp(bytes: &[u8]) -> Result<ForeignXmp, CraftError> {
    if bytes.len() > BYTES_MAX {
        return Err(CraftError::TooLarge(format!("{} bytes of XMP; at most {BYTES_MAX} are read", bytes.len())));
    }
    let text = decoded(bytes)?;
    let mut reader = quick_xml::NsReader::from_str(&text);
    let mut found = Found::default();
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut is_xmp = false;
    loop {
        let wrong = |what: String| CraftError::Metadata(format!("the XMP is no valid XML: {what}"));
        match reader.read_event().map_err(|error| wrong(error.to_string()))? {
            Event::Start(element) => {
                if path.len() >= DEPTH_MAX {
                    return Err(wrong(format!("more than {DEPTH_MAX} elements deep")));
                }
                let name = usual_name(reader.resolver(), element.name(), true);
                is_xmp |= holds_xmp(&name);
                found.open(&element, reader.resolver());
                path.push(name);
                value.clear();
            }
            Event::Empty(element) => {
                is_xmp |= holds_xmp(&usual_name(reader.resolver(), element.name(), true));
                found.open(&element, reader.resolver());
            }
            Event::Text(text) => value.push_str(&text),
            Event::GeneralRef(entity) => value.push_str(&resolved(&entity)),
            Event::CData(data) => value.push_str(&data),
            Event::End(_) => {
                found.take(&path, value.trim());
                path.pop();
                value.clear();
            }
            Event::Eof => match path.last() {
                Some(open) => return Err(wrong(format!("it ends within `{open}`"))),
                None if !is_xmp => return Err(CraftError::Metadata("there is no XMP in it".to_owned())),
                None => return Ok(found.finish()),
            },
            _ => (),
        }
    }
}

/// Returns the text of an entity; empty if it is declared elsewhere.
fn resolved(entity: &BytesRef<'_>) -> String {
    let name = entity.to_string();
    let character = entity.resolve_char_ref().ok().flatten().map(String::from);
    let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
    character.or(known).unwrap_or_default()
}

/// The namespaces of XMP that are read, each with its usual prefix; a file may have any.
const NAMESPACES: [(&str, &str); 6] = [
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("x", "adobe:ns:meta/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("xmp", "http://ns.adobe.com/xap/1.0/"),
    ("lr", "http://ns.adobe.com/lightroom/1.0/"),
    ("digiKam", "http://www.digikam.org/ns/1.0/"),
];

/// Returns a name with the usual prefix of its namespace; one whose prefix is not declared stays as it is written.
fn usual_name(resolver: &NamespaceResolver, name: QName<'_>, is_element: bool) -> String {
    let (namespace, local) = resolver.resolve(name, is_element);
    match namespace {
        ResolveResult::Bound(namespace) => {
            let usual = NAMESPACES.iter().find(|(_, known)| *known == namespace.as_ref());
            format!("{}:{}", usual.map_or("other", |(prefix, _)| prefix), local.as_ref())
        }
        ResolveResult::Unbound | ResolveResult::Unknown(_) => name.as_ref().to_owned(),
    }
}

/// Returns whether an element of this name contains XMP.
fn holds_xmp(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or_default();
    matches!(local, "xmpmeta" | "xapmeta" | "RDF")
}

/// Returns XMP as text: a byte order mark decides, else the XML declaration, else it is UTF-8.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, CraftError> {
    let utf_16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| odd.is_empty());
        text.map(Cow::Owned).ok_or_else(|| CraftError::Metadata("it is no valid UTF-16".to_owned()))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => utf_16(bytes, u16::from_le_bytes),
        [0, b'<', ..] => utf_16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        _ => match declared(bytes).as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii") => utf_8(bytes),
            Some("iso-8859-1" | "latin1") => Ok(latin_1(bytes)),
            // The two differ only in these.
            Some("windows-1252") if !bytes.iter().any(|byte| (0x80..=0x9f).contains(byte)) => Ok(latin_1(bytes)),
            Some(other) => Err(CraftError::Metadata(format!("it is encoded as `{other}`; save it as UTF-8"))),
        },
    }
}

fn utf_8(bytes: &[u8]) -> Result<Cow<'_, str>, CraftError> {
    let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
    text.map_err(|_| CraftError::Metadata("a character is not UTF-8; save it as UTF-8".to_owned()))
}

fn latin_1(bytes: &[u8]) -> Cow<'_, str> {
    Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect())
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

#[derive(Default)]
struct Found {
    foreign: ForeignXmp,
    tag_list: Vec<String>,
    hierarchy: Vec<String>,
    /// Whether the open item is the one for every language.
    is_default: bool,
    /// Properties whose text for every language was found.
    defaults: Vec<String>,
}

impl Found {
    /// Reads the attributes of an element.
    fn open(&mut self, element: &BytesStart<'_>, resolver: &NamespaceResolver) {
        self.is_default = false;
        for attribute in element.attributes().filter_map(Result::ok) {
            match usual_name(resolver, attribute.key, false).as_str() {
                "xmp:Rating" => self.foreign.is_rejected |= is_rejection(attribute.value.trim()),
                _ if attribute.key.as_ref() == "xml:lang" => {
                    self.is_default = attribute.value.trim().eq_ignore_ascii_case("x-default");
                }
                _ => (),
            }
        }
    }

    fn take(&mut self, path: &[String], value: &str) {
        if path.last().is_some_and(|name| name == "xmp:Rating") {
            self.foreign.is_rejected |= is_rejection(value);
        }
        let is_item = path.last().is_some_and(|name| name == "rdf:li");
        let Some(property) =
            path.iter().rev().find(|name| !name.starts_with("rdf:")).filter(|_| is_item && !value.is_empty())
        else {
            return;
        };
        let last = |separator| value.rsplit(separator).next().unwrap_or(value).to_owned();
        let tags = &mut self.foreign.tags;
        let text = match property.as_str() {
            "dc:title" => &mut tags.title,
            "dc:description" => &mut tags.description,
            "dc:creator" => &mut tags.creator,
            "dc:rights" => &mut tags.rights,
            // Darktable's notes to itself.
            "dc:subject" | "digiKam:TagsList" | "lr:hierarchicalSubject" if is_internal(value) => return,
            "dc:subject" => return tags.keywords.push(value.to_owned()),
            "digiKam:TagsList" => return self.tag_list.push(last('/')),
            "lr:hierarchicalSubject" => return self.hierarchy.push(last('|')),
            _ => return,
        };
        // The text for every language wins wherever it stands, else the first one.
        let is_better = self.is_default && !self.defaults.contains(property);
        if is_better {
            self.defaults.push(property.clone());
        }
        if is_better || text.is_none() {
            *text = Some(value.to_owned());
        }
    }

    fn finish(mut self) -> ForeignXmp {
        for other in [self.tag_list, self.hierarchy] {
            if self.foreign.tags.keywords.is_empty() {
                self.foreign.tags.keywords = other;
            }
        }
        self.foreign
    }
}

/// Returns whether a keyword is one that darktable keeps for itself.
fn is_internal(keyword: &str) -> bool {
    keyword.strip_prefix("darktable").is_some_and(|rest| rest.starts_with(['|', '/']))
}

fn is_rejection(rating: &str) -> bool {
    rating.parse::<f64>().is_ok_and(|rating| rating < 0.0)
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
        let text = "<rdf:RDF><lr:hierarchicalSubject><rdf:Bag><rdf:li>a|b|c</rdf:li></rdf:Bag></lr:hierarchicalSubject></rdf:RDF>";
        assert_eq!(read_xmp(text.as_bytes()).unwrap().keywords, ["c"]);
        assert!(read_xmp("<a>".repeat(100).as_bytes()).is_err());
        assert!(read_xmp(b"<a></b>").is_err());
    }

    /// A namespace has the prefix that its file declares for it, and its usual prefix may stand for another one.
    #[test]
    fn a_name_is_what_its_namespace_says() {
        let of = |declared: &str, inner: &str| {
            let rdf = "xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
            read_foreign_xmp(format!("<r:RDF {rdf} {declared}>{inner}</r:RDF>").as_bytes()).unwrap()
        };
        let dc = "xmlns:d='http://purl.org/dc/elements/1.1/'";
        let title = |prefix: &str| format!("<{prefix}:title><r:Alt><r:li>Sea</r:li></r:Alt></{prefix}:title>");
        assert_eq!(of(dc, &title("d")).tags.title.as_deref(), Some("Sea"));
        assert_eq!(of("xmlns:dc='http://example.org/other/'", &title("dc")).tags.title, None);
        let own = format!("<r:Description {dc}>{}</r:Description>", title("d"));
        assert_eq!(of("", &own).tags.title.as_deref(), Some("Sea"));
        let default = "<title xmlns='http://purl.org/dc/elements/1.1/'><r:Bag><r:li>Sea</r:li></r:Bag></title>";
        assert_eq!(of("", default).tags.title.as_deref(), Some("Sea"));
        let rating = "xmlns:q='http://ns.adobe.com/xap/1.0/'";
        assert!(of(rating, "<r:Description q:Rating='-1'/>").is_rejected);
        assert!(!of("xmlns:xmp='http://example.org/'", "<r:Description xmp:Rating='-1'/>").is_rejected);
    }

    #[test]
    fn what_darktable_keeps_for_itself_is_no_keyword() {
        let list = |name: &str, items: &str| format!("<rdf:RDF><{name}><rdf:Bag>{items}</rdf:Bag></{name}></rdf:RDF>");
        for (name, items, expected) in [
            ("dc:subject", "<rdf:li>darktable|exported</rdf:li><rdf:li>sea</rdf:li>", &["sea"][..]),
            ("lr:hierarchicalSubject", "<rdf:li>darktable|format|jpg</rdf:li><rdf:li>a|sea</rdf:li>", &["sea"]),
            ("digiKam:TagsList", "<rdf:li>darktable/changed</rdf:li><rdf:li>darktables</rdf:li>", &["darktables"]),
        ] {
            assert_eq!(read_xmp(list(name, items).as_bytes()).unwrap().keywords, expected, "{name}");
        }
    }

    #[test]
    fn xmp_is_read_in_every_encoding() {
        let packet = |head: &str| {
            format!("{head}<rdf:RDF><dc:title><rdf:Alt><rdf:li>H\u{fc}tte</rdf:li></rdf:Alt></dc:title></rdf:RDF>")
        };
        let utf_16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| {
            packet(&format!("{mark}<?xml version='1.0' encoding='UTF-16'?>")).encode_utf16().flat_map(bytes).collect()
        };
        let latin_1 = |name: &str| {
            let text = packet(&format!("<?xml version=\"1.0\" encoding=\"{name}\"?>"));
            text.chars().map(|c| u8::try_from(c).unwrap()).collect()
        };
        let cases: [(&str, Vec<u8>, bool); 11] = [
            ("UTF-8", packet("").into_bytes(), true),
            ("UTF-8 with a mark", packet("\u{feff}").into_bytes(), true),
            ("UTF-8, declared", packet("<?xml version='1.0' encoding='utf-8'?>").into_bytes(), true),
            ("UTF-16 LE", utf_16("\u{feff}", u16::to_le_bytes), true),
            ("UTF-16 BE", utf_16("\u{feff}", u16::to_be_bytes), true),
            ("UTF-16 LE without a mark", utf_16("", u16::to_le_bytes), true),
            ("UTF-16 BE without a mark", utf_16("", u16::to_be_bytes), true),
            ("Latin-1", latin_1("ISO-8859-1"), true),
            ("Windows-1252", latin_1("windows-1252"), true),
            ("another one", latin_1("koi8-r"), false),
            ("another one than it says", latin_1("UTF-8"), false),
        ];
        for (name, bytes, is_read) in cases {
            let title = read_xmp(&bytes).map(|tags| tags.title);
            assert_eq!(title.ok(), is_read.then(|| Some("H\u{fc}tte".to_owned())), "{name}");
        }
    }

    #[test]
    fn what_holds_no_xmp_or_not_all_of_it_is_refused() {
        let whole = write_xmp(&meta());
        for (text, is_read) in [
            ("", false),
            ("\0\0\0", false),
            ("hello", false),
            ("<html></html>", false),
            ("<rdf:RDF><rdf:Description>", false),
            (&whole[..whole.len() / 2], false),
            ("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", true),
            ("<rdf:RDF></rdf:RDF>", true),
            (&whole, true),
        ] {
            assert_eq!(read_xmp(text.as_bytes()).is_ok(), is_read, "{text:?}");
        }
    }

    #[test]
    fn the_text_for_every_language_wins_else_the_first() {
        for (items, expected) in [
            (&[("de", "zwei"), ("x-default", "two")][..], "two"),
            (&[("x-default", "two"), ("de", "zwei")], "two"),
            (&[("de", "zwei"), ("fr", "deux")], "zwei"),
            (&[("de", "zwei"), ("x-default", "")], "zwei"),
        ] {
            let item = |(lang, text): &(&str, &str)| format!("<rdf:li xml:lang='{lang}'>{text}</rdf:li>");
            let items = items.iter().map(item).collect::<Vec<_>>().concat();
            let text = |name: &str| format!("<{name}><rdf:Alt>{items}</rdf:Alt></{name}>");
            let packet = format!("<rdf:RDF>{}{}</rdf:RDF>", text("dc:title"), text("dc:description"));
            let tags = read_xmp(packet.as_bytes()).unwrap();
            assert_eq!(
                (tags.title.as_deref(), tags.description.as_deref()),
                (Some(expected), Some(expected)),
                "{items}"
            );
        }
    }

    #[test]
    fn a_rating_of_minus_one_is_a_rejection() {
        for (text, expected) in [
            ("<rdf:Description xmp:Rating=\"-1\"/>", true),
            ("<rdf:Description xmp:Rating='-1'></rdf:Description>", true),
            ("<xmp:Rating>-1</xmp:Rating>", true),
            ("<xmp:Rating>-1.0</xmp:Rating>", true),
            ("<xmp:Rating>5</xmp:Rating>", false),
            ("<rdf:Description xmp:Rating='0'/>", false),
            ("<rdf:Description/>", false),
        ] {
            let foreign = read_foreign_xmp(format!("<rdf:RDF>{text}</rdf:RDF>").as_bytes()).unwrap();
            assert_eq!(foreign.is_rejected, expected, "{text}");
        }
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
