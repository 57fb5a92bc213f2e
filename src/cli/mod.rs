//! The commands, one file each. What they have in common: `--config`, exit codes, errors as sentences.

mod check;
mod connect;
mod demo;
mod print;
mod quarantine;
mod run;
mod samples;
mod schema;
mod send;
mod simulate;
mod tail;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    app::AppError,
    config::{self, Config, Problems},
    ports::bus::BusError,
    store::OpenError,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something failed; the message says what
  2  wrong usage
  3  the configuration cannot be used
  4  the store cannot be used, or its disk failed
  5  the bus cannot be used";

/// Receives callbacks of live-video platforms and reads their APIs, and publishes what changes to NATS JetStream.
///
/// `livehook demo` shows it at work and needs no configuration.
#[derive(Parser)]
#[command(name = "livehook", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What each does stands at its type, so that `--help` shows all of it.
#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Demo(demo::Demo),
    Tail(tail::Tail),
    Send(send::Send),
    Watch(watch::Watch),
    Connect(connect::Connect),
    Quarantine(quarantine::Quarantine),
    Simulate(simulate::Simulate),
    Schema(schema::Schema),
}

impl Cli {
    /// Runs the command to its end.
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Run(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Tail(command) => command.run(),
            Command::Send(command) => command.run(),
            Command::Quarantine(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Watch(command) => command.run(),
            Command::Connect(command) => command.run(),
            Command::Schema(command) => command.run(),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("livehook: {error:#}");
                ExitCode::from(exit_code(&error))
            }
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Problems>() {
        return 3;
    }
    if error.is::<OpenError>() {
        return 4;
    }
    if error.is::<BusError>() {
        return 5;
    }
    match error.downcast_ref::<AppError>() {
        Some(AppError::Store(_) | AppError::StoreFailed(_)) => 4,
        Some(AppError::Bus(_)) => 5,
        _ => 1,
    }
}

/// Where the configuration is.
#[derive(Args)]
struct ConfigArgs {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", default_value = "livehook.toml", env = "LIVEHOOK_CONFIG")]
    config: PathBuf,
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, Problems> {
        config::load(&self.config, &config::environment())
    }
}

/// One thread serves commands that only ask and print.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Writes a line to standard output; a reader that has gone (`| head`) ends the program quietly.
fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

#[cfg(test)]
mod tests;
