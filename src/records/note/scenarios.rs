//! Notes as people write them, and what is found in them.

use super::{Idea, parse_note};
use proptest::prelude::*;

/// A note's name, its text, its ideas as `show` writes them, and the lines of its problems.
pub(super) type Case = (&'static str, &'static str, &'static [&'static str], &'static [usize]);

/// `LINE TITLE [keywords] ~mood =description !priority xVARIATIONS @category >prompt`.
fn show(idea: &Idea) -> String {
    let mut parts = vec![format!("{} {}", idea.line, idea.title)];
    if !idea.keywords.is_empty() {
        parts.push(format!("[{}]", idea.keywords.join(",")));
    }
    parts.extend(idea.mood.iter().map(|mood| format!("~{mood}")));
    parts.extend(idea.description.iter().map(|description| format!("={description}")));
    parts.extend(idea.priority.iter().map(|priority| format!("!{priority}")));
    parts.extend(idea.variations.iter().map(|variations| format!("x{variations}")));
    parts.extend(idea.category.iter().map(|(market, category)| format!("@{market}: {category}")));
    parts.extend(idea.prompts.iter().map(|prompt| format!(">{prompt}")));
    parts.join(" ")
}

pub(super) fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for (file, text, ideas, problems) in cases {
        let note = parse_note(file, text.as_bytes());
        let shown: Vec<String> = note.ideas.iter().map(show).collect();
        let lines: Vec<usize> = note.problems.iter().map(|problem| problem.line).collect();
        if shown != *ideas || lines != *problems {
            let is = format!("   {shown:?} {lines:?}\nnot {ideas:?} {problems:?}\n{:#?}\n", note.problems);
            wrong = wrong + file + ":\n" + text + "\n" + &is;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn lines_are_ideas() {
    check(&[
        ("a.txt", "Winter cabins\n\nFrozen lakes, at dawn\n", &["1 Winter cabins", "3 Frozen lakes, at dawn"], &[]),
        // A field of titles is no list of alternatives.
        ("a.yaml", "title: 'Lake {n}, {original|words}'", &["1 Lake {n}, {original|words}"], &[]),
        ("a.txt", "Winter cabins - snow, log walls; smoke", &["1 Winter cabins [snow,log walls,smoke]"], &[]),
        (
            "a.txt",
            "Winter — snow\nLakes – ice\nSky | blue\nSea: waves",
            &["1 Winter [snow]", "2 Lakes [ice]", "3 Sky [blue]", "4 Sea [waves]"],
            &[],
        ),
        ("a.txt", "Coffee at 10:30, ratio 16: 9 done - cups", &["1 Coffee at 10:30, ratio 16: 9 done [cups]"], &[]),
        (
            "a.txt",
            "Cabins - cosy log cabins under the northern lights",
            &["1 Cabins =cosy log cabins under the northern lights"],
            &[],
        ),
        (
            "a.txt",
            "Winter cabins #snow-storm #nature/winter P1 x12\nC# poster #1",
            &["1 Winter cabins [snow storm,nature,winter] !1 x12", "2 C# poster #1"],
            &[],
        ),
        (
            "a.txt",
            "Retro car in 4k 1950 3D 24\nCars (12 variations) !!\nTrees 8x (B)\nSea ×9 priority:low count:3",
            &["1 Retro car in 4k 1950 3D 24", "2 Cars !2 x12", "3 Trees !2 x8", "4 Sea !3 x9"],
            &[4],
        ),
        (
            "todo.txt",
            "(A) 2026-11-01 Winter cabins +stock @home\nx 2026-11-02 2026-11-01 Lakes",
            &["1 Winter cabins !1"],
            &[2],
        ),
        (
            "a.txt",
            "keywords: stock\nWinter cabins\nkeywords: snow, log\nmood: calm\nprompt: \"a cabin\"\n\nLakes\n  ice, blue\n  - a {big|small} lake\n",
            &["2 Winter cabins [snow,log,stock] ~calm >a cabin", "7 Lakes [ice,blue,stock] >a {big|small} lake"],
            &[],
        ),
        (
            "a.txt",
            "Title: Winter\nDescription: Snow on roofs.\nnegative: people\nPriority: soon\n",
            &["1 Winter =Snow on roofs."],
            &[3, 4],
        ),
        (
            "winter-cabins.txt",
            "a cabin in {snow|rain}\na lake --ar 16:9\na __color__ car\n",
            &["1 winter cabins >a cabin in {snow|rain} >a lake --ar 16:9 >a __color__ car"],
            &[],
        ),
        (
            "a.txt",
            "Winter Cabins - snow\nLakes\nwinter cabins! - Snow, log\n",
            &["1 Winter Cabins [snow,log]", "2 Lakes"],
            &[],
        ),
        ("a.txt", "…\nLakes\n", &["2 Lakes"], &[1]),
        ("a.txt", "", &[], &[1]),
        ("a.txt", "---\n> quote\nhttps://example.org/x\n", &[], &[2, 3]),
    ]);
}

#[test]
fn bullets_are_ideas() {
    check(&[
        (
            "a.md",
            "# November\n\nMy list:\n\n- [ ] Winter cabins - snow\n- [x] ~~Lakes~~\n1. **Sea**: waves\n",
            &["5 Winter cabins [snow]", "7 Sea [waves]"],
            &[6],
        ),
        (
            "a.md",
            "- Winter cabins\n  - keywords: snow, log\n  - mood: calm\n  - Cosy light falls through the old windows.\n  - chimney smoke\n- Lakes\n",
            &["1 Winter cabins [snow,log,chimney smoke] ~calm =Cosy light falls through the old windows.", "6 Lakes"],
            &[],
        ),
        (
            "a.md",
            "- Winter\n  - **Prompts:**\n    - a cabin, snow\n    - [ ] a roof\n  - Keywords:\n    - snow\n    - ice\n- Lakes\n  prompts:\n  - a lake\n  - a pond\n- Sea\n",
            &["1 Winter [snow,ice] >a cabin, snow >a roof", "8 Lakes >a lake >a pond", "12 Sea"],
            &[],
        ),
        (
            "a.md",
            "* [[Notes/Winter|Winter cabins]]\n* [Lakes](https://example.org) `blue`\n",
            &["1 Winter cabins", "2 Lakes blue"],
            &[],
        ),
        (
            "a.md",
            "- Winter\n- a house in {snow|rain}\n- Lakes\n",
            &["1 Winter >a house in {snow|rain}", "3 Lakes"],
            &[],
        ),
        ("a.md", "# Cars\n- a {red|blue} car\n- a car --ar 1:1\n", &["1 Cars >a {red|blue} car >a car --ar 1:1"], &[]),
        (
            "a.md",
            "- Winter\n  ```\n  a cabin, 35mm\n\n  # a roof\n  ```\n- Lakes\n",
            &["1 Winter >a cabin, 35mm ># a roof", "7 Lakes"],
            &[],
        ),
        ("a.md", "- Winter\n\nSomething else here\n- Lakes\n", &["1 Winter", "4 Lakes"], &[3]),
        ("a.md", "- Winter\n```\na cabin\n- Lakes\n", &["1 Winter >a cabin >- Lakes"], &[2]),
        ("a.txt", "Winter\n  - snow\n  - ice\nLakes\n  - blue\n", &["1 Winter [snow,ice]", "4 Lakes [blue]"], &[]),
    ]);
}

#[test]
fn headings_are_ideas() {
    check(&[
        (
            "a.md",
            "# Ideas\nkeywords: stock\n## Winter cabins #cosy\nSnow on the roofs of old houses.\n- snow, ice\n### Prompts\n- a cabin\na roof\n## Lakes ##\n> a quote\ncount: 4\n",
            &[
                "3 Winter cabins [cosy,snow,ice,stock] =Snow on the roofs of old houses. >a cabin >a roof",
                "9 Lakes [stock] x4",
            ],
            &[10],
        ),
        ("a.md", "# Winter\n### Light\n# Lakes\n", &["1 Winter", "3 Lakes"], &[2]),
        (
            "a.md",
            "# Winter cabins\nmood: calm\nPrompts:\n\n- a cabin\n- a roof\n",
            &["1 Winter cabins ~calm >a cabin >a roof"],
            &[],
        ),
        (
            "a.md",
            "## {Winter | Summer} cabins - wood\n## Lakes\n",
            &["1 Winter cabins [wood]", "1 Summer cabins [wood]", "2 Lakes"],
            &[],
        ),
    ]);
}

#[test]
fn front_matter_gives_defaults() {
    check(&[
        (
            "a.md",
            "---\ntags: [stock, log-wall]\npriority: high\naliases: x\n---\n- Winter - snow\n- Lakes P3\n",
            &["6 Winter [snow,stock,log-wall] !1", "7 Lakes [stock,log-wall] !3"],
            &[],
        ),
        (
            "a.md",
            "---\ntitle: Winter cabins\ncount: 12\n---\nSnow on roofs, seen from afar by a lone hiker.\n",
            &["1 Winter cabins =Snow on roofs, seen from afar by a lone hiker. x12"],
            &[],
        ),
        ("a.md", "---\ntags: [\n---\n- Lakes\n", &["4 Lakes"], &[2]),
        ("a.md", "---\n- Winter\n- Lakes\n", &["2 Winter", "3 Lakes"], &[]),
    ]);
}

#[test]
fn tables_are_ideas() {
    check(&[
        (
            "a.csv",
            "Title,Keywords,Mood,Count,Priority\nWinter,\"snow, log\",calm,x12,high\nLakes,,,,\n\nSea,waves,,many,\n",
            &["2 Winter [snow,log] ~calm !1 x12", "3 Lakes", "5 Sea [waves]"],
            &[5],
        ),
        ("a.csv", "\u{feff}topic;theme;tags\r\nWinter;Nature;snow,ice\r\n", &["2 Winter [snow,ice]"], &[2]),
        (
            "a.csv",
            "sep=;\ntheme;prompts;negative\nWinter;\"a cabin\na roof\";x\nLakes;;\n",
            &["3 Winter >a cabin >a roof", "5 Lakes"],
            &[2],
        ),
        ("a.tsv", "title\tkeywords\nWinter\tsnow, ice\n", &["2 Winter [snow,ice]"], &[]),
        ("a.csv", "title\nWinter, cold\nLakes\n", &["2 Winter, cold", "3 Lakes"], &[]),
        ("a.csv", "Winter,snow,ice\nLakes,blue,\n", &["1 Winter [snow,ice]", "2 Lakes [blue]"], &[]),
        ("a.csv", "title,keywords\nWinter,snow,ice\n,blue\n\"Lakes,blue\nSea,waves\n", &["5 Sea [waves]"], &[2, 3, 4]),
        (
            "a.md",
            "Ideas\n=====\n\n| Title | Prompts | Tags |\n|---|:-:|---|\n| **Winter** | a {big|small} \\| hut | snow, ice |\n| Lakes | | blue |\n",
            &["6 Winter [snow,ice] >a {big|small} | hut", "7 Lakes [blue]"],
            &[],
        ),
        ("a.md", "- Winter\n\n| Price | Shop |\n|---|---|\n| 1 | x |\n", &["1 Winter"], &[3]),
    ]);
}

#[test]
fn yaml_is_ideas() {
    check(&[
        (
            "a.yaml",
            "- Winter - snow\n- Lakes\n- title: Sea\n  keywords: [waves, 2026]\n  mood: calm, cold\n  prompts:\n    - a {big|small} wave\n  count: 12\n",
            &["1 Winter [snow]", "2 Lakes", "3 Sea [waves,2026] ~calm ~cold x12 >a {big|small} wave"],
            &[],
        ),
        (
            "a.yml",
            "keywords: [stock]\nideas:\n  - theme: Winter\n  - topic: Lakes\n    theme: Nature\n    colour: blue\n",
            &["3 Winter [stock]", "4 Lakes [stock]"],
            &[5, 6],
        ),
        (
            "a.yaml",
            "Winter:\n  keywords: snow\n  priority: low\nLakes: [blue, ice]\nSea: waves, foam\nSky:\n",
            &["1 Winter [snow] !3", "4 Lakes [blue,ice]", "5 Sea [waves,foam]", "6 Sky"],
            &[],
        ),
        (
            "a.json",
            "[{\"title\": \"Winter\", \"tags\": [\"snow\"]},\n {\"title\": \"Lakes\"}]",
            &["1 Winter [snow]", "2 Lakes"],
            &[],
        ),
        ("a.yaml", "- Winter\n- bad: [\n- Lakes\n", &["1 Winter", "3 Lakes"], &[2]),
        ("a.yaml", "title: Winter\ndescription: >\n  Snow on\n  roofs.\n", &["1 Winter =Snow on roofs."], &[]),
        ("a.yaml", "a: &x [*x]\n", &[], &[1]),
    ]);
}

#[test]
fn an_unreadable_note_says_why() {
    let big = vec![b'a'; 4 * 1024 * 1024 + 1];
    let cases: [(&str, &[u8], &str); 3] =
        [("a.txt", &big, "4 MiB"), ("a.txt", b"PK\x03\x04\0\0", "not text"), ("a.yaml", &big[..2_000_000], "1 MiB")];
    for (file, bytes, why) in cases {
        let note = parse_note(file, bytes);
        assert!(note.ideas.is_empty(), "{why}");
        assert!(note.problems[0].what.contains(why), "{:?}", note.problems[0]);
    }
}

#[test]
fn a_problem_quotes_its_line_cut_and_escaped() {
    let note =
        parse_note("a.txt", format!("Title: {}\u{1b}[31m\npriority: \u{1b}{}\n", "x", "y".repeat(300)).as_bytes());
    assert_eq!(note.problems.len(), 1);
    let what = &note.problems[0].what;
    assert!(what.starts_with("`\\x1byyy") && what.contains("…`: ") && what.len() < 200, "{what}");
}

#[test]
fn lists_are_limited() {
    let many = (0..12_000).map(|n| format!("- idea {n}")).collect::<Vec<_>>().join("\n");
    let note = parse_note("a.md", many.as_bytes());
    assert_eq!((note.ideas.len(), note.problems.len()), (10_000, 1));
    let words = (0..2_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(",");
    let note = parse_note("a.txt", format!("Winter\nkeywords: {words}\n").as_bytes());
    assert_eq!((note.ideas[0].keywords.len(), note.problems.len()), (500, 1));
    let note = parse_note("a.md", "priority: never\n".repeat(5_000).as_bytes());
    assert_eq!(note.problems.len(), 1_001);
    assert!(note.problems[1_000].what.starts_with("4000 more"), "{:?}", note.problems[1_000]);
}

/// Each of these made a naive reader slow: the whole test takes seconds only if none is quadratic, which takes minutes for
/// one of them.
#[test]
fn hostile_notes_cost_no_more_than_their_length() {
    let parts = [
        "[",
        "{",
        "{a|",
        "{a|b}",
        "[[",
        "](",
        "\"",
        "\"\"\n",
        "\"a\n",
        "|",
        "|\n",
        "- ",
        "- a\n",
        "\n",
        "#",
        "# a\n",
        "__",
        "a __",
        "---\n",
        "```\n",
        "a: &x b\n",
        "? ",
        "a,",
        "#a ",
        "\\|",
        "x12 ",
        "(12 ",
        "keywords: a\n",
        "prompt: a\n",
        "a: ",
        ": ",
        "[\"]\", ",
        "{ { |}",
        "\t",
        "é",
        "!a ",
        "- title: a\n",
        "a\n  b c d e f g\n",
        "; tags: a",
        "(mood: a [",
        "- done: a\n",
    ];
    for part in parts {
        for (file, size) in [("a.md", 1 << 18), ("a.csv", 1 << 18), ("a.yaml", 1 << 17)] {
            let note = parse_note(file, part.repeat(size / part.len()).as_bytes());
            assert!(note.problems.len() <= 1_001);
        }
    }
}

/// 200 KB with long keywords for 10,000 ideas became gigabytes.
#[test]
fn what_a_note_gives_to_all_ideas_is_limited() {
    let words: Vec<String> = (0..490).map(|n| format!("k{n:03}{}", "x".repeat(190))).collect();
    let ideas: Vec<String> = (0..9_990).map(|n| format!("- idea {n}")).collect();
    let note =
        parse_note("n.md", format!("---\nkeywords: [{}]\n---\n{}", words.join(", "), ideas.join("\n")).as_bytes());
    assert_eq!(note.ideas.len(), 9_990);
    let bytes: usize = note.ideas.iter().flat_map(|idea| &idea.keywords).map(String::len).sum();
    assert!((1 << 20..=16 << 20).contains(&bytes), "{bytes}");
    assert!(note.problems.iter().any(|problem| problem.what.contains("left out")), "{:?}", note.problems);
}

/// Each title that stood nowhere as it reads was looked for in 16 KiB, or in a line of any length.
#[test]
fn titles_that_are_written_in_escapes_cost_little() {
    for text in ["- \"\\x41\"\n".repeat(110_000), format!("[{}]", "\"\\x41\",".repeat(140_000))] {
        assert_eq!(parse_note("n.yaml", text.as_bytes()).ideas.len(), 1);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for file in ["a.md", "a.txt", "a.csv", "a.yaml", "a"] {
            let note = parse_note(file, &bytes);
            prop_assert!(!note.ideas.is_empty() || !note.problems.is_empty());
        }
    }

    #[test]
    fn any_signs_are_read(parts in proptest::collection::vec(
        prop::sample::select(vec!["# ", "- ", "\n", "\n\n", "  ", "a b", "keywords:", " snow, ice", "{a|b}", "|", "|--|--|", "```", "---\n",
            "[", "]", "\"", "title", ",", ": ", "é日", "#tag", "x12", "~~", "__x__", "P1", "(", ")", "&x ", "*x"]), 0..40)) {
        let text = parts.concat();
        for file in ["a.md", "a.csv", "a.yaml"] {
            let note = parse_note(file, text.as_bytes());
            prop_assert!(!note.ideas.is_empty() || !note.problems.is_empty());
            let mut slugs: Vec<&str> = note.ideas.iter().map(|idea| idea.slug.as_str()).collect();
            slugs.sort_unstable();
            slugs.dedup();
            prop_assert_eq!(slugs.len(), note.ideas.len());
            let lines = text.lines().count().max(1) + 1;
            prop_assert!(note.ideas.iter().all(|idea| (1..=lines).contains(&idea.line)));
            prop_assert!(note.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
    }
}
