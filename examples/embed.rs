//! Writes metadata into finished JPEGs in their place, as the mill does, for `benches/metadata`: `embed [--receipts] FOLDER`.

#![expect(clippy::disallowed_methods, reason = "it measures what programs do that change files in their place")]

use std::fs;
use std::io::Read as _;
use std::path::Path;

use stockmill::craft::{Embedded, EssenceWriter, embed};
use stockmill::model::{Kind, Meta};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has_receipts = arguments.iter().any(|argument| argument == "--receipts");
    let folder = arguments.iter().find(|argument| !argument.starts_with("--")).ok_or("name a folder of JPEGs")?;
    let texts = ["snow", "log cabin", "winter", "forest", "quiet", "Berghütte", "night", "stars", "pine", "lake"];
    let meta = Meta {
        title: "A quiet cabin in the snow".to_owned(),
        description: "A log cabin below pines, with snow on its roof and light in its window.".to_owned(),
        keywords: texts.map(str::to_owned).to_vec(),
        creator: "Ann Miller".to_owned(),
        rights: "© 2026 Ann Miller".to_owned(),
        ..Meta::default()
    };
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        bytes.clear();
        fs::File::open(&path)?.read_to_end(&mut bytes)?;
        let (embedded, _) = embed(&bytes, Kind::Jpeg, &meta)?;
        replace(&path, &embedded, has_receipts)?;
    }
    Ok(())
}

/// Replaces a file durably; with receipts it is hashed whole, and what it shows as well, as a product of the mill is.
fn replace(path: &Path, embedded: &Embedded<'_>, has_receipts: bool) -> Result<(), Box<dyn std::error::Error>> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create_new(&beside)?;
    if has_receipts {
        let mut writer = EssenceWriter::new(&mut file, Some(Kind::Jpeg));
        embedded.write(&mut writer)?;
        let mut hasher = blake3::Hasher::new();
        embedded.write(&mut hasher)?;
        std::hint::black_box((writer.finish().1, hasher.finalize()));
    } else {
        embedded.write(&mut file)?;
    }
    file.sync_all()?;
    Ok(fs::rename(&beside, path)?)
}
