//! The admin API of access: how it stands, and what an operator does about it.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection, rejection::PathRejection},
    http::StatusCode,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::AdminContext, problem::Problem};
use crate::{
    grants::{CredentialProgress, LinkFailure, Linked},
    model::AccountName,
};

/// Of a certification number.
const DIGITS: usize = 6;

type AccountPath = Result<Path<String>, PathRejection>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberBody {
    number: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmBody {
    link: String,
    accept: bool,
}

pub(super) async fn list(State(context): State<AdminContext>) -> Json<Value> {
    Json(json!({ "credentials": context.grant_desk.snapshot() }))
}

pub(super) async fn show(
    State(context): State<AdminContext>,
    path: AccountPath,
) -> Result<Json<CredentialProgress>, Problem> {
    context.kept(path).map(|(_, progress)| Json(progress))
}

pub(super) async fn connect(
    State(context): State<AdminContext>,
    path: AccountPath,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (account, progress) = context.kept(path)?;
    let (url, expires_at) = context.begin(&account, &progress)?;
    Ok((StatusCode::CREATED, Json(json!({ "url": url, "expires_at": expires_at }))))
}

pub(super) async fn number(
    State(context): State<AdminContext>,
    path: AccountPath,
    body: Result<Json<NumberBody>, JsonRejection>,
) -> Result<Json<Linked>, Problem> {
    let (account, progress) = context.kept(path)?;
    let Json(NumberBody { number }) =
        body.map_err(|rejected| unreadable(&rejected, r#"{"number":"123456"}"#))?;
    context.by_number(&account, &progress, number).await.map(Json)
}

pub(super) async fn confirm(
    State(context): State<AdminContext>,
    path: AccountPath,
    body: Result<Json<ConfirmBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let (account, _) = context.kept(path)?;
    let Json(ConfirmBody { link, accept }) =
        body.map_err(|rejected| unreadable(&rejected, r#"{"link":"…","accept":true}"#))?;
    context.confirm(&account, link, accept).await.map(Json)
}

impl AdminContext {
    /// An account whose access is kept, and how that stands.
    pub(super) fn kept(&self, path: AccountPath) -> Result<(AccountName, CredentialProgress), Problem> {
        let name = path.ok().and_then(|Path(name)| AccountName::parse(&name).ok());
        let all = self.grant_desk.snapshot();
        let known = name.and_then(|name| {
            let progress = all.iter().find(|progress| progress.account == name.as_str())?;
            Some((name, progress.clone()))
        });
        known.ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|progress| &*progress.account).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let detail =
                format!("livehook keeps no access for an account of this name; it does for: {names}");
            Problem::new(StatusCode::NOT_FOUND, detail)
        })
    }

    /// The address that begins a consent, and until when all must be done.
    pub(super) fn begin(
        &self,
        account: &AccountName,
        progress: &CredentialProgress,
    ) -> Result<(String, Timestamp), Problem> {
        let no = || Problem::new(StatusCode::CONFLICT, why_not(progress));
        let public_url = self.public_url.as_deref().filter(|_| progress.is_connectable).ok_or_else(no)?;
        let begun = self.grant_desk.flows.begin(account).map_err(|_| no())?;
        let url = format!("{public_url}/oauth/{account}/begin?ticket={}", begun.ticket.expose_secret());
        Ok((url, begun.expires_at))
    }

    pub(super) async fn by_number(
        &self,
        account: &AccountName,
        progress: &CredentialProgress,
        number: SecretString,
    ) -> Result<Linked, Problem> {
        if progress.number.is_none() {
            let detail = format!("{account} is not connected with a number: {}", why_not(progress));
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        let digits = number.expose_secret();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "the number has exactly six digits"));
        }
        self.grant_desk.by_number(account, number).await.map_err(|failure| not_linked(&failure))
    }

    /// Accepts tokens that wait, or throws them away.
    pub(super) async fn confirm(
        &self,
        account: &AccountName,
        link: String,
        accept: bool,
    ) -> Result<Value, Problem> {
        let done = if accept {
            self.grant_desk.accept(account, link).await.map(|linked| json!(linked))
        } else {
            self.grant_desk.discard(account, link).await.map(|()| json!({ "state": "discarded" }))
        };
        done.map_err(|failure| not_linked(&failure))
    }
}

/// Why an account is not connected with a browser.
fn why_not(progress: &CredentialProgress) -> String {
    let CredentialProgress { account, kind, number, .. } = progress;
    match (&**kind, number) {
        ("personal", _) => format!(
            "{account} has a token in its configuration, so there is nothing to connect; to connect it instead, replace accounts.{account}.token by client_id and client_secret"
        ),
        ("oauth", None) => "http.public_url is missing: a browser must be able to come back".to_owned(),
        ("oauth", Some(_)) => {
            "http.public_url is missing, so no browser could come back: add it, or connect with a number"
                .to_owned()
        }
        _ => format!(
            "livehook logs in for {account} with what its configuration says; nobody needs to do anything"
        ),
    }
}

fn not_linked(failure: &LinkFailure) -> Problem {
    let status = match failure {
        LinkFailure::NotConnectable | LinkFailure::Busy | LinkFailure::NothingWaits => StatusCode::CONFLICT,
        LinkFailure::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        LinkFailure::Application(_) | LinkFailure::Unanswered(_) => StatusCode::BAD_GATEWAY,
        LinkFailure::NotKept(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Problem::new(status, failure.to_string())
}

/// What was sent is not shown: it may be half of a secret.
fn unreadable(rejected: &JsonRejection, wanted: &str) -> Problem {
    Problem::new(rejected.status(), format!("send JSON like {wanted}, with Content-Type: application/json"))
}
