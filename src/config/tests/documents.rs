use super::*;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The account that a fragment is about if no other stands before it.
const ACCOUNT: &str =
    "[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME_CALLBACK_TOKEN\" }]\n";

/// The blocks of TOML in a document. One that begins with no section goes on where the one before ended, as the text
/// around it says.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for block in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        match (block.starts_with('['), blocks.last()) {
            (false, before) => blocks.push(format!("{}{block}", before.map_or(ACCOUNT, String::as_str))),
            _ => blocks.push(block.to_owned()),
        }
    }
    blocks
}

/// A secret for each variable that a text names, none twice.
fn secrets_for(text: &str) -> Environment {
    let names = text.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(|name| (name.to_owned(), hex::encode(format!("{name:_<32}")))).collect()
}

/// A block that only adds to an account does not say again of which platform that is.
fn completed(block: &str, platform: &str) -> String {
    match block.contains("platform") {
        true => block.to_owned(),
        false => block.replace("]\n", &format!("]\nplatform = \"{platform}\"\n")),
    }
}

#[test]
fn every_configuration_in_the_documents_is_accepted() {
    let platforms = crate::platforms::ALL.iter().map(|platform| platform.descriptor().id);
    let platforms = platforms.map(|id| (format!("src/platforms/{id}/README.md"), id));
    let mut seen = 0;
    for (document, platform) in [("README.md".to_owned(), "")].into_iter().chain(platforms) {
        let text = std::fs::read_to_string(Path::new(ROOT).join(&document)).expect("the document is there");
        for block in blocks(&text) {
            let block = completed(&block, platform);
            let said = parse(&block, &secrets_for(&block)).err().map(|problems| problems.to_string());
            assert_eq!(said, None, "{document}:\n{block}");
            seen += 1;
        }
    }
    assert!(seen >= 9, "only {seen}");
}

#[test]
fn the_sample_in_deploy_is_accepted_with_everything_that_is_commented_out() {
    // The other ways of the bus exclude the one that is shown.
    let other_ways = ["token = { env = \"NATS_TOKEN\"", "credentials_file", "embedded", "nats_server"];
    let is_key = |line: &str| {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = include_str!("../../../deploy/livehook.toml").lines().map(|line| {
        let bare = line.trim_start_matches("# ");
        let is_other = other_ways.iter().any(|way| bare.starts_with(way));
        if is_key(bare) && !is_other { bare } else { line }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let config = parse(&text, &secrets_for(&text)).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert_eq!((config.receivers.len(), config.polled.len()), (3, 4));
}

#[test]
fn a_block_that_is_wrong_is_noticed() {
    let text = "```toml\n[accounts.a]\nplatform = \"kollus\"\ntoken = { env = \"A\" }\n```\nand\n```toml\npoll.chanels = {}\n```\n";
    let [_, both] = &blocks(text)[..] else { panic!("there are two") };
    let problems = parse(both, &secrets_for(both)).err().expect("there is no such watch");
    assert!(problems.0.iter().any(|problem| problem.key == "accounts.a.poll.chanels"), "{problems}");
}
