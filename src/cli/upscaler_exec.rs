use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::service::{Confinement, NOT_RUN, NOT_RUN_SAYS, become_program};

/// How a program is confined, and which.
#[derive(Debug, clap::Args)]
pub(super) struct ExecArgs {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    cpu_seconds: u64,
    #[arg(long)]
    file_bytes: u64,
    #[arg(last = true, required = true)]
    run: Vec<OsString>,
}

/// Becomes the program; what comes back is why that cannot be.
pub(super) fn exec(args: ExecArgs) -> ExitCode {
    let ExecArgs { folder, memory_bytes, cpu_seconds, file_bytes, mut run } = args;
    let program = run.remove(0);
    let confinement = Confinement { folder, memory_bytes, cpu_seconds, file_bytes };
    eprintln!("{NOT_RUN_SAYS}{}", become_program(&confinement, &program, &run));
    ExitCode::from(NOT_RUN)
}
