//! The kinds of notes that were misread, and the grammar's own examples.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::parse_note;
use super::scenarios::check;

/// `docs/NOTES.md` shows notes, and what is read in each.
#[test]
fn the_grammar_s_examples_are_true() {
    let page = include_str!("../../../docs/NOTES.md");
    let (mut blocks, mut open) = (Vec::new(), None);
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => open = Some((info.to_string(), String::new())),
            Event::Text(text) => open.iter_mut().for_each(|(_, block)| block.push_str(&text)),
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    let (examples, rest) = blocks.as_chunks::<2>();
    assert!(examples.len() >= 10 && rest.is_empty(), "{}", examples.len());
    for [(note, text), (read, shown)] in examples {
        let name = note.strip_prefix("note ").unwrap();
        assert_eq!((read.as_str(), parse_note(name, text.as_bytes()).to_string()), ("read", shown.clone()), "{name}");
    }
}

#[test]
fn headings_over_lists_are_sections() {
    check(&[
        (
            "a.md",
            "# Ideas\n## Food\n- Ramen\n- Sushi\n## Travel\n- Tram\n## Food\n- Pie\n",
            &["3 Ramen", "4 Sushi", "6 Tram", "8 Pie"],
            &[],
        ),
        ("a.md", "## Notes\nAsk Tom.\n- Vineyards\n## Done\n- Moss\n", &["3 Vineyards"], &[2, 5]),
        ("a.md", "Notes:\n- Vineyards\n\nStatus:\n- Fog\n\nErledigt:\n- Moss\n", &["2 Vineyards", "5 Fog"], &[8]),
        ("a.md", "## Status\nstill thinking\n## Context\nfor a client\n## Ideas\n- Fog\n", &["6 Fog"], &[1, 2, 3, 4]),
        ("a.md", "# Plans\n## Keywords\n- ai, stock\n## Count\n12\n## Food\n- Pie\n", &["7 Pie [ai,stock] x12"], &[]),
        ("a.md", "## Food\nRamen bowl\nSushi platter\n## Later\n", &["2 Ramen bowl", "3 Sushi platter"], &[4]),
        (
            "a.md",
            "## Winter\ntitel: Hütten\nkeywords: snow\n- smoke\n- ice, logs\n### Light\nSoft.\n",
            &["1 Hütten [snow,ice,logs]"],
            &[4, 6, 7],
        ),
        (
            "a.md",
            "# List\nTitle: Winter\nKeywords: snow\n\nTitle: Lakes\nKeywords: ice\n",
            &["2 Winter [snow]", "5 Lakes [ice]"],
            &[],
        ),
        (
            "a.md",
            "1. Winter\nKeywords:\n- snow\n- ice\n2. Lakes\nKeywords: blue\n",
            &["1 Winter [snow,ice]", "5 Lakes [blue]"],
            &[],
        ),
        ("a.md", "- Winter\n- Lakes\nLet me know if you want more!\n", &["1 Winter", "2 Lakes"], &[3]),
        ("a.md", "- Fog\n### Tips\n- Shoot in 4K.\n", &["1 Fog"], &[2, 3]),
        ("a.md", "Ideas for Q1:\n\n| # | Idea |\n|---|---|\n| 1 | Barn |\n", &["5 Barn"], &[1, 3]),
        ("a.txt", "/imagine prompt: a lake --ar 3:2\n", &["1 a >a lake --ar 3:2"], &[]),
        ("a.md", "- Winter\n  - Lens: 35mm\n  - client:: Tom\n", &["1 Winter"], &[2, 3]),
    ]);
}

#[test]
fn lines_are_read_as_their_author_reads_them() {
    check(&[
        (
            "a.txt",
            "foggy forest\nold lighthouse\n- night market\nbarn\n",
            &["1 foggy forest", "2 old lighthouse", "3 night market", "4 barn"],
            &[],
        ),
        ("a.txt", "10. wet sand\n11 rough slate\n", &["1 wet sand", "2 rough slate"], &[]),
        ("a.txt", "1 red brick\n2 blue tiles\n3 moss\n", &["1 red brick", "2 blue tiles", "3 moss"], &[]),
        ("a.txt", "11 rough slate\n4 wet sand\n7 moss\n", &["1 rough slate", "2 wet sand", "3 moss"], &[1, 2, 3]),
        ("a.txt", "1️⃣ Cabin – snow\n2️⃣ **Lake** – ice\n", &["1 Cabin [snow]", "2 Lake [ice]"], &[]),
        (
            "a.txt",
            "Ice, frost, blue light\nBread, cheese, and wine\n",
            &["1 Ice [frost,blue light]", "2 Bread, cheese, and wine"],
            &[],
        ),
        ("a.txt", "Sea - foam | gull | @home, +stock\n", &["1 Sea [foam,gull]"], &[]),
        ("a.txt", "☐ Fog\n☑ Barn\n◦ Fence\n[-] Moss\n", &["1 Fog", "3 Fence"], &[2, 4]),
        ("a.txt", "* Fog\n   o mist\n   o pier\n", &["1 Fog [mist,pier]"], &[]),
        ("a.txt", "Fog https://example.org/x\nwww.example.org\n", &["1 Fog"], &[1, 2]),
        ("a.txt", "Tree\ncategory: Nature\n", &["1 Tree"], &[2]),
        (
            "a.md",
            "%% a\nb %%\n- Fog %%c%%\n<!-- d -->\n- ![x](y.png) Barn\n\n[a]: https://example.org\n",
            &["3 Fog", "5 Barn"],
            &[1, 3, 4, 5, 7],
        ),
    ]);
}

#[test]
fn a_prompt_of_several_lines_is_one_prompt() {
    check(&[
        ("a.md", "- Sea\n  - prompt: a wave,\n    soft light\n- Fog\n", &["1 Sea >a wave, soft light", "4 Fog"], &[]),
        ("a.md", "## Sea\nPrompt: a wave,\nsoft light\n", &["1 Sea >a wave, soft light"], &[]),
        ("a.md", "## Sea\n### Prompt\na wave\nin fog\n\na gull\n", &["1 Sea >a wave in fog >a gull"], &[]),
        ("a.md", "- Sea\n  ```\n  a wave,\n  35mm\n  a gull\n  ```\n", &["1 Sea >a wave, 35mm >a gull"], &[]),
        ("a.yaml", "- name: Sea\n  prompt: |\n    a wave\n    in fog\n", &["1 Sea >a wave in fog"], &[]),
        (
            "a.yaml",
            "- name: Sea\n  prompts:\n  - |\n    a wave\n    in fog\n  - a gull\n",
            &["1 Sea >a wave in fog >a gull"],
            &[],
        ),
        ("a.csv", "Name,Prompt\nSea,\"a wave\nin fog\"\n", &["2 Sea >a wave in fog"], &[]),
    ]);
}

#[test]
fn rows_of_names_are_headers() {
    check(&[
        ("a.csv", "name,tags\nSea,\"foam, gull\"\n", &["2 Sea [foam,gull]"], &[]),
        ("a.csv", "Concept;Anzahl\nSea;12\n", &["2 Sea x12"], &[]),
        ("a.csv", "Ideas,,\nIdea Name,Assign,Status\nSea,Tom,Open\nFog,Tom,Done\n", &["3 Sea"], &[1, 2, 4]),
        ("a.csv", "Bild;Preis\nSea;3,50\nFog;4\n", &["2 Sea", "3 Fog"], &[1]),
        (
            "a.csv",
            "Prompt,Tags\n\"a {big|small} wave, 35mm\",foam\n",
            &["2 a big wave [foam] >a {big|small} wave, 35mm"],
            &[],
        ),
        ("a.csv", "Sea,foam,12\nFog,grey,4\n", &["1 Sea [foam]", "2 Fog [grey]"], &[1, 2]),
        ("a.csv", "Title,Tags\nSea,foam\nTitle,Tags\n", &["2 Sea [foam]"], &[3]),
        ("a.csv", "Title,Tags\n", &[], &[1]),
        (
            "a.csv",
            "Title,Tags\n\"Sea\" waves,foam\n\"Fog, \"\"grey\"\"\",mist \"x\"\nBarn,\"red\n",
            &["2 Sea waves [foam]", "3 Fog, \"grey\" [mist \"x\"]", "4 Barn [red]"],
            &[2, 4],
        ),
        ("a.csv", "Title,Tags\nSea,foam | https://example.org/x\n", &["2 Sea [foam]"], &[2]),
        ("a.txt", "Motiv\tAnzahl\nHütte\t12\nSee\t4\n", &["2 Hütte x12", "3 See x4"], &[]),
        (
            "a.yaml",
            "- name: Sea\n- concept: Fog\n  status: Done\n- motif: Barn\n  tags: red\n",
            &["1 Sea", "4 Barn [red]"],
            &[2],
        ),
        ("a.yaml", "- name: Sea\n  tags: [a\n- name: Fog\n", &["3 Fog"], &[2]),
    ]);
}
