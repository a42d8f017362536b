//! The kinds of notes that were misread, and the grammar's own examples.

use proptest::prelude::*;
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

/// A chat-bot's tips gave one idea's keywords to all others, and a field among ideas made one idea of the whole list.
#[test]
fn what_stands_beside_ideas_changes_none_of_them() {
    check(&[
        (
            "a.md",
            "## Nook\n- Keywords: a, b\n\n## Bowls\n- Keywords: c, d\n- Prompt: bowl\n\nTips:\n- Leave copy space\n",
            &["1 Nook [a,b]", "4 Bowls [c,d] >bowl"],
            &[8, 9],
        ),
        (
            "a.md",
            "1. **Nook**\n   - Keywords: a\n2. **Bowl**\n   - Keywords: c\n\n**Tips for success:**\n- no logos\n",
            &["1 Nook [a]", "3 Bowl [c]"],
            &[6, 7],
        ),
        (
            "a.md",
            "# Love\n- Rose\n- Hands\n- Keywords: red\n- done: Ski\n- Cake\n",
            &["2 Rose", "3 Hands [red]", "6 Cake"],
            &[5],
        ),
        (
            "a.md",
            "- House (kids, kitchen, mess)\n- Hands, close up (soft, warm)\n",
            &["1 House (kids, kitchen, mess)", "2 Hands, close up (soft, warm)"],
            &[],
        ),
        (
            "a.md",
            "- ~~Burger~~ (sold 3x)\n- ~~Santa~~ did that already\n- ~~red~~ blue car\n- sea [done]\n",
            &["3 blue car"],
            &[1, 2, 4],
        ),
    ]);
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

/// The second of two fields of one name was dropped without a word.
#[test]
fn a_field_that_stands_twice_is_joined_or_told() {
    check(&[
        (
            "a.md",
            "- Sea\n  - category: adobe-stock: 11\n  - category: dreamstime: nature/sea\n",
            &["1 Sea @adobe-stock: 11 @dreamstime: nature/sea"],
            &[],
        ),
        (
            "a.md",
            "- Sea\n  - category: Water, a: 1; b: 2, 3\n  - category: a: 1; b: 4\n",
            &["1 Sea @a: 1 @b: 2, 3"],
            &[2, 3],
        ),
        ("a.md", "- Sea\n  - category: a: \"x, y\"\n  - category: b:\n", &["1 Sea @a: x, y"], &[3]),
        ("a.yaml", "- name: Sea\n  category: {a: [x, y], b: {c: d}}\n", &["1 Sea @a: x, y"], &[2]),
        ("a.md", "category: a: 1\ncategory: a: 2\n\n- Sea\n  - category: b: 3\n", &["4 Sea @a: 1 @b: 3"], &[2]),
        ("a.md", "- (A) Sea P1 !! x4\n  - priority: low\n  - count: 4\n  - count: 5\n", &["1 Sea !1 x4"], &[1, 2, 4]),
        (
            "a.md",
            "- Sea x4\n  - look: photo\n  - look: illustration\n  - season: 2026-12-24\n  - season: 2026-12-25\n",
            &["1 Sea x4"],
            &[3, 5],
        ),
        ("a.md", "- Sea\n  - people: no\n  - people: yes\n", &["1 Sea"], &[3]),
        ("a.md", "- Sea\n  - keywords: a\n  - keywords: b\n  - mood: c\n  - mood: d\n", &["1 Sea [a,b] ~c ~d"], &[]),
        ("a.md", "- Sea\n  - title: Lake\n  - title: Pond\n", &["1 Lake"], &[3]),
        // The same theme twice.
        (
            "a.md",
            "- Sea P1\n  - category: a: 1\n- Fog\n- Sea P2\n  - category: a: 2, b: 3\n",
            &["1 Sea !1 @a: 1 @b: 3", "3 Fog"],
            &[4, 4],
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

#[test]
fn fields_stand_in_lines_too() {
    check(&[
        (
            "a.md",
            "1. **Cocoa by the window** – A steaming mug with milk, rain outside. *Keywords: cocoa, cozy*\n2. **Owl**: An owl in flight, wings wide\n",
            &[
                "1 Cocoa by the window [cocoa,cozy] =A steaming mug with milk, rain outside.",
                "2 Owl =An owl in flight, wings wide",
            ],
            &[],
        ),
        (
            "a.txt",
            "Eisbahn | Keywords: Eis | Stimmung: froh\nStiefel (Tags: Nuss; Stimmung: warm)\nMotiv: See; Anzahl: 5\nFog [#A] Tags: mist x3\n",
            &["1 Eisbahn [Eis] ~froh", "2 Stiefel [Nuss] ~warm", "3 See x5", "4 Fog [mist] !1 x3"],
            &[],
        ),
        (
            "a.txt",
            "Idee:\n• Vigneti - parole chiave: uva, colli\n• Gondola; tag: acqua\n• Borgo / etichette: pietra\n• Fatto: Roma\n",
            &["2 Vigneti [uva,colli]", "3 Gondola [acqua]", "4 Borgo [pietra]"],
            &[5],
        ),
        (
            "a.txt",
            "Idées :\n- Port : mer, bateaux\n- Chalet – mots-clés : neige\n- Quai (mots clés : nuit)\n- Fait : Tour\n",
            &["2 Port [mer,bateaux]", "3 Chalet [neige]", "4 Quai [nuit]"],
            &[5],
        ),
        ("a.txt", "1. Playa vacía. Etiquetas: mar, sol\n2. Bar\n", &["1 Playa vacía [mar,sol]", "2 Bar"], &[]),
        (
            "a.md",
            "## Pomysły\n- Młyn. Opis: Stary młyn nad rzeką.\n- Las\n",
            &["2 Młyn =Stary młyn nad rzeką.", "3 Las"],
            &[],
        ),
        (
            "a.txt",
            "1. 冬の森 キーワード：雪、森\n2. 温泉：湯気、夜\n3. 灯台。説明：古い灯台です。\n・ 桜並木、春、公園\n",
            &["1 冬の森 [雪,森]", "2 温泉 [湯気,夜]", "3 灯台 =古い灯台です。", "4 桜並木 [春,公園]"],
            &[],
        ),
        (
            "a.md",
            "1. **Lake**\n   - Prompt (Midjourney): frozen lake\n   - Mood & style: calm\n   - Suggested keywords: ice\n",
            &["1 Lake [ice] ~calm >frozen lake"],
            &[],
        ),
        (
            "a.md",
            "### 1. Nook\n- **Title:** Nook with Books\n- **Tags:** tea\n### 2. Desk\n- **Title:** White Desk\n",
            &["1 Nook with Books [tea]", "4 White Desk"],
            &[],
        ),
        (
            "a.md",
            "## 🏔️ 1. Tea\n**Concept:** A woman drinks tea there.\n**Why it sells:** It is trending.\n**AI prompt:** `woman, tea`\n",
            &["1 Tea =A woman drinks tea there. >woman, tea"],
            &[3],
        ),
    ]);
}

#[test]
fn what_is_done_or_in_doubt_is_said_in_many_ways() {
    check(&[
        ("a.md", "- Wald\n- erledigt: Kranz\n- Markt\n- done: Apple pie\n", &["1 Wald", "3 Markt"], &[2, 4]),
        ("a.md", "- Wald\n- status: Kranz\n- Markt\n  - done: no\n", &["1 Wald", "3 Markt"], &[2]),
        ("a.txt", "Wald\nerledigt: Kranz\nMarkt\n", &["1 Wald", "3 Markt"], &[2]),
        (
            "a.txt",
            "? vielleicht Hunde\n(maybe) Rentiere\nvielleicht: Eis\ntodo: Fuchs\nBär (?)\n",
            &["1 Hunde", "2 Rentiere", "3 Eis", "4 Fuchs", "5 Bär"],
            &[],
        ),
        (
            "a.md",
            "- TODO Cabin\n  keywords:: snow\n- DONE Beach\n- LATER [#B] Dunes :sand:sun:\n- [ ] [[Globe]] — toy ^b1\n",
            &["1 Cabin [snow]", "4 Dunes [sand,sun] !2", "5 Globe [toy]"],
            &[3],
        ),
        ("a.md", "- [x] Barn\n  - keywords: red\n- Fog\n", &["3 Fog"], &[1, 2]),
        ("a.csv", "Card Name,Labels,List Name\nSea,foam,To Do\nFog,,Done\n", &["2 Sea [foam]"], &[3]),
    ]);
}

#[test]
fn exports_and_letters_are_read() {
    check(&[
        (
            "a.txt",
            "From: Anna\nSubject: Ideas\n\nHi Tom,\n\n- Globe\n- Sled\n\nBest,\nAnna\n--\nPhone: 1\n",
            &["6 Globe", "7 Sled"],
            &[1, 2, 4, 9, 10, 11, 12],
        ),
        ("a.txt", "Winter\n\tFood\n\t\tSoup\n\tNature\n\t\tOwl\n", &["2 Food [Soup]", "4 Nature [Owl]"], &[]),
        ("a.txt", "-sledge\n*igloo\n1)tea\n2.ski lift\n", &["1 sledge", "2 igloo", "3 tea", "4 ski lift"], &[]),
        (
            "a.txt",
            "🎄 Market → lights, stalls\n✨ New year!!\n⭐ \"Soup\"\n",
            &["1 Market [lights,stalls]", "2 New year", "3 Soup"],
            &[],
        ),
        (
            "a.csv",
            "Filename,Description,Keywords,Editorial,Mature\na.jpg,Snowy cabin,\"snow,hut\",no,no\n",
            &["2 Snowy cabin [snow,hut]"],
            &[1, 1, 1],
        ),
        (
            "a.yaml",
            "winter:\n- Cabin: snow, wood\n- Lake\nsummer:\n- Beach\n",
            &["2 Cabin [snow,wood]", "3 Lake", "5 Beach"],
            &[],
        ),
        ("a.yaml", "winter-cabins:\n  tags: [snow]\n", &["1 winter cabins [snow]"], &[]),
        ("a.txt", "keywords: snow\n", &[], &[1]),
        (
            "a.md",
            "- Sea\n  - A wave rolls in.\n- Fog\n- Sea\n  - A gull flies by.\n",
            &["1 Sea =A wave rolls in. A gull flies by.", "3 Fog"],
            &[],
        ),
        ("a.md", "- Sea\n  - title: Foam\n  - title: Fog\n", &["1 Foam"], &[3]),
    ]);
}

/// Lines as people write them; each `W` becomes a word that stands nowhere else.
const LINES: &[&str] = &[
    "W W",
    "W, W, W",
    "W – W, W",
    "W – A W and W, W of W. Keywords: W, W",
    "W | Keywords: W | Mood: W",
    "? W",
    "x W",
    "Is W of W the W?",
    "W W W W.",
    "W (W) #W",
    "W → W",
    "TODO W",
    "Hi W,",
    "prompt: W W",
    "keywords: W, W",
    "priority: W",
    "category: W",
    "category: m: W",
    "- W\n  - category: m: W, W; n: W\n  - category: m: W",
    "- W\n  - category: W, n: W\n  - priority: 1\n  - priority: 2",
    "status: W",
    "done: W",
    "Title: W",
    "Concept: W is a W of W.",
    "Notes: W",
    "notes:: W",
    "W:: W",
    "/imagine prompt: W, W --ar 3:2",
    "https://example.org/W",
    "11 W",
    "1. W",
    "1) W W",
    "-W",
    "• W",
    "☑ W",
    "- W W",
    "- W — W, W",
    "- [ ] W",
    "- [x] W",
    "- ~~W~~",
    "- **W**: W",
    "- **W** – A W with W. *Tags: W, W*",
    "- done: W",
    "- erledigt: W",
    "- status: W",
    "- Title: W",
    "- keywords: W",
    "- prompt: W",
    "- DONE W",
    "- [#A] W :W:",
    "- W (tags: W; mood: W) W",
    "- W [[W]] [W](x)",
    "  - W",
    "  - W, W",
    "  - W W W W W.",
    "  - mood: W | tags: W",
    "  - status: W",
    "  - done: W",
    "  - client: W",
    "  - prompts:\n    - W W",
    "  W W",
    "  notes: W",
    "# Food",
    "## Notes",
    "## Done",
    "### Keywords",
    "### Prompt",
    "Food:",
    "**Food**",
    "Keywords:",
    "Prompts:",
    "",
    "",
    "\n---",
    "> W",
    "%% W %%",
    "<!-- W -->",
    "```\nW, W\nW\n```",
    "```sh\nx\n```",
    "| Title | Tags | Prompt |\n|---|---|---|\n| W | W, W | W W |\n| | W | |",
    "From: W\nTo: W",
    "\n--",
    "Food\n===",
];
const ROWS: &[&str] = &[
    "W;W, W;W;W W",
    "W;;;",
    ";W;;",
    "W;W;W;W;W",
    "\"W;W",
    "W;\"W, W\";\"W\nW\";",
    "W",
    "W;W;12 W;x",
    "\"W\"W;W;;",
    "Title;Tags;Status;Prompt",
];
const NODES: &[&str] = &[
    "- W W",
    "- W — W, W",
    "- title: W\n  tags: [W, W]\n  description: W W\n  status: W",
    "- name: W\n  prompts:\n  - W\n  - W W",
    "- W: W, W",
    "- tags: W",
    "food:\n  - W\n  - W: W",
    "W: W, W",
    "W: W is a W of W.",
    "W:\n  tags: W\n  mood: W",
    "tags: [W]",
    "status: W",
    "food:\n  W:\n    tags: W",
    "- - W\n  - W",
    "- [W, W]",
    "ideas:\n  - W",
    "title: W",
    "- done: W",
    "- name: W\n  category: {W: W, W: [W, W]}",
    "W: [W",
    "prompt: W",
];

/// Puts a word of its own in the place of each `W`.
fn with_words(lines: &[&str]) -> String {
    let mut count = 0;
    let text = lines.join("\n");
    let word = |count: &mut usize| {
        *count += 1;
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        format!("q{}{}j", letter(*count / 26), letter(*count))
    };
    text.chars().map(|c| if c == 'W' { word(&mut count) } else { c.to_string() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever a note holds is sold, or its author is told of it.
    #[test]
    fn no_word_of_a_note_is_lost(
        lines in proptest::collection::vec(prop::sample::select(LINES), 1..9),
        rows in proptest::collection::vec(prop::sample::select(ROWS), 1..6),
        nodes in proptest::collection::vec(prop::sample::select(NODES), 1..5),
    ) {
        let named = ["Title;Tags;Status;Prompt"].into_iter().chain(rows.iter().copied()).collect::<Vec<_>>();
        let notes = [("a.md", &lines), ("a.csv", &named), ("b.csv", &rows), ("a.yaml", &nodes)];
        for (file, lines) in notes {
            let text = with_words(lines);
            let note = parse_note(file, text.as_bytes());
            let told = format!("{note:?}").to_lowercase();
            for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| word.starts_with('q') && word.ends_with('j')) {
                prop_assert!(told.contains(word), "{word} of {file}:\n{text}\n\n{note}");
            }
        }
    }
}
