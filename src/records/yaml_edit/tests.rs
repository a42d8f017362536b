use super::*;

fn values(text: &str) -> Mapping {
    read_shared(text.as_bytes()).unwrap()
}

/// One side, what it should say, and how it is written then.
#[test]
fn only_what_changed_is_written_anew() {
    let cases = [
        ("title: A  # mine\n# end\n", "{title: B}", "title: B  # mine\n# end\n"),
        ("title: \"A: x\" # mine\r\npriority: 1\r\n", "{title: B, priority: 1}", "title: B # mine\r\npriority: 1\r\n"),
        ("title:\nmood: [a]\n", "{title: B, mood: [a]}", "title: B\nmood: [a]\n"),
        // Letters of several bytes, before a colon and behind it.
        ("größe:x: ü\ntitle: Ä:ö # é\n", "{\"größe:x\": ü, title: ß}", "größe:x: ü\ntitle: ß # é\n"),
        (
            "title: 'A'\ncreator: \"me\"",
            "{title: A, creator: you, rights: me}",
            "title: 'A'\ncreator: you\nrights: me\n",
        ),
        // A new value goes behind its example.
        ("# title: Winter\n# rights: x\n", "{title: A}", "# title: Winter\ntitle: A\n# rights: x\n"),
        ("title: A # why\n\nmood: [a]\n", "{mood: [a]}", "# why\n\nmood: [a]\n"),
        // Lists with a line for each item.
        (
            "keywords:\n  # first\n  - 'snow' # best\n  - log cabin\n  # last\n",
            "{keywords: [ice, snow]}",
            "keywords:\n  - ice\n  # first\n  - 'snow' # best\n  # last\n",
        ),
        ("keywords:\n- a # one\n- b\n# end\n", "{keywords: [b, c]}", "keywords:\n# one\n- b\n- c\n# end\n"),
        // Lists in brackets.
        (
            "keywords: [snow, \"log cabin\"]  # mine\n",
            "{keywords: [snow, log cabin, ice]}",
            "keywords: [snow, \"log cabin\", ice]  # mine\n",
        ),
        ("keywords: [ 'a', b, c ] # x\n", "{keywords: [c, a]}", "keywords: [ c , 'a'] # x\n"),
        ("keywords: [a,\n  # why\n  b,\n  c]\n", "{keywords: [a, c]}", "keywords: [a,\n  c\n  # why\n]\n"),
        ("keywords: []\n", "{keywords: [a]}", "keywords: [a]\n"),
        // Words with commas.
        ("keywords: a, b # mine\n", "{keywords: [a, b, c]}", "keywords: a, b, c # mine\n"),
        // Sections.
        (
            "category:\n  # theirs\n  adobe-stock: 11 # lakes\n  other: x\n",
            "{category: {adobe-stock: 12, other: x}}",
            "category:\n  # theirs\n  adobe-stock: 12 # lakes\n  other: x\n",
        ),
        // What is not edited line by line keeps its comments all the same.
        ("description: >\n  Long # no comment\n  text\n# end\n", "{description: A}", "description: A\n# end\n"),
        ("# mine\n{title: A}\n", "{title: B}", "# mine\ntitle: B\n"),
        ("keywords: [a] # mine\n", "{keywords: {}}", "# mine\nkeywords: {}\n"),
    ];
    for (text, wanted, expected) in cases {
        let got = merged_text(None, &[text], &values(wanted));
        assert_eq!(got, expected, "{text:?}");
        assert_eq!(values(&got), values(wanted), "{text:?}");
    }
}

/// What both had in common, two sides, what they say together, and how it is written.
#[test]
fn the_comments_of_both_sides_stay() {
    let base = "title: A\nkeywords:\n  - a\n  - b\n";
    let cases = [
        (
            "# one\ntitle: \"B\"\nkeywords:\n  - a\n  - b\n",
            "title: A\nkeywords:\n  - a\n  - b # two\n  - c\n",
            "{title: B, keywords: [a, b, c]}",
            "# one\ntitle: \"B\"\nkeywords:\n  - a\n  - b # two\n  - c\n",
        ),
        (
            "title: A\nkeywords:\n  - a\n  # why c\n  - \"c\" # one\n  - b\n# end\n",
            "title: A # two\nkeywords:\n  - a\n  - b\n  - d\n",
            "{title: A, keywords: [a, b, d, c]}",
            "title: A # two\n# why c\nkeywords:\n  - a\n  - b\n  - d\n  - \"c\" # one\n# end\n",
        ),
    ];
    for (one, two, wanted, expected) in cases {
        let got = merged_text(Some(base), &[one, two], &values(wanted));
        assert_eq!(got, expected);
    }
    // A comment that one side took out stays out.
    let base = "# old\ntitle: A\n";
    let got = merged_text(Some(base), &[base, "title: B\n"], &values("{title: B}"));
    assert_eq!(got, "title: B\n");
}

proptest::proptest! {
    #[test]
    fn values_are_right_and_no_comment_is_lost(
        text in "(title: [a-c'\"]{0,3}( # t)?\n)?(# x\n)?(keywords:\n(  - [a-d]( # k)?\n|  # in\n){1,4}|keywords: \\[[a-d](, [a-d]){0,3}\\]( # k)?\n)?(mood: a\n)?(# end)?",
        title in "[a-d]{1,3}", words in proptest::collection::btree_set("[a-f]", 1..5),
    ) {
        let Ok(_) = read_shared(text.as_bytes()) else { return Ok(()) };
        let mut wanted = Mapping::new();
        wanted.insert("title".into(), title.into());
        wanted.insert("keywords".into(), words.into_iter().map(Value::from).collect());
        let got = merged_text(None, &[&text], &wanted);
        proptest::prop_assert!(is_same(&got, &wanted), "{}", got);
        for comment in segments(&text).iter().flat_map(|segment| comments(segment.text())) {
            proptest::prop_assert!(has_comment(&got, &comment), "{} of {:?} is not in {:?}", comment, text, got);
        }
    }

    #[test]
    fn the_parts_of_a_text_are_the_text(text in "([a-z#:\\[\\]' -]{0,6}\r?\n){0,6}[a-z:#]{0,4}") {
        let whole: String = segments(&text).iter().map(Segment::text).collect();
        proptest::prop_assert_eq!(whole, text);
    }
}
