//! XMP packets as stockmill writes them.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use crate::model::hierarchy::levels;
use crate::model::{AiField, Meta, Rating, is_barred};

/// Namespaces that only some packets need.
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const MEDIA: &str = "http://ns.adobe.com/xap/1.0/mm/";
const REFERENCE: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#";
const DIGIKAM: &str = "http://www.digikam.org/ns/1.0/";

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
    for field in AiField::ALL {
        text(&mut inner, &format!("Iptc4xmpExt:{}", field.property()), meta.ai.get(field).unwrap_or_default());
    }
    derived_from(&mut inner, meta);
    hierarchy(&mut inner, meta);
    text(&mut inner, "xmp:Rating", &meta.rating.as_ref().map(Rating::to_string).unwrap_or_default());
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

/// Names the original by its hash, as readers know it: by the identity of its document.
fn derived_from(out: &mut String, meta: &Meta) {
    let Some(original) = &meta.derived_from else { return };
    writeln!(
        out,
        "<xmpMM:DerivedFrom xmlns:xmpMM=\"{MEDIA}\" xmlns:stRef=\"{REFERENCE}\" rdf:parseType=\"Resource\">\
         <stRef:documentID>blake3:{original}</stRef:documentID></xmpMM:DerivedFrom>"
    )
    .expect("writing to a text cannot fail");
}

/// Writes where keywords stand, in the two forms that programs read. Those that stand nowhere are in there as well: a
/// program that finds one of these lists looks for keywords in no other.
fn hierarchy(out: &mut String, meta: &Meta) {
    if meta.hierarchy.is_empty() {
        return;
    }
    let paths = || meta.hierarchy.iter().map(|path| levels(path).collect::<Vec<_>>());
    let stands = |keyword: &String| paths().any(|path| is_last(&path, keyword));
    let alone = meta.keywords.iter().filter(|keyword| !stands(keyword));
    let (mut of_lightroom, mut of_digikam): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for path in paths() {
        of_lightroom.push(path.join("|"));
        // A divider in a level would make two of it.
        of_digikam.push(path.iter().map(|level| level.replace('/', " ")).collect::<Vec<_>>().join("/"));
    }
    of_lightroom.extend(alone.clone().map(|keyword| keyword.replace('|', " ")));
    of_digikam.extend(alone.map(|keyword| keyword.replace('/', " ")));
    list(out, &format!("lr:hierarchicalSubject xmlns:lr=\"{LIGHTROOM}\""), "Bag", &of_lightroom);
    list(out, &format!("digiKam:TagsList xmlns:digiKam=\"{DIGIKAM}\""), "Seq", &of_digikam);
}

fn is_last(path: &[&str], keyword: &str) -> bool {
    path.last().is_some_and(|last| last.to_lowercase() == keyword.to_lowercase())
}

/// Writes a list; behind its name may stand what its element declares.
fn list(out: &mut String, name: &str, kind: &str, items: &[String]) {
    let items = items.iter().map(|item| clean(item)).filter(|item| !item.is_empty());
    let items = items.fold(String::new(), |list, item| list + "<rdf:li>" + &item + "</rdf:li>");
    if !items.is_empty() {
        let end = name.split(' ').next().unwrap_or(name);
        writeln!(out, "<{name}><rdf:{kind}>{items}</rdf:{kind}></{end}>").expect("writing to a text cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{read_foreign_xmp, read_xmp};
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

    /// A program that finds one of these lists looks for keywords in no other.
    #[test]
    fn where_keywords_stand_is_written_with_all_the_others() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let whole = Meta {
            keywords: text(&["alps", "a/b", "c|d", "snow"]),
            hierarchy: text(&["places|mountains|Alps", "x/y|a/b"]),
            rating: Rating::try_from(4).ok(),
            ..meta()
        };
        let packet = write_xmp(&whole);
        let list = |name: &str| {
            let (_, rest) = packet.split_once(&format!("<{name} ")).unwrap();
            let (list, _) = rest.split_once(&format!("</{name}>")).unwrap();
            list.split("<rdf:li>").skip(1).map(|item| item.split('<').next().unwrap()).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(list("lr:hierarchicalSubject"), "places|mountains|Alps, x/y|a/b, c d, snow");
        assert_eq!(list("digiKam:TagsList"), "places/mountains/Alps, x y/a b, c|d, snow");
        assert!(packet.contains("<xmp:Rating>4</xmp:Rating>"), "{packet}");
        let read = read_foreign_xmp(packet.as_bytes()).unwrap();
        assert_eq!((&read.tags.keywords, read.tags.rating), (&whole.keywords, whole.rating));
        assert_eq!(read.tags.hierarchy[..2], text(&["places|mountains|Alps", "x y|a b"]));
        let bare = write_xmp(&meta());
        assert!(!bare.contains("lightroom") && !bare.contains("digikam") && !bare.contains("Rating"), "{bare}");
    }

    #[test]
    fn what_a_generator_was_asked_has_fields_of_its_own() {
        let own = |field: AiField| Some(format!("{} & more", field.name()));
        let [system, version, prompt, writer] = AiField::ALL.map(own);
        let whole = Meta { ai: crate::model::Ai { system, version, prompt, writer }, ..meta() };
        let packet = write_xmp(&whole);
        for field in ["AISystemUsed>system", "AISystemVersionUsed>version", "AIPromptInformation>prompt"] {
            assert!(packet.contains(&format!("<Iptc4xmpExt:{field} &amp; more<")), "{packet}");
        }
        assert_eq!(read_xmp(packet.as_bytes()).unwrap().ai, whole.ai);
        assert!(!write_xmp(&meta()).contains(":AI"));
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
