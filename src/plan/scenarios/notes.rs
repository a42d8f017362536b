//! What a note gives, and what a later version of it changes.

use std::collections::BTreeMap;

use super::{Given, lines, path, seen};
use crate::market::{built_in, fit};
use crate::model::{ContentHash, ThemeSlug};
use crate::plan::tags::{Layer, resolve};
use crate::plan::{Earlier, OnDisk, Plan, Recipe, TagsOnDisk, ThemeFiles, ThemeOnDisk, plan_note};
use crate::records::{ThemeFile, parse_note};

/// What lies of a theme: its name, the text of its tags, and its prompts.
type Lies<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn decided(taken: &[&str], lies: &[Lies<'_>], earlier: Option<&Earlier>, text: &str) -> Result<Plan, String> {
    let theme = |(name, tags, prompts): &Lies<'_>| {
        let tags = tags.map(|text| TagsOnDisk {
            path: path(&format!("raw/{name}/tags.yaml")),
            bytes: text.as_bytes().to_vec(),
            file: ThemeFile::parse(text.as_bytes()).unwrap(),
        });
        (ThemeSlug::new(name).unwrap(), ThemeOnDisk { tags, prompts: prompts.map(str::to_owned) })
    };
    let themes: BTreeMap<_, _> = lies.iter().map(theme).collect();
    let note = parse_note("note.md", text.as_bytes());
    let prompts_max = text.contains(LONG).then_some(10_000);
    let given = Given { path: "ideas/note.md", taken, prompts_max, ..Given::default() };
    given.decide(|facts, context| plan_note(facts, &note, &themes, earlier, context)).map_err(|hold| hold.to_string())
}

/// A word of prompts that stand for more bytes than a theme may have; there the settings allow many.
const LONG: &str = "xxxxxxxxxxxxxxxx";

/// Returns the text that a plan writes under a name.
fn text_of(plan: &Plan, name: &str) -> String {
    match &plan.products.iter().find(|product| product.to == path(name)).unwrap().recipe {
        Recipe::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A note, what lies there, which names are taken, and what is planned.
type Case<'a> = (&'a str, &'a [Lies<'a>], &'a [&'a str], &'a [&'a str]);

fn check(cases: &[Case<'_>]) {
    for (text, lies, taken, expected) in cases {
        let got = decided(taken, lies, None, text).map_or_else(|why| vec![why], |plan| lines(&plan));
        assert_eq!(got, *expected, "{text}");
    }
}

const SEE: &str = " (see `archive/ideas/note.md.report.txt`)";
const ARCHIVED: &str = "move ideas/note.md -> archive/ideas/note.md";

#[test]
fn a_note_gives_its_themes_and_goes_to_the_archive() {
    check(&[
        (
            "- Sea\n  - prompt: a wave\n- Hill\n",
            &[],
            &[],
            &[
                "ideas/note.md: read as 2 themes",
                "write raw/hill/tags.yaml",
                "write raw/sea/tags.yaml",
                "write raw/sea/prompts.txt",
                ARCHIVED,
            ],
        ),
        ("\n", &[], &[], &["no idea could be read from it: line 1: `note.md`: no idea was found; write one per line"]),
        // A line that is not understood is told in a list beside the note.
        (
            "- Sea\n\nSomething else\n",
            &[],
            &[],
            &[
                "ideas/note.md: read as 1 theme; 1 line not understood or left out (see `archive/ideas/note.md.report.txt`)",
                "write raw/sea/tags.yaml",
                "write archive/ideas/note.md.report.txt",
                ARCHIVED,
            ],
        ),
        // The note's name is taken, or that of its list.
        (
            "- Sea\n",
            &[],
            &["archive/ideas/note.md"],
            &[
                "ideas/note.md: read as 1 theme",
                "write raw/sea/tags.yaml",
                "move ideas/note.md -> archive/ideas/note-2.md",
            ],
        ),
        (
            "- Sea\n",
            &[],
            &["archive/ideas/note.md.report.txt"],
            &[
                "ideas/note.md: read as 1 theme",
                "write raw/sea/tags.yaml",
                "move ideas/note.md -> archive/ideas/note-2.md",
            ],
        ),
    ]);
}

/// The example taught keywords that the market refuses.
#[test]
fn the_example_teaches_nothing_that_a_market_refuses() {
    let note = parse_note("winter.md", include_bytes!("../../../examples/ideas/winter.md"));
    assert!(note.ideas.len() > 1 && note.problems.is_empty(), "{:?}", note.problems);
    for idea in &note.ideas {
        let meta = resolve(&[(Layer::Theme, ThemeFile::from_idea(idea).tags())]).meta();
        for market in built_in().unwrap() {
            assert_eq!(fit(&market, &meta).left_out, Vec::<String>::new(), "{meta:?}");
        }
    }
}

#[test]
fn a_theme_that_is_there_gets_what_it_lacks() {
    let sea = "title: Sea\nkeywords: [sea]\n";
    check(&[
        // Its own words are kept.
        (
            "- Sea — wave\n",
            &[("sea", Some(sea), None)],
            &[],
            &["ideas/note.md: read as 1 theme", "write archive/sea/tags.yaml", "replace raw/sea/tags.yaml", ARCHIVED],
        ),
        (
            "- Sea — wave\n",
            &[("sea", Some(sea), None)],
            &["archive/sea/tags.yaml"],
            &["ideas/note.md: read as 1 theme", "write archive/sea/tags-2.yaml", "replace raw/sea/tags.yaml", ARCHIVED],
        ),
        (
            "- Sea\n",
            &[("sea", Some(sea), None)],
            &[],
            &["ideas/note.md: read as 1 theme", "keep raw/sea/tags.yaml", ARCHIVED],
        ),
        (
            "- Sea\n  - prompt: a wave\n",
            &[("sea", Some(sea), Some("a gull\n"))],
            &[],
            &["ideas/note.md: read as 1 theme", "keep raw/sea/tags.yaml", "replace raw/sea/prompts.txt", ARCHIVED],
        ),
        (
            "- Sea\n  - prompt: a wave\n",
            &[("sea", Some(sea), Some("a wave\n"))],
            &[],
            &["ideas/note.md: read as 1 theme", "keep raw/sea/tags.yaml", ARCHIVED],
        ),
    ]);
}

#[test]
fn two_ideas_of_one_name_are_one_theme() {
    let plan = decided(&[], &[], None, "- Sea — wave\n- Hill\n- sea! — foam\n").unwrap();
    let file = ThemeFile::parse(text_of(&plan, "raw/sea/tags.yaml").as_bytes()).unwrap();
    assert_eq!((file.title.as_deref(), &file.keywords[..]), (Some("Sea"), &["wave".to_owned(), "foam".to_owned()][..]));
}

#[test]
fn prompts_join_those_that_are_there_up_to_a_limit() {
    let plan =
        decided(&[], &[("sea", None, Some("a gull\n"))], None, "- Sea\n  - prompt: a {big|small} wave\n").unwrap();
    assert_eq!(text_of(&plan, "raw/sea/prompts.txt"), "a gull\na big wave\na small wave\n");
    // The rules here allow ten of each prompt, and a cap that cuts says so.
    let plan = decided(&[], &[], None, "- Sea\n  - prompt: {a|b|c|d} {a|b|c|d}\n").unwrap();
    assert_eq!(text_of(&plan, "raw/sea/prompts.txt").lines().count(), 10);
    assert_eq!(plan.about.did, format!("read as 1 theme; 6 prompts left out{SEE}"));
    // A few lines stand for any number of bytes: so many are made, and the rest is told of.
    let prompt = format!("{} {}", "{a|b|c|d|e|f|g|h}".repeat(4), LONG.repeat(625));
    let text = format!("- Sea\n  - prompt: {prompt}\n");
    let told = |lies: &[Lies<'_>]| {
        let plan = decided(&[], lies, None, &text).unwrap();
        let told = text_of(&plan, "archive/ideas/note.md.report.txt");
        let (before, _) = told.split_once(" prompts are left out; split the note").unwrap();
        let left_out: usize = before.rsplit_once("theme `sea`: ").unwrap().1.parse().unwrap();
        assert_eq!(plan.about.did, format!("read as 1 theme; {left_out} prompts left out{SEE}"));
        let text = text_of(&plan, "raw/sea/prompts.txt");
        assert_eq!(text.lines().filter(|line| line.contains(LONG)).count() + left_out, 4_096);
        text.len()
    };
    let bytes = told(&[]);
    assert!(((4 << 20) - 20_000..=4 << 20).contains(&bytes), "{bytes}");
    // What is there already takes up room, too.
    let bytes = told(&[("sea", None, Some(&("y".repeat(3 << 20) + "\n")))]);
    assert!(((4 << 20) - 20_000..=4 << 20).contains(&bytes), "{bytes}");
}

#[test]
fn a_later_version_rewrites_or_merges_what_the_earlier_one_wrote() {
    let before = "- Sea — wave\n  - prompt: a wave\n";
    let idea = parse_note("note.md", before.as_bytes()).ideas.remove(0);
    let wrote = ThemeFile::from_idea(&idea).to_text();
    let earlier = |tags: &str| {
        let tags_path = path("raw/sea/tags.yaml");
        let lies = OnDisk { path: tags_path.clone(), seen: seen(3), hash: ContentHash::of(tags.as_bytes()) };
        Earlier {
            at: Some(path("archive/ideas/old.md")),
            ideas: vec![idea.clone()],
            wrote: [(tags_path, ContentHash::of(wrote.as_bytes()))].into(),
            files: [(idea.slug.clone(), ThemeFiles { tags: vec![lies], ..ThemeFiles::default() })].into(),
        }
    };
    let mine = wrote.replace("title: Sea", "title: My sea");
    for (tags, did, title, keywords) in [
        (&wrote, "`sea` changed", "Sea", "foam"),
        (&mine, "`sea` merged, since `raw/sea/tags.yaml` was changed since", "My sea", "foam"),
    ] {
        let lies = [("sea", Some(tags.as_str()), Some("a wave\n"))];
        let plan = decided(&[], &lies, Some(&earlier(tags)), "- Sea — foam\n  - prompt: a gull\n").unwrap();
        assert_eq!(plan.about.did, format!("read as 1 theme; a revision of `archive/ideas/old.md`: {did}"));
        let file = ThemeFile::parse(text_of(&plan, "raw/sea/tags.yaml").as_bytes()).unwrap();
        assert_eq!((file.title.as_deref(), file.keywords.join(" ").as_str()), (Some(title), keywords));
        assert_eq!(text_of(&plan, "raw/sea/prompts.txt"), "a gull\n");
        // The same again changes nothing.
        let plan = decided(&[], &lies, Some(&earlier(tags)), before).unwrap();
        assert_eq!(plan.products, []);
        assert!(plan.about.did.ends_with("nothing changed"), "{}", plan.about.did);
    }
}
