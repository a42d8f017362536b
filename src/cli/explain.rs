use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::plan::path_of;
use super::settings::{exit_code, settings_to_look};
use crate::model::hierarchy::{levels, of_keywords};
use crate::model::{AiField, RelPath, on_one_line};
use crate::plan::tags::{Layer, Resolved, Sourced};
use crate::service::{AssetStatus, View};

/// Prints everything about one path.
pub(super) fn explain(args: &RootArgs, file: &Path) -> Result<ExitCode, CliError> {
    let (settings, wrong) = settings_to_look(args)?;
    let mut view = View::open(settings).map_err(|error| CliError::failed(&error))?;
    if let Some(wrong) = &wrong {
        view.shows_defaults();
        say!("settings {}", wrong.text());
        say!("         shown below: by the default settings, and with the folders as they were used last");
    }
    let code = exit_code(wrong.as_ref());
    if view.is_root(file) {
        say!("is       the root of the mill; `stockmill status` shows what lies in its stages");
        return Ok(code);
    }
    let path = path_of(&view, file)?;
    let Some(explained) = view.explain(&path).map_err(|error| CliError::failed(&error))? else {
        let text =
            format!("`{path}` is not there, and stockmill never saw it; `stockmill history FILE` knows by content");
        return Err(CliError::failed(&text));
    };
    say!("file     {path}");
    say!("is       {}", explained.is);
    for (label, text) in &explained.notes {
        say!("{label:8} {}", on_one_line(text));
    }
    match &explained.status {
        Some(AssetStatus::Planned(plan)) => say!("next     {}", plan.to_string().trim_end()),
        Some(AssetStatus::Held(_, why)) => say!("held     {why}"),
        Some(AssetStatus::LeftAlone(_, why)) => say!("left alone: {why}"),
        Some(AssetStatus::Unseen(stage, why)) => say!("unseen   {stage}: {why}"),
        None => (),
    }
    if let Some(tags) = &explained.tags {
        print_tags(tags, &explained.sources);
    }
    Ok(code)
}

/// Prints where keywords stand, what its generator was asked, and how many stars it has.
fn print_more(tags: &Resolved) {
    let keywords: Vec<String> = tags.keywords.iter().map(|keyword| keyword.value.clone()).collect();
    for path in &tags.hierarchy {
        say!("hierarchy    {} ({}){}", path.value, path.layer, in_public(&path.value, &keywords));
    }
    for (field, sourced) in AiField::ALL.into_iter().zip(&tags.ai) {
        if let Some(Sourced { value, layer }) = sourced {
            say!("{:12} {value} ({layer})", format!("ai {}", field.name()));
        }
    }
    if let Some(Sourced { value, layer }) = &tags.rating {
        say!("rating       {value} ({layer})");
    }
}

/// Returns what there is to tell of how much of a hierarchical keyword files for markets have.
fn in_public(path: &String, keywords: &[String]) -> String {
    match of_keywords([path], keywords).first() {
        Some(public) if levels(public).eq(levels(path)) => String::new(),
        Some(public) => {
            format!("; in files for markets `{public}`, since its other levels are no keywords, or stand there twice")
        }
        None => {
            "; not in files for markets, since its last level is no keyword, or no other one stands above it".to_owned()
        }
    }
}

fn print_tags(tags: &Result<Resolved, String>, sources: &[(Layer, RelPath)]) {
    let tags = match tags {
        Ok(tags) => tags,
        Err(why) => {
            say!("tags     unknown: {why}");
            return;
        }
    };
    let line = |name: &str, sourced: &Option<Sourced<String>>| {
        if let Some(sourced) = sourced {
            say!("{name:12} {} ({})", sourced.value, sourced.layer);
        }
    };
    line("title", &tags.title);
    line("description", &tags.description);
    line("creator", &tags.creator);
    line("rights", &tags.rights);
    for (market, category) in &tags.category {
        say!("category     {market}: {} ({})", category.value, category.layer);
    }
    for (what, sourced) in [("sharpen", &tags.sharpen), ("levels", &tags.levels)] {
        if let Some(Sourced { value, layer }) = sourced {
            say!("{what:12} {value} ({layer})");
        }
    }
    if let Some(Sourced { value, layer }) = &tags.look {
        say!("look         {value} ({layer})");
    }
    if let Some(Sourced { value, layer }) = &tags.people {
        say!("people       {value} ({layer})");
    }
    if let Some(Sourced { value, layer }) = &tags.method {
        say!("method       {value} ({layer})");
    }
    if let Some(Sourced { value, layer }) = &tags.restore {
        say!("restore      {value} ({layer})");
    }
    for keyword in &tags.keywords {
        say!("keyword      {} ({})", keyword.value, keyword.layer);
    }
    print_more(tags);
    for (layer, file) in sources {
        say!("layer        {layer}: {file}");
    }
}
