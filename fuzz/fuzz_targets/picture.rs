//! Pictures: any bytes are decoded within small limits or refused; what decodes takes metadata, gives
//! it back, and keeps its pixels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{Limits, decode, embed, embedded_xmp, read_xmp, size, sniff};
use stockmill::model::{Kind, Meta};

const LIMITS: Limits = Limits { pixels_max: 1_000_000, memory_bytes_max: 64 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let Some(kind) = sniff(bytes, "").filter(|kind| kind.is_image()) else { return };
    let seen = size(bytes, kind);
    let Ok(picture) = decode(bytes, kind, &LIMITS) else { return };
    let seen = seen.expect("what decodes has a size");
    assert_eq!((picture.image.width(), picture.image.height()), (seen.width, seen.height));
    assert!(seen.pixels() <= LIMITS.pixels_max);
    let meta =
        Meta { title: "A title".to_owned(), keywords: vec!["one".to_owned(), "two".to_owned()], ..Meta::default() };
    let Ok((with, _)) = embed(bytes, kind, &meta) else { return };
    let with = with.into_bytes();
    let after = decode(&with, kind, &LIMITS).unwrap_or_else(|error| panic!("{kind}: {error}"));
    // How it is turned stays.
    assert_eq!((after.image.width(), after.image.height()), (seen.width, seen.height));
    assert_eq!(after.image.color(), picture.image.color());
    if kind != Kind::Tiff {
        let packet = embedded_xmp(&with, kind).expect("what was embedded is there");
        assert_eq!(read_xmp(&packet).expect("it is sound").title.as_deref(), Some("A title"));
    }
});
