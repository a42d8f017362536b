use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{RelPath, Stage};
use crate::records::{Action, Did};
use crate::service::{layout, path_in};
use crate::vault::Layout;

/// Records that bundles were sent, and prints one line for each.
pub(super) fn sent(args: &RootArgs, bundles: &[PathBuf]) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let layout = layout(&settings);
    let bundles = bundles.iter().map(|bundle| meant(&layout, bundle)).collect::<Result<_, _>>()?;
    let answer = ask(&settings, &Action::Sent(bundles))?;
    let mut is_any_refused = false;
    for did in &answer.done {
        is_any_refused |= matches!(did, Did::Stays(..));
        match did {
            Did::Stays(bundle, why) => say!("{bundle}: not recorded: {why}"),
            did => say!("{did}"),
        }
    }
    match answer.refused {
        Some(why) => Err(CliError::failed(&format!("not recorded: {why}"))),
        None => Ok(if is_any_refused { ExitCode::from(1) } else { ExitCode::SUCCESS }),
    }
}

/// Returns the bundle that a person means: a folder, `upload/DAY/MARKET`, or `DAY/MARKET`.
fn meant(layout: &Layout, bundle: &Path) -> Result<RelPath, CliError> {
    let real = std::path::absolute(plain(bundle)).ok().filter(|real| real.exists());
    real.and_then(|real| path_in(layout, &real)).or_else(|| named(bundle)).ok_or_else(|| {
        CliError::usage(format!("`{}` names no bundle; write its folder, or `DATE/MARKET`", bundle.display()))
    })
}

/// Returns a path without the slash at its end that a shell adds to a folder, and without `./`.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// Returns the bundle that is named by its place below the root, or below `upload`.
pub(super) fn named(bundle: &Path) -> Option<RelPath> {
    let path = RelPath::new(plain(bundle)).ok()?;
    let is_below_upload = path.area() == Stage::Upload.name();
    Some(if is_below_upload { path } else { Stage::Upload.folder().join(path.as_path()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell completes a folder's name with a slash, and such a bundle was called none.
    #[test]
    fn a_bundle_is_named_as_people_and_shells_write_it() {
        let bundle = RelPath::new("upload/2026-12-17/stock-box").unwrap();
        for (text, is_it) in [
            ("2026-12-17/stock-box", true),
            ("2026-12-17/stock-box/", true),
            ("upload/2026-12-17/stock-box", true),
            ("upload/2026-12-17/stock-box//", true),
            ("./upload/2026-12-17/stock-box/", true),
            ("../2026-12-17/stock-box", false),
            ("/2026-12-17/stock-box", false),
            ("./", false),
            ("", false),
        ] {
            assert_eq!(named(Path::new(text)), is_it.then(|| bundle.clone()), "{text}");
        }
    }
}
