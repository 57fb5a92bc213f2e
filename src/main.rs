//! Runs the command that was asked for.

use std::process::ExitCode;

use clap::Parser;

/// The system's keeps much of what a long sweep has given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    livehook::cli::Cli::parse().run()
}
