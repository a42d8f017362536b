use super::super::note::parse_note;
use super::*;
use crate::model::{Method, Restore, Strength};
use proptest::prelude::*;

fn idea(text: &str) -> Idea {
    parse_note("note.md", text.as_bytes()).ideas.remove(0)
}

#[test]
fn an_idea_becomes_a_file() {
    let file = ThemeFile::from_idea(&idea(
        "- Winter cabins - snow, log #cosy P2 x12\n  - mood: calm\n  - category: adobe-stock: 11\n",
    ));
    let text = file.to_text();
    let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = "version: 1\ntitle: Winter cabins\nkeywords:\n  - snow\n  - log\n  - cosy\n\
                    category:\n  adobe-stock: \"11\"\nmood:\n  - calm\npriority: 2\nvariations: 12";
    assert_eq!(body.join("\n"), expected);
    assert!(text.contains("# creator: Your Name\n"));
    assert_eq!(ThemeFile::parse(text.as_bytes()), Ok(file));
}

#[test]
fn the_examples_in_a_new_file_are_valid() {
    let text = ThemeFile::default().to_text();
    assert_eq!(ThemeFile::parse(text.as_bytes()), Ok(ThemeFile::default()));
    let examples =
        text.lines().skip(2).map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let file = ThemeFile::parse(examples.as_bytes()).unwrap();
    assert_eq!((file.use_sets.len(), file.category["adobe-stock"].as_str(), file.documents.len()), (2, "11", 1));
    assert_eq!(file.source_type, Some(SourceType::TrainedAlgorithmicMedia));
    assert_eq!((file.enhance.sharpen, file.enhance.levels), (Some(Strength::Medium), Some(Strength::Low)));
    let enlarge = (file.enlarge.method.clone(), file.enlarge.restore);
    assert_eq!(enlarge, (Some(Method::Neural), Some(Restore::Fixed(80))));
    // It reads back, with `off` as a word.
    let enhance = EnhanceTags { levels: Some(Strength::Off), ..file.enhance };
    let file = ThemeFile { enhance, ..file };
    assert_eq!(ThemeFile::parse(file.to_text().as_bytes()), Ok(file));
}

#[test]
fn what_a_person_leaves_open_is_absent() {
    for text in [
        "",
        "\u{feff}",
        "# nothing\n",
        "keywords:\ncategory:\nenhance:\nenlarge:\nuse:\ntitle:\n",
        "version: 1\n",
        "---\n",
    ] {
        assert_eq!(ThemeFile::parse(text.as_bytes()), Ok(ThemeFile::default()), "{text}");
    }
    let file = ThemeFile::parse(b"keywords: [2026, true, -old]\ncategory: {adobe-stock: 11}\n").unwrap();
    assert_eq!(file.keywords, ["2026", "true", "-old"]);
    assert_eq!(file.tags().category["adobe-stock"], "11");
}

#[test]
fn errors_say_where_and_what_to_do() {
    let cases: &[(&[u8], usize, &str)] = &[
        (b"title: a\nkeyword: [a]\n", 2, "unknown field `keyword`"),
        (b"title: a\ntitle: b\n", 2, "duplicate"),
        (b"title: [a]\n", 1, "write one text"),
        (b"titel: a\n", 1, "did you mean `title`?"),
        (b"category:\n  dreamstime: [nature/sea, holidays/christmas]\n", 2, "write several categories so, in one text"),
        (b"Keyword: [a]\n", 1, "did you mean `keywords`?"),
        (b"title: a\nkeywords: true\n", 2, "write a list"),
        (b"title: a\nrights: \xa9 me\n", 2, "UTF-8"),
        (b"keywords: [\n", 2, "quotes"),
        (b"source_type: magic\n", 1, "magic"),
        (b"enhance: {sharpen: strong}\n", 1, "`medium`, `high`; write one of these"),
        (b"enhance: {sharpness: low}\n", 1, "did you mean `sharpen`?"),
        (b"enhance: low\n", 1, "expected keys of its own, such as `{sharpen: low}`"),
        (b"enlarge: neural\n", 1, "expected keys of its own, such as `{method: neural}`"),
        (b"season: next year\n", 1, "write a day as in `2026-12-24`"),
        // What no honest program writes.
        (b"a0: &a0 [lol]\na1: [*a0, *a0]\n", 1, "unknown field `a0`"),
        (b"version: one\n", 1, "expected u32"),
        (b"keywords: {x: y}\n", 1, "write a list"),
        (b"- a\n- b\n", 1, "expected struct ThemeFile"),
        (b"title: a\0b\n", 1, "control characters"),
        (b"t\0i\0t\0l\0e\0:\0 \0a\0", 1, "control characters"),
        (b"\xff\xff\xff", 1, "UTF-8"),
        (b"!!python/object/apply:os.system [id]\n", 1, "expected struct ThemeFile"),
    ];
    for (bytes, expected, part) in cases {
        match ThemeFile::parse(bytes) {
            Err(RecordError::Syntax { line, column, what }) => {
                assert!(what.contains(part) && column > 0, "{what}");
                assert_eq!(line, *expected, "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ThemeFile::parse(b"version: 2\nnew: x\n"), Err(RecordError::Version { found: 2 }));
    assert_eq!(ThemeFile::parse(b"version: 0\n"), Err(RecordError::Version { found: 0 }));
    let size_bytes = THEME_BYTES_MAX + 1;
    let large = RecordError::TooLarge { size_bytes, size_bytes_max: THEME_BYTES_MAX };
    assert_eq!(ThemeFile::parse(&vec![b'#'; size_bytes]), Err(large));
    let bomb = format!("title: &x {}\nkeywords: [{}]\n", "long".repeat(50_000), "*x,".repeat(50_000));
    assert!(matches!(ThemeFile::parse(bomb.as_bytes()), Err(RecordError::Syntax { .. })));
}

#[test]
fn texts_of_every_encoding_are_read() {
    let text = "title: A cabin\nkeywords: [snow, cabin]\n";
    let expected = ThemeFile::parse(text.as_bytes()).unwrap();
    assert_eq!((expected.title.as_deref(), expected.keywords.len()), (Some("A cabin"), 2));
    for form in
        ["\u{feff}".to_owned() + text, text.replace('\n', "\r\n"), "\u{feff}".to_owned() + &text.replace('\n', "\r\n")]
    {
        assert_eq!(ThemeFile::parse(form.as_bytes()).as_ref(), Ok(&expected), "{form:?}");
    }
}

#[test]
fn merging_overwrites_nothing_and_brings_nothing_back() {
    let mut file = ThemeFile::parse("title: Mine\nkeywords: [Snow, -log cabin]\nmood: [calm]\n".as_bytes()).unwrap();
    let idea = idea("- Winter - snow, Log  Cabin, ice, -snow\n  - mood: Calm, cold\n  - description: New.\n");
    assert!(file.merge_idea(&idea));
    assert_eq!(file.title.as_deref(), Some("Mine"));
    assert_eq!(file.keywords, ["Snow", "-log cabin", "ice"]);
    assert_eq!(file.mood, ["calm", "cold"]);
    assert_eq!(file.description.as_deref(), Some("New."));
    assert!(!file.merge_idea(&idea));
}

#[test]
fn a_title_gives_keywords_only_where_there_are_none() {
    assert_eq!(
        ThemeFile::from_idea(&idea("- Old Grandma's kitchen, in a sun-lit 4K")).keywords,
        ["old", "grandma's", "kitchen", "sun-lit"]
    );
    let mut file = ThemeFile { keywords: vec!["snow".to_owned()], ..ThemeFile::default() };
    file.merge_idea(&idea("- Winter cabins"));
    assert_eq!(file.keywords, ["snow"]);
}

/// The file was written and could not be read again.
#[test]
fn a_long_market_name_reads_back() {
    for name in ["a".repeat(2_000), "é:".repeat(600)] {
        let category = [(name, "1".to_owned()), ("z".to_owned(), "2".to_owned())].into();
        let file = ThemeFile { category, ..ThemeFile::default() };
        assert_eq!(ThemeFile::parse(file.to_text().as_bytes()), Ok(file));
    }
}

proptest! {
    #[test]
    fn any_file_reads_back_as_it_was(
        title in proptest::option::of(any::<String>()),
        rights in proptest::option::of("[ -~é©\n\t\u{85}\u{2028}\u{feff}]{0,12}"),
        keywords in proptest::collection::vec(prop_oneof![any::<String>(), "[a-z0-9.~ -]{0,5}", Just("null".to_owned()), Just("off".to_owned())], 0..6),
        category in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        priority in any::<Option<u8>>(),
        variations in any::<Option<u32>>(),
    ) {
        let source_type = priority.map(|_| SourceType::DigitalCapture);
        let use_sets = keywords.clone();
        let file = ThemeFile { title, keywords, rights, source_type, category, use_sets, priority, variations, ..ThemeFile::default() };
        prop_assert_eq!(ThemeFile::parse(file.to_text().as_bytes()), Ok(file));
    }

    #[test]
    fn merging_twice_is_merging_once(text in "[-#a-c,{|} :;\n!PA1x2é]{1,60}", own in proptest::collection::vec("-?[a-c]{1,3}", 0..4)) {
        for idea in parse_note("note.md", text.as_bytes()).ideas {
            let mut file = ThemeFile { keywords: own.clone(), ..ThemeFile::default() };
            file.merge_idea(&idea);
            prop_assert!(file.keywords.starts_with(&own));
            let once = file.clone();
            prop_assert!(!file.merge_idea(&idea));
            prop_assert_eq!(file, once);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = ThemeFile::parse(&bytes);
    }
}
