//! Runs the command that was asked for.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    livehook::cli::Cli::parse().run()
}
