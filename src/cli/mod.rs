//! The command line: one file per command. It asks the other rooms and prints what they say.

mod again;
mod ask;
mod check;
mod convert;
mod deliver;
mod error;
mod explain;
mod forecast;
mod history;
mod init;
mod markets;
mod models;
mod near;
mod numbers;
mod out;
mod plan;
mod profiles;
mod reader;
mod release;
mod retry;
mod run;
mod sent;
mod settings;
mod status;
mod undo;
mod unwise;
mod upscaler_exec;
mod verdicts;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::{Stage, ThemeSlug};
use crate::service::HELPER;
use error::CliError;

/// From a folder of AI-generated images, videos and 3D models to bundles that stock marketplaces take.
///
/// Drop notes into `ideas` and files into `raw`; the daemon does everything between your sittings.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    args: RootArgs,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 something failed, 2 wrong usage or settings.";

/// Where to work.
#[derive(Debug, clap::Args)]
pub(crate) struct RootArgs {
    /// The folder that holds the inboxes [default: ~/Stockmill]
    #[arg(long, global = true, env = "STOCKMILL_ROOT", value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The settings file, if ROOT/stockmill.yaml is not there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the folders and a commented stockmill.yaml
    Init {
        /// The folder that holds the inboxes
        #[arg(value_name = "ROOT")]
        folder: Option<PathBuf>,
    },
    /// Watch the inboxes and work until stopped
    Run,
    /// Work until nothing is left, then stop
    Once,
    /// Check the settings, the folders and the machine's limits
    Check,
    /// Print what `run` would do next; changes nothing
    Plan {
        /// A file or folder in an inbox
        path: Option<PathBuf>,
        /// Which file leaves `upload` when and for which market, until the end of a day such as 2026-12-24
        #[arg(long, value_name = "DATE", conflicts_with = "path", value_parser = forecast::day)]
        until: Option<jiff::civil::Date>,
        /// With --until, one JSON object, for programs
        #[arg(long, requires = "until")]
        json: bool,
    },
    /// Show what is ready, and what is held, set aside or left alone and why
    Status {
        /// One JSON object, for programs
        #[arg(long)]
        json: bool,
        /// Every reason with every file, however many they are
        #[arg(long, conflicts_with = "json")]
        all: bool,
    },
    /// Explain a file or folder of the root: what it is, what comes next, its name and tags and the source of each
    Explain {
        /// A file or folder, or where one was
        file: PathBuf,
    },
    /// Take back the last step: files, names and sidecars as they were; called again, the step before it
    Undo {
        /// The asset at its present path; without it, the last step of all
        file: Option<PathBuf>,
    },
    /// Show what happened to a file, by its content, through renames
    History {
        /// A file, wherever it is now
        file: PathBuf,
    },
    /// Release the files that lie in a stage now, whatever its gate says
    ///
    /// Of `upload`: with --anyway, and where the gate is open, past `upload.limits`, `brake` and `probe` of every market.
    Release {
        /// ideas, raw, keep, export or upload
        stage: Stage,
        /// One theme only
        theme: Option<String>,
        /// Also what is held for its own sake behind a gate that is shut: too small, rejected, incomplete, once deleted
        #[arg(long)]
        anyway: bool,
        /// Only with `keep`: make anew what the settings of today would make otherwise and is not sent, from the originals
        #[arg(long, conflicts_with = "anyway")]
        again: bool,
        /// Print what would be made anew; changes nothing
        #[arg(long, requires = "again")]
        dry_run: bool,
    },
    /// Move files that were set aside in `failed` back to where they came from
    Retry {
        /// A stage, or the path of a file or folder in `failed` or in its stage; without it, everything
        #[arg(value_name = "PATH|STAGE")]
        what: Option<PathBuf>,
    },
    /// Send the files of finished bundles to their markets by SFTP or FTPS, where the settings say how
    Deliver(deliver::DeliverArgs),
    /// Record that bundles were uploaded: they stay as they are, and nothing in them goes to that market again
    Sent {
        /// A bundle's folder, or its name `DATE/MARKET`
        #[arg(value_name = "BUNDLE", required = true)]
        bundles: Vec<PathBuf>,
    },
    /// Record what a market answered, from its list of accepted and refused files (CSV)
    Verdicts {
        /// The market's list
        file: PathBuf,
        /// The market, if `upload.markets` names several
        #[arg(long, value_name = "NAME")]
        market: Option<String>,
        /// The columns of the list, if the market's profile does not say them or the list has others
        #[arg(long, value_name = "file=..,verdict=..,reason=..")]
        columns: Option<String>,
    },
    /// Convert pictures outside the inboxes as the daemon would: `convert IN OUT`, or `convert FOLDER OUTFOLDER`
    ///
    /// Needs no root but for a net in its `models/`, and reads no settings. A file that is refused leaves no output, and no metadata but the colour profile
    /// is written.
    Convert(convert::ConvertArgs),
    /// List the markets that have a profile; with a name, that one with its categories and their numbers
    Markets {
        /// One market only
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// List the neural nets that can enlarge pictures: name, scale, licence, and their speed on this machine
    Models {
        /// One JSON object, for programs
        #[arg(long)]
        json: bool,
    },
    /// Confine this process, and become the program that enlarges a picture: for the daemon alone
    #[command(name = HELPER, hide = true)]
    UpscalerExec(upscaler_exec::ExecArgs),
    /// Check every file and original against its receipt, byte for byte; changes nothing
    Verify {
        /// One JSON object, for programs
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command that was typed, and returns its exit code.
pub fn main() -> ExitCode {
    // The signal of a broken lease must not end the process.
    let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let _ = signal_hook::flag::register(SIGIO, ignored);
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => error.print(),
    }
}

const SIGIO: i32 = libc::SIGIO;

fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    let args = cli.args;
    match cli.command {
        Command::Markets { name } => markets::markets(&args, name.as_deref()),
        Command::Init { folder } => init::init(&RootArgs { root: folder.or(args.root), ..args }),
        Command::Run => run::run(&args, crate::service::Until::Stopped),
        Command::Once => run::run(&args, crate::service::Until::Idle),
        Command::Check => check::check(&args),
        Command::Plan { until: Some(day), json, .. } => forecast::forecast(&args, day, json),
        Command::Plan { path, .. } => plan::plan(&args, path.as_deref()),
        Command::Status { json: true, .. } => status::json(&args),
        Command::Status { all, .. } => status::text(&args, all),
        Command::Explain { file } => explain::explain(&args, &file),
        Command::History { file } => history::history(&args, &file),
        Command::Undo { file } => undo::undo(&args, file.as_deref()),
        Command::Release { stage, again: true, .. } if stage != Stage::Keep => Err(CliError::usage(
            "what was made by changed settings begins in `keep`: write `release keep --again`".to_owned(),
        )),
        Command::Release { stage, theme, anyway, again: is_again, dry_run } => {
            let theme = theme.map(|theme| ThemeSlug::new(&theme)).transpose();
            let theme = theme.map_err(|error| {
                let what = "what is released is a stage, or a theme in it by its folder's name";
                CliError::usage(format!("{error}; {what}, as in `stockmill release {stage} winter-cabins`"))
            })?;
            match (is_again, dry_run) {
                (true, true) => again::dry_run(&args, theme.as_ref()),
                (true, false) => again::again(&args, theme.as_ref()),
                (false, _) => release::release(&args, stage, theme.as_ref(), anyway),
            }
        }
        Command::Retry { what } => retry::retry(&args, what.as_deref()),
        Command::Deliver(own) => deliver::deliver(&args, &own),
        Command::Sent { bundles } => sent::sent(&args, &bundles),
        Command::Verdicts { file, market, columns } => {
            verdicts::verdicts(&args, &file, market.as_deref(), columns.as_deref())
        }
        Command::Convert(own) => convert::convert(&args, &own),
        Command::Models { json: true } => models::json(&args),
        Command::Models { json: false } => models::text(&args),
        Command::UpscalerExec(args) => Ok(upscaler_exec::exec(args)),
        Command::Verify { json } => {
            if json {
                verify::json(&args)
            } else {
                verify::text(&args)
            }
        }
    }
}
