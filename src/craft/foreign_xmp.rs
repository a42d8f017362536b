//! XMP as other programs write it: sidecars and packets, in every form that RDF allows for the properties that are read.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

use super::CraftError;
use super::xmp_found::{ForeignXmp, Found, Said};
use super::xmp_text::decoded;
use crate::model::Tags;

/// Larger packets are refused.
const BYTES_MAX: usize = 4 << 20;
/// Packets with deeper elements are refused.
const DEPTH_MAX: usize = 64;

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
    let (text, encoding) = decoded(bytes)?;
    let mut reader = quick_xml::NsReader::from_str(&text);
    let mut reading = Reading::default();
    loop {
        match reader.read_event().map_err(|error| wrong(&error.to_string()))? {
            Event::Start(element) => reading.open(&element, reader.resolver())?,
            Event::Empty(element) => {
                reading.open(&element, reader.resolver())?;
                reading.close();
            }
            Event::Text(text) => reading.add(&text),
            Event::GeneralRef(entity) => reading.add(&resolved(&entity)?),
            Event::CData(data) => reading.add(&data),
            Event::End(_) => reading.close(),
            Event::Eof => {
                let mut foreign = reading.finish()?;
                foreign.told.splice(..0, encoding);
                foreign.told.iter_mut().for_each(|told| told.insert_str(0, "its XMP sidecar: "));
                return Ok(foreign);
            }
            _ => (),
        }
    }
}

fn wrong(what: &str) -> CraftError {
    CraftError::Metadata(format!("the XMP is no valid XML: {what}"))
}

/// Returns the text of an entity.
fn resolved(entity: &BytesRef<'_>) -> Result<String, CraftError> {
    let name = entity.to_string();
    let character = entity.resolve_char_ref().map_err(|error| wrong(&error.to_string()))?.map(String::from);
    let known = character.or_else(|| quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned));
    known.ok_or_else(|| wrong(&format!("`&{name};` stands for nothing; write the character itself")))
}

/// The namespaces of XMP that are read, each with its usual prefix; a file may have any.
const NAMESPACES: [(&str, &str); 10] = [
    ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("x", "adobe:ns:meta/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("xmp", "http://ns.adobe.com/xap/1.0/"),
    ("photoshop", "http://ns.adobe.com/photoshop/1.0/"),
    ("lr", "http://ns.adobe.com/lightroom/1.0/"),
    ("digiKam", "http://www.digikam.org/ns/1.0/"),
    ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0/"),
    ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0"),
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

/// An element that is open.
struct Open {
    name: String,
    text: String,
    /// Whether it is the item for every language.
    is_default: bool,
    /// Whether the elements in it are part of its text.
    is_literal: bool,
}

/// The elements that are open, and what was found so far.
#[derive(Default)]
struct Reading {
    open: Vec<Open>,
    found: Found,
    is_xmp: bool,
}

impl Reading {
    /// Enters an element, and reads its attributes.
    fn open(&mut self, element: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<(), CraftError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(wrong(&format!("more than {DEPTH_MAX} elements deep")));
        }
        let name = usual_name(resolver, element.name(), true);
        let local = name.rsplit(':').next().unwrap_or_default();
        self.is_xmp |= name == "rdf:RDF" || matches!(local, "xmpmeta" | "xapmeta");
        let is_top = name == "rdf:Description" && self.open.last().is_some_and(|above| above.name == "rdf:RDF");
        let is_literal = self.open.last().is_some_and(|above| above.is_literal);
        self.open.push(Open { name, text: String::new(), is_default: false, is_literal });
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| wrong(&error.to_string()))?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| wrong(&error.to_string()))?;
            let value = value.trim();
            let open = self.open.last_mut().expect("it was just opened");
            match usual_name(resolver, attribute.key, false).as_str() {
                _ if attribute.key.as_ref() == "xml:lang" => open.is_default = value.eq_ignore_ascii_case("x-default"),
                "rdf:parseType" => open.is_literal |= value == "Literal",
                // A value with qualifiers, in its short form.
                "rdf:value" => value.clone_into(&mut open.text),
                property if is_top => self.found.take(property, value, Said::Alone),
                _ => (),
            }
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(text);
        }
    }

    /// Leaves an element, and takes what it says.
    fn close(&mut self) {
        let said = self.property().map(|(property, said)| (property.to_owned(), said));
        let Some(closed) = self.open.pop() else { return };
        if let Some((property, said)) = said {
            self.found.take(&property, closed.text.trim(), said);
        }
        if let Some(above) = self.open.last_mut().filter(|above| above.is_literal) {
            above.text.push_str(&closed.text);
        }
    }

    /// Returns the property that the innermost element gives a value of: one of the picture itself, and not of a picture
    /// that it was made of or of an entry in a list of what was done.
    fn property(&self) -> Option<(&str, Said)> {
        let rdf = self.open.iter().rposition(|open| open.name == "rdf:RDF")?;
        let within = &self.open[rdf + 1..];
        let mut named = within.iter().filter(|open| !open.name.starts_with("rdf:"));
        let (property, other) = (named.next()?, named.next());
        let last = within.last().filter(|_| other.is_none())?;
        let item = within.iter().find(|open| open.name == "rdf:li");
        let is_value = matches!(last.name.as_str(), "rdf:li" | "rdf:value") || last.name == property.name;
        let said = match item {
            None => Said::Alone,
            Some(item) if item.is_default => Said::ForAll,
            Some(_) => Said::InList,
        };
        is_value.then_some((property.name.as_str(), said))
    }

    fn finish(self) -> Result<ForeignXmp, CraftError> {
        match self.open.last() {
            Some(open) => Err(wrong(&format!("it ends within `{}`", open.name))),
            None if !self.is_xmp => Err(CraftError::Metadata("there is no XMP in it".to_owned())),
            None => Ok(self.found.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::write_xmp;
    use crate::model::Meta;

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
        let whole = write_xmp(&Meta { title: "A cabin".to_owned(), ..Meta::default() });
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

    const RDF: &str = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
    const ALL: &str = "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' \
         xmlns:lr='http://ns.adobe.com/lightroom/1.0/' xmlns:digiKam='http://www.digikam.org/ns/1.0/' \
         xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' \
         xmlns:MicrosoftPhoto='http://ns.microsoft.com/photo/1.0/'";

    fn title(text: &str) -> String {
        format!("<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{text}</rdf:li></rdf:Alt></dc:title>")
    }

    fn bag(name: &str, kind: &str, items: &[&str]) -> String {
        let items = items.join("</rdf:li><rdf:li>");
        format!("<{name}><rdf:{kind}><rdf:li>{items}</rdf:li></rdf:{kind}></{name}>")
    }

    fn of(inner: &str) -> ForeignXmp {
        let packet = format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF {RDF}>{inner}</rdf:RDF></x:xmpmeta>");
        read_foreign_xmp(packet.as_bytes()).unwrap_or_else(|error| panic!("{error}: {packet}"))
    }

    /// What a description has in attributes and in elements, and the title, keywords, hierarchical ones and stars of it.
    type Form<'a> = (&'a str, String, &'a str, &'a str, &'a str, u8);

    fn check(forms: &[Form<'_>]) {
        for (attributes, inner, title, keywords, hierarchy, stars) in forms {
            let read = of(&format!("<rdf:Description {ALL} {attributes}>{inner}</rdf:Description>"));
            let tags = &read.tags;
            assert_eq!(tags.title.as_deref().unwrap_or_default(), *title, "{inner}");
            assert_eq!(tags.keywords.join(" "), *keywords, "{inner}");
            assert_eq!(tags.hierarchy.join(" "), *hierarchy, "{inner}");
            assert_eq!(tags.rating.map_or(0, u8::from), *stars, "{attributes} {inner}");
            assert!(!read.is_rejected && read.told.is_empty(), "{inner}: {:?}", read.told);
        }
    }

    /// As the programs write them: properties as elements or attributes, lists of each kind.
    #[test]
    fn what_programs_write_is_read() {
        let (rating, lr, tags_list) = ("xmp:Rating='4'", "lr:hierarchicalSubject", "digiKam:TagsList");
        check(&[
            // Lightroom and Bridge: simple properties as attributes, every level of a keyword in the list.
            (
                rating,
                title("Sea")
                    + &bag("dc:subject", "Bag", &["alps", "snow"])
                    + &bag(lr, "Bag", &["places", "places|alps"]),
                "Sea",
                "alps snow",
                "places|alps",
                4,
            ),
            // digiKam and exiv2: elements.
            ("", title("Sea") + "<xmp:Rating>3</xmp:Rating>", "Sea", "", "", 3),
            ("", bag(tags_list, "Seq", &["places/alps", "snow"]), "", "alps snow", "places|alps", 0),
            ("", bag("MicrosoftPhoto:LastKeywordXMP", "Bag", &["places/alps"]), "", "alps", "places|alps", 0),
            // Capture One: a headline, and stars with a point.
            ("photoshop:Headline='Sea &amp; &#x1F3D4;' xmp:Rating='5.0'", String::new(), "Sea & \u{1f3d4}", "", "", 5),
            ("photoshop:Headline='Head'", title("Sea"), "Sea", "", "", 0),
            // exiftool: a list of one kind or another, and a text that is no list.
            ("", bag("dc:subject", "Seq", &["b", "a"]), "", "b a", "", 0),
            ("dc:title='Sea' dc:subject='a, b'", String::new(), "Sea", "a b", "", 0),
            ("", "<dc:title>Sea</dc:title><dc:subject>a</dc:subject>".to_owned(), "Sea", "a", "", 0),
            ("", title("<![CDATA[A & <b>]]>"), "A & <b>", "", "", 0),
            ("", title("&lt;a&gt; &#38; &#xe9;"), "<a> & \u{e9}", "", "", 0),
        ]);
        // One description for each namespace, as exiftool writes them.
        let two = of(&format!(
            "<rdf:Description rdf:about='' {ALL}>{}</rdf:Description><rdf:Description rdf:about='' {ALL} {rating}/>",
            title("Sea")
        ));
        assert_eq!((two.tags.title.as_deref(), two.tags.rating.map(u8::from)), (Some("Sea"), Some(4)));
        let creators =
            of(&format!("<rdf:Description {ALL}>{}</rdf:Description>", bag("dc:creator", "Seq", &["Ann", "Bob"])));
        assert_eq!(creators.tags.creator.as_deref(), Some("Ann, Bob"));
    }

    #[test]
    fn values_are_read_with_what_qualifies_them_and_none_of_another_picture() {
        check(&[
            // Values with qualifiers, in four forms.
            (
                "",
                bag(
                    "dc:subject",
                    "Bag",
                    &["<rdf:Description><rdf:value>a</rdf:value><xmp:q>x</xmp:q></rdf:Description>"],
                ) + "<dc:title rdf:parseType='Resource'><rdf:value>Sea</rdf:value><xmp:q>x</xmp:q></dc:title>",
                "Sea",
                "a",
                "",
                0,
            ),
            (
                "",
                "<dc:subject><rdf:Bag><rdf:li rdf:parseType='Resource'><rdf:value>a</rdf:value></rdf:li>\
                 <rdf:li rdf:value='b' xmp:q='x'/></rdf:Bag></dc:subject>"
                    .to_owned(),
                "",
                "a b",
                "",
                0,
            ),
            ("", "<dc:title rdf:parseType='Literal'>A <b>red</b> sea</dc:title>".to_owned(), "A red sea", "", "", 0),
            // What a picture was made of has titles and stars of its own.
            (
                "",
                "<xmpMM:Pantry><rdf:Bag><rdf:li><rdf:Description dc:title='Other' xmp:Rating='-1'>\
                 <dc:title><rdf:Alt><rdf:li>Other</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:li></rdf:Bag>\
                 </xmpMM:Pantry>"
                    .to_owned(),
                "",
                "",
                "",
                0,
            ),
            ("xmp:Rating='0'", bag("dc:creator", "Seq", &["Ann", "Bob"]), "", "", "", 0),
            ("xmp:Rating=''", String::new(), "", "", "", 0),
        ]);
    }

    /// It was read as if nothing were odd, or as if it said nothing.
    #[test]
    fn what_is_odd_is_told_and_what_cannot_be_read_is_refused() {
        let packet = |attributes: &str, title: &str| {
            format!("<rdf:RDF><rdf:Description {attributes}><dc:title>{title}</dc:title></rdf:Description></rdf:RDF>")
        };
        for (rating, told) in [("9", true), ("many", true), ("4.5", true), ("5", false), ("0.0", false), ("-1", false)]
        {
            let read = read_foreign_xmp(packet(&format!("xmp:Rating='{rating}'"), "a").as_bytes()).unwrap();
            let expected = format!("its XMP sidecar: its rating `{rating}` is none from 1 to 5, and is left out");
            assert_eq!(read.told, if told { vec![expected] } else { Vec::new() }, "{rating}");
        }
        let declared = format!("<?xml version='1.0' encoding='ISO-8859-1'?>{}", packet("", "H\u{fc}tte"));
        let latin_1: Vec<u8> = declared.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let read = read_foreign_xmp(&latin_1).unwrap();
        let told = "its XMP sidecar: it is encoded as `iso-8859-1`, which it declares, and XMP should be UTF-8";
        assert_eq!((read.tags.title.as_deref(), read.told), (Some("H\u{fc}tte"), vec![told.to_owned()]));
        let undeclared: Vec<u8> = packet("", "\nH\u{fc}tte").chars().map(|c| u8::try_from(c).unwrap()).collect();
        for (bytes, why) in [
            (undeclared, "a character in line 2 is not UTF-8"),
            (packet("", "&name;").into_bytes(), "`&name;` stands for nothing"),
            (packet("a='1' a='2'", "a").into_bytes(), "no valid XML"),
            (packet("a='&name;'", "a").into_bytes(), "no valid XML"),
            (b"<r:RDF xmlns:r='http://example.org/'/>".to_vec(), "there is no XMP in it"),
        ] {
            let error = read_foreign_xmp(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
