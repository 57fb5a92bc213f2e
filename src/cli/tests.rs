use std::{fs, path::Path};

use clap::{CommandFactory, error::ErrorKind};

use super::*;

/// The commands of ours among the examples of a help text.
fn examples_in(help: &str) -> Vec<&str> {
    only_ours(help.lines().filter_map(|line| line.strip_prefix("  ")))
}

/// The commands of ours among the code spans of a document.
fn spans_in(document: &str) -> Vec<&str> {
    only_ours(document.split('`').skip(1).step_by(2).filter(|span| !span.contains('\n')))
}

fn only_ours<'t>(found: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    // What stands apart explains; what follows a pipe is another program.
    let end = |command: &str| ["  ", " |"].iter().filter_map(|mark| command.find(mark)).min();
    let ours = found.filter(|command| command.starts_with("livehook "));
    ours.map(|command| end(command).map_or(command, |end| &command[..end])).collect()
}

/// Whether the program understands a command.
fn parse(command: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(command.split(' ').map(|word| word.trim_matches('\'')))
}

#[track_caller]
fn assert_all_parse(place: &str, commands: &[&str]) {
    for command in commands {
        assert!(parse(command).is_ok(), "{place}: {command}: {}", parse(command).err().expect("it is wrong"));
    }
}

/// The help of a command and of all below it, by their names.
fn helps(mut command: clap::Command, above: &str, found: &mut Vec<(String, String)>) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    found.push((name.clone(), command.render_long_help().to_string()));
    command.get_subcommands().for_each(|below| helps(below.clone(), &name, found));
}

#[test]
fn every_example_in_the_help_is_understood() {
    let mut all = Vec::new();
    helps(Cli::command(), "", &mut all);
    let mut examples = 0;
    // `help` is clap's.
    for (name, help) in all.into_iter().filter(|(name, _)| !name.contains(" help")) {
        let commands = examples_in(&help);
        let is_group_or_leaf_of_one = name == "livehook" || name.split(' ').count() > 2;
        assert!(is_group_or_leaf_of_one || commands.iter().any(|c| c.starts_with(&name)), "{name}: {help}");
        assert_all_parse(&name, &commands);
        examples += commands.len();
    }
    assert!(examples >= 20, "only {examples}");
}

#[test]
fn help_says_all_that_is_written_at_a_command() {
    let help = Cli::command().find_subcommand_mut("run").expect("it is there").render_long_help().to_string();
    assert!(help.contains("The first SIGTERM or SIGINT drains"), "{help}");
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents =
        ["README.md", "deploy/livehook.toml", "schemas/README.md", "ARCHITECTURE.md"].map(str::to_owned);
    let platforms = crate::platforms::ALL.iter().map(|platform| platform.descriptor().id);
    let platforms = platforms.map(|id| format!("src/platforms/{id}/README.md"));
    let mut seen = 0;
    for document in documents.into_iter().chain(platforms) {
        let text = fs::read_to_string(root.join(&document)).expect("the document is there");
        let mut commands = spans_in(&text);
        commands.retain(|command| *command != "livehook replay");
        // A sentence may name a command without saying with what.
        let is_bare = |command: &str| {
            parse(command).is_err_and(|error| error.kind() == ErrorKind::MissingRequiredArgument)
        };
        commands.retain(|command| !is_bare(command));
        assert_all_parse(&document, &commands);
        seen += commands.len();
    }
    assert!(seen >= 8, "only {seen}");
}

/// The eyes of this file are tested as well.
#[test]
fn commands_are_seen_in_help_and_in_text() {
    let help = "livehook x\nExamples:\n  livehook tail --all | jq .type   prints\n  curl x";
    assert_eq!(examples_in(help), ["livehook tail --all"]);
    assert_eq!(spans_in("Use `livehook fly 3`\nor `make`; livehook is"), ["livehook fly 3"]);
    assert!(parse("livehook fly 3").is_err() && parse("livehook tail 'live.>'").is_ok());
}
