//! `/connect`: the operator's page, a row for each account with its buttons.
//!
//! Its forms carry a key that only this page has; no other page can act through an operator's browser.

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::{get, post},
};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::{
    admin::AdminContext,
    body::read_body,
    oauth::{pairs, see_other},
    pages,
    problem::Problem,
};
use crate::{grants::CredentialProgress, model::AccountName};

/// Longest form of the page.
const FORM_BYTES_MAX: usize = 1024;

type AccountPath = Result<Path<String>, PathRejection>;
type Known = (AccountName, CredentialProgress);

pub(super) fn routes() -> Router<AdminContext> {
    Router::new()
        .route("/connect", get(show))
        .route("/connect/{account}", post(begin))
        .route("/connect/{account}/number", post(number))
        .route("/connect/{account}/confirm", post(confirm))
        .layer(middleware::map_response(pages::guarded_admin))
}

async fn show(State(context): State<AdminContext>) -> Response {
    context.page(StatusCode::OK, None)
}

async fn begin(State(context): State<AdminContext>, path: AccountPath, request: Request) -> Response {
    let begun = async {
        let (account, progress) = context.read(path, request).await?.0;
        context.begin(&account, &progress)
    };
    match begun.await {
        Ok((url, _)) => see_other(&url, None),
        Err(problem) => context.page(problem.status(), Some(problem.detail())),
    }
}

async fn number(State(context): State<AdminContext>, path: AccountPath, request: Request) -> Response {
    let done = async {
        let ((account, progress), form) = context.read(path, request).await?;
        let number = SecretString::from(field(&form, "number"));
        context.by_number(&account, &progress, number).await
    };
    context.shown_again(done.await.map(drop))
}

async fn confirm(State(context): State<AdminContext>, path: AccountPath, request: Request) -> Response {
    let done = async {
        let ((account, _), form) = context.read(path, request).await?;
        let accept = field(&form, "answer") == "yes";
        context.confirm(&account, field(&form, "link").to_owned(), accept).await
    };
    context.shown_again(done.await.map(drop))
}

impl AdminContext {
    fn page(&self, status: StatusCode, notice: Option<&str>) -> Response {
        pages::connect::page(status, self.page_key.expose_secret(), notice, &self.grant_desk.snapshot())
    }

    fn shown_again(&self, done: Result<(), Problem>) -> Response {
        match done {
            Ok(()) => see_other("/connect", None),
            Err(problem) => self.page(problem.status(), Some(problem.detail())),
        }
    }

    /// The account and the form, if that is of our own page.
    async fn read(
        &self,
        path: AccountPath,
        request: Request,
    ) -> Result<(Known, Vec<(String, String)>), Problem> {
        let body = read_body(request, FORM_BYTES_MAX).await;
        let form = pairs(&body.map_err(|bad| Problem::new(bad.status, bad.why))?);
        let is_own = field(&form, "page_key").as_bytes().ct_eq(self.page_key.expose_secret().as_bytes());
        if !bool::from(is_own) {
            let detail = "this form is not of the page below, or livehook was started again meanwhile: use the page below";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok((self.kept(path)?, form))
    }
}

/// Empty if there is none.
fn field<'f>(form: &'f [(String, String)], name: &str) -> &'f str {
    form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}
