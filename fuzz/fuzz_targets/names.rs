//! Names: naming rules, paths, slugs, keywords.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use libfuzzer_sys::fuzz_target;
use stockmill::model::{RelPath, Template, ThemeSlug, escape_bytes, nearest, normal_keyword, slugify};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match Template::parse(&text) {
        Ok(template) => assert_eq!(Template::parse(template.as_str()).as_ref(), Ok(&template)),
        Err(problem) => assert!((1..=text.chars().count() + 1).contains(&problem.column), "{problem:?}"),
    }
    if let Ok(path) = RelPath::new(OsStr::from_bytes(bytes)) {
        let yaml = serde_yaml::to_string(&path).expect("a path is a text");
        assert_eq!(serde_yaml::from_str::<RelPath>(&yaml).expect("it reads back"), path);
        assert!(path.parts().all(|part| !part.is_empty() && part != "." && part != ".."));
        assert_eq!(path.parent().map_or_else(|| path.clone(), |folder| folder.join(path.file_name())), path);
        let _ = (path.stem(), path.extension(), path.file_text(), path.area());
    }
    if let Ok(path) = serde_yaml::from_str::<RelPath>(&text) {
        assert!(path.parts().all(|part| part != ".."));
    }
    assert!(!escape_bytes(bytes).contains(char::is_control));
    if let Some(slug) = ThemeSlug::from_title(&text) {
        assert!(slug.as_str().len() <= 64 + "day-".len());
        assert_eq!(ThemeSlug::new(slug.as_str()).as_ref(), Ok(&slug));
        assert_eq!(ThemeSlug::from_title(slug.as_str()).as_ref(), Some(&slug));
    }
    let slug = slugify(&text);
    assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    assert_eq!(slugify(&slug), slug);
    let word = normal_keyword(&text);
    assert_eq!(normal_keyword(&word), word);
    let _ = nearest(&text, &["theme", "seq", "original"]);
});
