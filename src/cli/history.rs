use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::plan::path_of;
use super::settings::settings_of_existing;
use crate::model::{ContentHash, RelPath};
use crate::records::{Intent, Plans};
use crate::service::{View, dealing_with, dealt_assets, layout};
use crate::vault::{Journal, RealDisk, plain};

/// Prints what happened to a file, by its content; a file that is gone is found by its last path.
pub(super) fn history(args: &RootArgs, file: &Path) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let disk = RealDisk::open_to_look(layout(&settings));
    let records = Journal::read_only(&*disk).map_err(|error| CliError::failed(&error))?;
    let view = View::open(settings).map_err(|error| CliError::failed(&error))?;
    let path = path_of(&view, file).ok();
    let hash = content(file)?;
    if hash.is_none() && path.is_none() {
        return Err(CliError::usage(format!("`{}` is not there and was never in this root", file.display())));
    }
    let done = Plans::of(&records).done_as_begun();
    let touches = |intent: &&&Intent| touches(intent, hash.as_ref(), path.as_ref());
    let mut assets: Vec<_> = done.iter().filter(touches).filter_map(|intent| intent.about.asset.clone()).collect();
    assets.extend(dealt_assets(&records, hash.as_ref(), path.as_ref()));
    let is_about =
        |intent: &&&Intent| intent.about.asset.as_ref().is_some_and(|asset| assets.contains(asset)) || touches(intent);
    let dealing = |intent: &Intent| dealing_with(intent, &assets, hash.as_ref(), path.as_ref());
    let mut lines = 0;
    for intent in &done {
        let local = |at: jiff::Timestamp| at.to_zoned_datetime(jiff::tz::TimeZone::system());
        if intent.about.dealing.is_some() {
            if let Some((at, did)) = dealing(intent) {
                say!("{}  {:7} {did}", local(at).strftime("%Y-%m-%d %H:%M:%S %:z"), intent.about.stage.name());
                lines += 1;
            }
            continue;
        }
        if !is_about(&intent) {
            continue;
        }
        let at = local(intent.at);
        for step in intent.about.told() {
            let to = step.to.as_ref().map(|to| format!(" -> {to}")).unwrap_or_default();
            let from = step.from.as_ref().map(|from| format!(": {from}")).unwrap_or_default();
            say!("{}  {:7} {}{from}{to}", at.strftime("%Y-%m-%d %H:%M:%S %:z"), step.stage.name(), step.did);
            lines += 1;
        }
    }
    if lines == 0 {
        say!("Nothing is known about `{}`: stockmill has not worked on it.", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn content(file: &Path) -> Result<Option<ContentHash>, CliError> {
    let mut hasher = blake3::Hasher::new();
    let is_other = std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_other {
        return Err(CliError::usage(format!("`{}` is no ordinary file", file.display())));
    }
    match std::fs::File::open(file) {
        Ok(opened) => {
            let cannot = |error| CliError::failed(&format!("`{}` cannot be read: {}", file.display(), plain(&error)));
            hasher.update_reader(opened).map_err(cannot)?;
            Ok(Some(ContentHash::from_digest(hasher.finalize())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::usage(format!("`{}` cannot be read: {}", file.display(), plain(&error)))),
    }
}

/// Returns what a step made of an asset. What is about none makes lists and tags, of which no history is told.
fn made_of_asset(intent: &Intent) -> impl Iterator<Item = &RelPath> {
    let is_of_asset = intent.about.asset.is_some();
    intent.publish.iter().filter(move |_| is_of_asset).map(|product| &product.to)
}

fn touches(intent: &Intent, hash: Option<&ContentHash>, path: Option<&RelPath>) -> bool {
    let by_hash = hash.is_some_and(|hash| {
        intent.about.hash.as_ref() == Some(hash) || intent.publish.iter().any(|product| product.hash == *hash)
    });
    let by_path = path.is_some_and(|path| {
        let moved = intent.moves.iter().any(|shift| shift.from == *path || shift.to == *path);
        let about = &intent.about;
        // What was done at once gave it names between, and a file in the bundle of each market.
        let steps = about.steps.iter().flat_map(|step| [&step.from, &step.to]);
        let mut names = about.from.iter().chain(&about.to).chain(steps).chain(made_of_asset(intent));
        moved || names.any(|name| name == path)
    });
    by_hash || by_path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AssetId, Stage};
    use crate::records::{About, Publish, PublishMode, StepTaken};

    /// Of a file that went on at once, the names between were told as never worked on, and so was what a further market has.
    #[test]
    fn a_file_is_found_by_each_name_that_it_had() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let hash = ContentHash::of(b"p");
        let [raw, keep, one, other] = ["raw/a.png", "keep/a.png", "upload/d/m/files/a.jpg", "upload/d/n/files/a.jpg"];
        let step = |from: &str, to: &str| StepTaken {
            stage: Stage::Raw,
            from: path(from),
            to: path(to),
            markets: Vec::new(),
            did: "did".to_owned(),
        };
        let intent = Intent {
            plan: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            claims: false,
            about: About {
                asset: Some(AssetId::of(&hash)),
                from: Some(path(raw)),
                to: Some(path(one)),
                steps: vec![step(raw, keep), step(keep, one)],
                ..About::new(Stage::Raw, "did")
            },
            publish: [one, other]
                .map(|to| Publish { scratch: path("s"), to: path(to), hash: hash.clone(), mode: PublishMode::New })
                .into(),
            moves: Vec::new(),
            removes: Vec::new(),
        };
        for (name, is_it) in [(raw, true), (keep, true), (one, true), (other, true), ("keep/b.png", false)] {
            assert_eq!(touches(&intent, None, Some(&path(name))), is_it, "{name}");
        }
    }
}
