//! What is read of a file without decoding it: its kind, whether it is whole, the metadata in it.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{c2pa, check_whole, embed, embedded_xmp, measure, read_xmp, size, sniff};
use stockmill::model::{Kind, Meta};
use stockmill_fuzz::PICTURES;

fuzz_target!(|bytes: &[u8]| {
    for kind in Kind::ALL {
        let extension = kind.extension().unwrap_or("pdf");
        let _ = sniff(bytes, extension);
        let _ = check_whole(Cursor::new(bytes), bytes.len() as u64, kind);
        let _ = measure(Cursor::new(bytes), bytes.len() as u64, kind);
    }
    for kind in PICTURES {
        let _ = size(bytes, kind);
        let _ = c2pa(bytes, kind);
        if let Some(packet) = embedded_xmp(bytes, kind) {
            let _ = read_xmp(&packet);
        }
        if kind != Kind::Tiff
            && let Ok(with) = embed(bytes, kind, &Meta::default()).map(|(with, _)| with.into_bytes())
        {
            assert!(embedded_xmp(&with, kind).is_some(), "{kind}: what was embedded is there");
            assert_eq!(c2pa(&with, kind), None, "{kind}: what was signed of another file is not");
        }
    }
});
