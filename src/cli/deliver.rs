use std::path::PathBuf;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;

/// What is delivered.
#[derive(Debug, clap::Args)]
pub(super) struct DeliverArgs {
    /// Bundles, such as upload/2026-11-28/adobe-stock or 2026-11-28/adobe-stock; without them, all that are ready and not sent
    #[arg(value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Of a file that is in doubt, was uploaded by hand, or was changed after it was delivered: the market has it, or needs it not; it is never sent
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundles", "send_again"])]
    taken: Vec<PathBuf>,
    /// Of a file that is in doubt: the portal does not show it, so the next delivery sends it
    #[arg(long, value_name = "FILE", conflicts_with = "bundles")]
    send_again: Vec<PathBuf>,
}

/// Says that this build cannot deliver, and how to get one that can.
#[cfg(not(feature = "delivery"))]
pub(super) fn deliver(_: &RootArgs, _: &DeliverArgs) -> Result<ExitCode, CliError> {
    Err(CliError::usage(
        "this stockmill was built without delivery; build it with `cargo install --profile dist --features delivery --path \
         .`, or upload the bundles by hand",
    ))
}

#[cfg(feature = "delivery")]
pub(super) use with_network::deliver;

#[cfg(feature = "delivery")]
mod with_network {
    use std::collections::BTreeMap;
    use std::path::{Path, absolute};

    use super::{CliError, DeliverArgs, ExitCode, PathBuf, RootArgs};
    use crate::cli::out::{counted, line};
    use crate::cli::sent;
    use crate::cli::settings::settings_of_existing;
    use crate::config::Settings;
    use crate::deliver::{Due, Order, Settled, Summary, deliver as deliver_orders, settle};
    use crate::model::RelPath;
    use crate::plan::BundleName;
    use crate::service::{BundleStatus, Clock, View, layout};

    /// Delivers bundles, or takes in what a person found in the portal.
    pub(in crate::cli) fn deliver(args: &RootArgs, own: &DeliverArgs) -> Result<ExitCode, CliError> {
        let settings = settings_of_existing(args)?;
        let tell = |text: String| line(format_args!("{text}"));
        match (&own.taken[..], &own.send_again[..]) {
            ([], []) => (),
            (files, []) => return settled(&settings, files, Settled::Taken, &tell),
            (_, files) => return settled(&settings, files, Settled::SendAgain, &tell),
        }
        if settings.upload.delivery.is_empty() {
            return Err(CliError::usage(
                "no market has a delivery: write `upload.delivery` into the settings (docs/DELIVERY.md), or upload the bundles \
                 by hand, as their CHECKLIST.md says",
            ));
        }
        let orders = orders(&settings, &own.bundles)?;
        let clock = Clock::start();
        let done = deliver_orders(layout(&settings), &orders, &|| clock.now().timestamp(), &tell);
        let summary = done.map_err(|error| CliError::failed(&error))?;
        line(format_args!("{}", told(summary)));
        Ok(if summary.left + summary.left_bundles > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Returns the last line.
    fn told(Summary { delivered, left, left_bundles }: Summary) -> String {
        let files = (left > 0).then(|| format!(", and {left} not"));
        let bundles = (left_bundles > 0).then(|| format!(", and nothing of {}", counted(left_bundles, "bundle")));
        let why = if left + left_bundles > 0 { ", for the reasons above" } else { "" };
        let rest: String = files.into_iter().chain(bundles).collect();
        format!("{} delivered now{rest}{why}.", counted(delivered, "file"))
    }

    fn settled(
        settings: &Settings,
        files: &[PathBuf],
        settled: Settled,
        tell: &dyn Fn(String),
    ) -> Result<ExitCode, CliError> {
        let files = files.iter().map(|file| below(settings, file)).collect::<Result<Vec<_>, _>>()?;
        let now = Clock::start().now().timestamp();
        let others = settle(layout(settings), &settings.upload.markets, &files, settled, now, tell);
        let others = others.map_err(|error| CliError::failed(&error))?;
        if others.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(CliError::failed(&others.join("\n"))) }
    }

    /// Returns what is to be delivered: the bundles that were named, or all that are not sent.
    fn orders(settings: &Settings, named: &[PathBuf]) -> Result<Vec<Order>, CliError> {
        let mut view = View::open(settings.clone()).map_err(|error| CliError::failed(&error))?;
        let unsent: Vec<_> = view.bundles().into_iter().filter(|bundle| !bundle.sent).collect();
        let mut wanted = Vec::new();
        for path in named {
            let bundle = below(settings, path).or_else(|error| sent::named(path).ok_or(error))?;
            if !unsent.iter().any(|known| known.folder == bundle) {
                let why = "is no bundle that is ready and not marked as sent; `stockmill status` lists them";
                return Err(CliError::usage(format!("`{bundle}` {why}")));
            }
            let market = BundleName::of(&bundle).map(|name| name.market);
            if let Some(market) = market.filter(|market| !settings.upload.delivery.contains_key(market)) {
                return Err(CliError::usage(format!(
                    "`{bundle}` cannot be delivered: the settings have no `upload.delivery.{market}`"
                )));
            }
            wanted.push(bundle);
        }
        let is_wanted = |bundle: &&RelPath| named.is_empty() || wanted.contains(bundle);
        let mut of = |market: &crate::market::Market| {
            let is_its = |bundle: &&RelPath| BundleName::of(bundle).is_some_and(|name| name.market == market.name);
            // A timer looks again and again: of what is delivered nothing is measured.
            let is_left = |known: &BundleStatus| {
                let is_all = |files: &usize| *files >= known.files + known.without_sidecar;
                !known.delivered.as_ref().is_ok_and(is_all)
            };
            let its = unsent.iter().filter(|bundle| is_wanted(&&bundle.folder) && is_its(&&bundle.folder));
            let left: Vec<&RelPath> = its.clone().filter(|known| is_left(known)).map(|known| &known.folder).collect();
            let mut refused: BTreeMap<&RelPath, _> = left.iter().copied().zip(view.refused_in(&left)).collect();
            let due = |BundleStatus { folder, .. }: &BundleStatus| Due {
                folder: folder.clone(),
                refused: refused.remove(folder).unwrap_or_else(|| Ok(BTreeMap::new())),
            };
            its.map(due).collect::<Vec<_>>()
        };
        let markets = settings.upload.markets.iter();
        let order = markets.filter_map(|market| {
            let delivery = settings.upload.delivery.get(&market.name)?.clone();
            Some(Order { bundles: of(market), market: market.clone(), delivery })
        });
        Ok(order.filter(|order| !order.bundles.is_empty()).collect())
    }

    /// Returns a path below the mill's `upload`, wherever that lies; one that is written from the mill's root on is taken, too.
    fn below(settings: &Settings, path: &Path) -> Result<RelPath, CliError> {
        let upload = &settings.folders.upload;
        let really = |path: &Path| path.canonicalize().or_else(|_| absolute(path)).unwrap_or_else(|_| path.to_owned());
        let inside = really(path).strip_prefix(really(upload)).map(Path::to_owned);
        let from_root = path.strip_prefix("upload").map(Path::to_owned);
        let inside = inside.or(from_root).ok().and_then(|inside| RelPath::new(Path::new("upload").join(inside)).ok());
        inside.ok_or_else(|| CliError::usage(format!("`{}` does not lie in `{}`", path.display(), upload.display())))
    }

    #[cfg(test)]
    #[expect(clippy::disallowed_methods, reason = "a test plays the daemon that makes a bundle")]
    mod tests {
        use super::*;

        #[test]
        fn files_and_bundles_are_told_apart() {
            for (counts, expected) in [
                ([2, 0, 0], "2 files delivered now."),
                ([1, 3, 0], "1 file delivered now, and 3 not, for the reasons above."),
                ([0, 0, 2], "0 files delivered now, and nothing of 2 bundles, for the reasons above."),
                ([0, 1, 1], "0 files delivered now, and 1 not, and nothing of 1 bundle, for the reasons above."),
            ] {
                let [delivered, left, left_bundles] = counts;
                assert_eq!(told(Summary { delivered, left, left_bundles }), expected);
            }
        }

        /// A file went that its market would refuse by the tags of today.
        #[test]
        fn what_speaks_against_a_file_is_asked_before_it_goes() {
            let home = tempfile::tempdir().unwrap();
            let bundle = home.path().join("upload/2026-11-28/adobe-stock");
            for folder in crate::service::AREAS.into_iter().chain([".stockmill", "markets", "tagsets"]) {
                std::fs::create_dir_all(home.path().join(folder)).unwrap();
            }
            for (file, text) in [("files/a.jpg", "a"), ("sidecars/a.jpg.yaml", "id: '0123456789abcdef'\n")] {
                std::fs::create_dir_all(bundle.join(file).parent().unwrap()).unwrap();
                std::fs::write(bundle.join(file), text).unwrap();
            }
            let text = "upload: {markets: [adobe-stock], delivery: {adobe-stock: {to: 'sftp://me@host'}}}\n";
            let settings = crate::config::load(text, home.path(), &crate::market::built_in().unwrap()).unwrap();
            let orders = orders(&settings, &[]).unwrap();
            // Bundles have the same names as for `sent`.
            for (name, is_it) in [
                ("2026-11-28/adobe-stock", true),
                ("upload/2026-11-28/adobe-stock/", true),
                ("2026-11-29/adobe-stock", false),
            ] {
                assert_eq!(self::orders(&settings, &[name.into()]).is_ok(), is_it, "{name}");
            }
            let refused = orders[0].bundles[0].refused.as_ref().unwrap();
            let file = RelPath::new("upload/2026-11-28/adobe-stock/files/a.jpg").unwrap();
            assert!(refused[&file].contains("it is of no kind that stockmill knows"), "{refused:?}");
        }
    }
}
