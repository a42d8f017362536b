//! Market profiles, as a person may write them: what is read can be used for names and manifests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::market::{Candidate, Row, WrittenIn, check, fit, fit_file_name, manifest, parse, row_too_long};
use stockmill::model::{Kind, Meta, Size};

fuzz_target!(|bytes: &[u8]| {
    let Ok(market) = parse(&String::from_utf8_lossy(bytes)) else { return };
    let meta = Meta { title: "Hütten, \"Winter\"".to_owned(), keywords: vec!["=snow".to_owned()], ..Meta::default() };
    let (meta, category) = (fit(&market, &meta).meta, Some("11".to_owned()));
    assert!(meta.title.chars().count() <= market.title_text.chars_max, "{}", meta.title);
    let size = Some(Size { width: 3000, height: 2000 });
    let _ = check(
        &market,
        &Candidate {
            kind: Kind::Jpeg,
            size,
            video: None,
            bytes: 9,
            colours: None,
            meta: meta.clone(),
            category: category.clone(),
            written: WrittenIn::default(),
        },
    );
    for name in ["Hütten-0001.jpg", "no extension", "-1.png", "."] {
        if let Some(fitted) = fit_file_name(&market, name, "0123456789abcdef", &|_| false) {
            assert!(fitted.chars().count() <= market.file_name.chars_max, "{fitted}");
        }
    }
    let rows = [Row { file_name: "a.jpg", meta: &meta, category: category.as_deref() }];
    if row_too_long(&market, &rows[0]).is_none() {
        let parts = manifest(&market, &rows).unwrap_or_default();
        assert!(parts.iter().all(|part| part.len() <= market.csv.bytes_max), "{parts:?}");
    }
});
