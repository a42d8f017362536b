//! Shared tags: what was read can be written, and reads back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::records::{ThemeFile, read_mapping, write_mapping};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ThemeFile::parse(bytes) {
        let text = file.to_text();
        assert_eq!(ThemeFile::parse(text.as_bytes()).as_ref(), Ok(&file), "{text}");
        let _ = file.tags();
    }
    if let Ok(mapping) = read_mapping(bytes) {
        let text = write_mapping(&mapping);
        assert_eq!(read_mapping(text.as_bytes()).as_ref(), Ok(&mapping), "{text}");
    }
});
