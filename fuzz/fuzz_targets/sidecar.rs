//! Sidecars: what was read can be written, and reads back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::records::Sidecar;

fuzz_target!(|bytes: &[u8]| {
    let Ok(sidecar) = Sidecar::parse(bytes) else { return };
    let text = sidecar.to_text();
    let again = Sidecar::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again, Sidecar { version: Some(1), ..sidecar }, "{text}");
    assert_eq!(again.to_text(), text);
});
