use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::plan::path_of;
use super::settings::settings_of_existing;
use crate::plan::tags::{Resolved, Sourced};
use crate::service::{AssetStatus, View};

/// Prints everything about one file.
pub(super) fn explain(args: &RootArgs, file: &Path) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    let path = path_of(&view, file)?;
    if let Some((is_sent, tags)) = view.explain_bundled(&path) {
        say!("file     {path}");
        say!("is       bundled{}", if is_sent { ", and its bundle was sent" } else { "; changed tags still reach it" });
        print_tags(&tags);
        return Ok(ExitCode::SUCCESS);
    }
    let explained = view.explain(&path).map_err(|error| CliError::failed(&error))?;
    let Some(explained) = explained else {
        let text = format!("`{path}` is no asset in an inbox; `stockmill history` says where it went");
        return Err(CliError::usage(text));
    };
    if let Some(facts) = &explained.facts {
        let kind = facts.kind.map_or_else(|| "unknown".to_owned(), |kind| kind.to_string());
        let size =
            facts.size.map(|size| format!(", {size} pixels, {:.1} megapixels", size.megapixels())).unwrap_or_default();
        say!("file     {}", facts.path);
        say!("is       {kind}{size}, {} bytes", facts.seen.size);
        for companion in
            facts.sidecar.iter().map(|(companion, _)| companion).chain(&facts.companions).chain(&facts.members)
        {
            say!("with     {}", companion.path);
        }
    }
    match &explained.status {
        AssetStatus::Planned(plan) => say!("next     {}", plan.to_string().trim_end()),
        AssetStatus::Held(_, why) => say!("held     {why}"),
        AssetStatus::LeftAlone(_, why) => say!("alone    {why}"),
    }
    if let Some(tags) = &explained.tags {
        print_tags(tags);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_tags(tags: &Result<Resolved, String>) {
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
    for keyword in &tags.keywords {
        say!("keyword      {} ({})", keyword.value, keyword.layer);
    }
}
