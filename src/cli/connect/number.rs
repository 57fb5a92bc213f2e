//! Connecting with a number that the platform's own application shows.

use std::io::Write as _;

use anyhow::bail;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{admin::Admin, platform};
use crate::grants::{CredentialProgress, Linked};

/// Asks for the number, and whether the account behind it is the right one.
pub(super) async fn connect(admin: &Admin, before: &CredentialProgress) -> anyhow::Result<()> {
    let account = &before.account;
    let Some(about) = &before.number else {
        bail!(
            "{} knows no number for this: run `livehook connect {account}` without --number",
            platform(before)
        );
    };
    let number: SecretString = ask(&format!("Type in {about}: "))?.into();
    let body = json!({ "number": number.expose_secret() });
    let linked: Linked = admin.post(account, "number", Some(body)).await?;
    let Linked::Waiting { link, identity, former } = linked else { return Ok(()) };
    let who = identity
        .as_deref()
        .map_or_else(|| "account (it does not say whose)".to_owned(), |it| format!("account {it}"));
    let former = former.filter(|former| Some(former) != identity.as_ref());
    let replaced = former.map(|former| format!(" It replaces {former}.")).unwrap_or_default();
    let question = format!("Link {} {who} to {account}?{replaced} [y/N] ", platform(before));
    let accept = matches!(&*ask(&question)?.to_lowercase(), "y" | "yes");
    let _: Value = admin.post(account, "confirm", Some(json!({ "link": link, "accept": accept }))).await?;
    if !accept {
        bail!("nothing was connected, because you did not say yes");
    }
    Ok(())
}

/// A line from the terminal. The question goes to where no program reads it.
fn ask(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        bail!("nothing was typed in: run this on a terminal");
    }
    Ok(line.trim().to_owned())
}
