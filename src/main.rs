//! The command `stockmill`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stockmill::cli::main()
}
