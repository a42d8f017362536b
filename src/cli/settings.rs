use std::path::{Path, PathBuf};

use super::Place;
use super::error::CliError;
use crate::config::{DEFAULT_TEXT, Settings, load};
use crate::market::{Market, built_in, parse};

/// The name of the settings file in a root.
pub(super) const FILE_NAME: &str = "stockmill.yaml";

/// Where settings come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(PathBuf),
    BuiltIn,
}

impl Source {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::BuiltIn => "the built-in defaults".to_owned(),
        }
    }
}

/// Returns the root that was asked for, absolute.
pub(super) fn root(place: &Place) -> Result<PathBuf, CliError> {
    let root = match &place.root {
        Some(root) => root.clone(),
        None => home()?.join("Stockmill"),
    };
    std::path::absolute(&root).map_err(|error| CliError::usage(format!("`{}` is no folder: {error}", root.display())))
}

fn home() -> Result<PathBuf, CliError> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from).ok_or_else(|| CliError::usage("no home folder is known; say where with --root FOLDER"))
}

/// Returns where the settings of a root come from: the root itself, `--config`, the user's and the
/// system's configuration folders, in this order.
pub(super) fn source(place: &Place, root: &Path) -> Result<Source, CliError> {
    let own = root.join(FILE_NAME);
    // Settings that cannot be looked at are not settings that are not there.
    if own.try_exists().map_err(|error| CliError::usage(format!("{}: {error}", own.display())))? {
        return Ok(Source::File(own));
    }
    if let Some(file) = &place.config {
        if file.exists() {
            return Ok(Source::File(file.clone()));
        }
        return Err(CliError::usage(format!("there is no settings file `{}`", file.display())));
    }
    let user = user_folder().map(|folder| folder.join(FILE_NAME));
    let system = Some(PathBuf::from("/etc/stockmill").join(FILE_NAME));
    Ok(user.into_iter().chain(system).find(|path| path.exists()).map_or(Source::BuiltIn, Source::File))
}

fn user_folder() -> Option<PathBuf> {
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home().ok()?.join(".config")));
    user.map(|folder| folder.join("stockmill"))
}

/// Returns the folders that settings may be read from again; `/etc` goes without saying. A file that is
/// a symbolic link is read from where it really lies. Folders, since an editor puts a new file there.
pub(super) fn read_from(place: &Place, root: &Path, source: &Source) -> Vec<PathBuf> {
    let own = if let Source::File(path) = source { Some(path.clone()) } else { None };
    let markets = std::fs::read_dir(root.join("markets")).into_iter().flatten().filter_map(Result::ok);
    let files: Vec<PathBuf> = own.into_iter().chain(place.config.clone()).chain(markets.map(|e| e.path())).collect();
    let named = files.iter().filter_map(|file| std::path::absolute(file).ok());
    let real = files.iter().filter_map(|file| file.canonicalize().ok());
    named.chain(real).filter_map(|file| file.parent().map(Path::to_owned)).chain(user_folder()).collect()
}

/// Reads the settings of a root; the text of all problems if they are not sound.
pub(super) fn read(root: &Path, source: &Source) -> Result<Settings, String> {
    let text = match source {
        Source::File(path) => std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
        Source::BuiltIn => DEFAULT_TEXT.to_owned(),
    };
    let problems = |problems: crate::config::Problems| {
        problems.0.iter().map(|problem| format!("{}: {problem}", source.shown())).collect::<Vec<_>>().join("\n")
    };
    load(&text, root, &markets(root)?).map_err(problems)
}

/// Returns the built-in markets and those in the root's `markets` folder, which win.
fn markets(root: &Path) -> Result<Vec<Market>, String> {
    let mut markets = built_in().map_err(|error| error.to_string())?;
    let folder = root.join("markets");
    let cannot = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(markets),
        entries => entries.map_err(cannot)?,
    };
    for entry in entries {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let own = parse(&path.display().to_string(), &text).map_err(|error| error.to_string())?;
        markets.retain(|market| market.name != own.name);
        markets.push(own);
    }
    Ok(markets)
}

/// Reads the settings that a command works with.
pub(super) fn settings(place: &Place) -> Result<Settings, CliError> {
    let root = root(place)?;
    let source = source(place, &root)?;
    read(&root, &source).map_err(CliError::usage)
}

/// Reads the settings of a root that must be there already.
pub(super) fn settings_of_existing(place: &Place) -> Result<Settings, CliError> {
    let settings = settings(place)?;
    if settings.root.join(".stockmill").is_dir() {
        return Ok(settings);
    }
    let root = settings.root.display();
    Err(CliError::usage(format!(
        "`{root}` is no stockmill folder; make one with `stockmill init {root}`, or name another with --root"
    )))
}
