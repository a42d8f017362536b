//! The journal: any bytes give a prefix, and what was read reads back the same when it is written
//! again. Checksums stop almost every change, so each line is tried with a right one as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::records::{Record, read_records};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut signed = Vec::new();
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let json = line.iter().position(|b| *b == b'{').map_or(line, |at| &line[at..]);
        signed.extend(format!("{:08x} ", crc32fast::hash(json)).bytes().chain(json.iter().copied()).chain(*b"\n"));
    }
    check(&signed);
});

fn check(bytes: &[u8]) {
    let (records, used) = read_records(bytes);
    assert!(used <= bytes.len());
    assert_eq!(read_records(&bytes[..used]), (records.clone(), used));
    let text: String = records.iter().map(Record::to_line).collect();
    assert_eq!(text.lines().count(), records.len());
    assert_eq!(read_records(text.as_bytes()), (records, text.len()));
}
