//! What stands in a configuration to read a simulated platform, ready to be copied.

use crate::simulators::{kollus, livedigital, openfresh, soop};

/// Where the API begins in the simulated Kollus.
pub(in crate::cli) const KOLLUS_PATH: &str = "/api/v1/live/service-accounts";

/// The section `[accounts.<platform>]` for the simulated platform at `url`. Secrets are named, and told in a comment:
/// they are worth nothing.
pub(super) fn section(platform: &str, url: &str) -> String {
    let lines = match platform {
        "kollus" => {
            let options = kollus::Options::default();
            vec![
                format!("base_url = \"{url}{KOLLUS_PATH}\""),
                format!("service_account = {:?}", options.service_account),
                secret("KOLLUS_TOKEN", &options.access_token),
                watch("channels", ""),
                watch("broadcasts", ""),
                instead(&options.users[0]),
                format!("# auth_url = \"{url}\""),
                format!("# client_id = {:?}", options.client_id),
                application_secret("KOLLUS", &options.client_secret),
            ]
        }
        "soop" => {
            let options = soop::Options::default();
            vec![
                format!("base_url = \"{url}\""),
                format!("client_id = {:?}", options.client_id),
                watch("broadcasts", ""),
                watch("categories", ""),
                instead(&options.accounts[0].login),
                application_secret("SOOP", &options.client_secret),
                format!("# {}", watch("station", "")),
            ]
        }
        "openfresh" => vec![
            format!("base_url = \"{url}\""),
            watch("comments", &format!(", programs = [\"{}\"]", openfresh::World::PLAYED.start)),
        ],
        _ => vec![
            format!("base_url = \"{url}\""),
            secret("LIVEDIGITAL_TOKEN", &livedigital::Options::default().access_token),
            watch("rooms", ""),
            watch("calls", ""),
        ],
    };
    let begin = format!("[accounts.{platform}]\nplatform = {platform:?}\nallow_unknown_hosts = true\n");
    begin + &lines.join("\n") + "\n"
}

fn secret(name: &str, value: &str) -> String {
    format!("token = {{ env = \"SIMULATED_{name}\" }}   # export SIMULATED_{name}={value}")
}

/// Before lines that let livehook obtain tokens by itself.
fn instead(user: &str) -> String {
    format!(
        "# With these, without `token`, and with [vault] and http.public_url, `livehook connect` gets tokens; log in as {user}"
    )
}

fn application_secret(platform: &str, value: &str) -> String {
    let name = format!("SIMULATED_{platform}_SECRET");
    format!("# client_secret = {{ env = \"{name}\" }}   # export {name}={value}")
}

/// More often than by default, to see something soon.
fn watch(name: &str, options: &str) -> String {
    format!("poll.{name} = {{ every = \"10s\"{options} }}")
}
