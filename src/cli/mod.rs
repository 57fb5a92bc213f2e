//! The commands, one file each. What they have in common: `--config`, exit codes, errors as sentences.

mod check;
mod demo;
mod print;
mod quarantine;
mod run;
mod samples;
mod schema;
mod send;
mod tail;

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

/// Receives callbacks of live-video platforms and publishes them, in one vocabulary, to NATS JetStream.
#[derive(Parser)]
#[command(name = "livehook", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receive callbacks and publish events, until a signal.
    Run(run::Run),
    /// Say what is wrong with the configuration, the store or the bus.
    Check(check::Check),
    /// Show what livehook does: an embedded bus, documented callbacks, events as they are published.
    Demo(demo::Demo),
    /// Print events from the bus as they are published.
    Tail(tail::Tail),
    /// Deliver a documented sample to a running livehook, as the platform would.
    Send(send::Send),
    /// Look at deliveries that could not be understood, and try them again.
    Quarantine(quarantine::Quarantine),
    /// Print, write or compare the generated documents: schemas, AsyncAPI, tables.
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
