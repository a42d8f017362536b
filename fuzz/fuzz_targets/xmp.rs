//! XMP: any bytes are read or refused, and what was read can be embedded and reads back as written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{read_xmp, write_xmp};
use stockmill::model::Meta;

fuzz_target!(|bytes: &[u8]| {
    let Ok(tags) = read_xmp(bytes) else { return };
    let meta = Meta {
        title: tags.title.unwrap_or_default(),
        description: tags.description.unwrap_or_default(),
        keywords: tags.keywords,
        creator: tags.creator.unwrap_or_default(),
        rights: tags.rights.unwrap_or_default(),
        ..Meta::default()
    };
    let text = write_xmp(&meta);
    let again = read_xmp(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let whole = Meta {
        title: again.title.unwrap_or_default(),
        description: again.description.unwrap_or_default(),
        keywords: again.keywords,
        creator: again.creator.unwrap_or_default(),
        rights: again.rights.unwrap_or_default(),
        ..Meta::default()
    };
    // Characters that XML cannot hold are dropped the first time and none the second time.
    assert_eq!(write_xmp(&whole), text);
});
