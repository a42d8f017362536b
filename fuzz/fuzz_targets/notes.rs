//! Notes: every form is read from any bytes, nothing is silently dropped, and the theme that an idea
//! makes reads back as it was written.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use stockmill::records::{ThemeFile, expand, parse_note, prompts_text};

/// One name for each reader.
const NAMES: [&str; 3] = ["Winter cabins.md", "ideas.csv", "ideas.yaml"];

fuzz_target!(|bytes: &[u8]| {
    for name in NAMES {
        let note = parse_note(name, bytes);
        assert!(!note.ideas.is_empty() || !note.problems.is_empty(), "{name}: silence");
        let lines = bytes.len() + 1;
        let mut slugs = HashSet::new();
        for idea in &note.ideas {
            assert!(slugs.insert(idea.slug.as_str()), "{name}: the theme {} comes twice", idea.slug);
            assert!((1..=lines).contains(&idea.line) && idea.title.len() <= 200 && !idea.title.is_empty());
            let file = ThemeFile::from_idea(idea);
            assert_eq!(ThemeFile::parse(file.to_text().as_bytes()).as_ref(), Ok(&file), "{name}: {}", file.to_text());
            for prompt in &idea.prompts {
                let prompts = expand(prompt, 100, 1 << 20).prompts;
                assert!(prompts_text(&prompts).lines().count() <= prompts.len());
            }
        }
        assert!(
            note.problems.iter().all(|problem| (1..=lines).contains(&problem.line) && !problem.what.contains('\n'))
        );
    }
});
