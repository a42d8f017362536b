//! Prompts: expansion keeps its count and order, and merging keeps what a person wrote, byte for byte.
//! The first part is the list on disk, every other part a prompt.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::records::{expand, merge_prompts};
use stockmill_fuzz::parts;

fuzz_target!(|bytes: &[u8]| {
    let parts = parts(bytes);
    let existing = String::from_utf8_lossy(parts[0]);
    let mut new = Vec::new();
    for part in &parts {
        let prompt = String::from_utf8_lossy(part);
        let (few, more) = (expand(&prompt, 3, 1 << 16), expand(&prompt, 20, 1 << 16));
        assert!(few.prompts.len() <= 3 && more.prompts.starts_with(&few.prompts));
        assert!(!few.prompts.is_empty());
        if more.left_out < u64::MAX {
            assert_eq!(few.prompts.len() as u64 + few.left_out, more.prompts.len() as u64 + more.left_out);
        }
        new.extend(more.prompts);
    }
    let once = merge_prompts(&existing, &new);
    assert!(once.starts_with(&*existing));
    assert_eq!(merge_prompts(&once, &new), once);
    for prompt in &new {
        let line =
            prompt.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(line.is_empty() || once.lines().any(|other| other.trim() == line), "{line:?} is lost");
    }
});
