//! Access to the API: the application's own token, or a user's on top of it. OAuth 2.0 without a browser, in JSON,
//! without `expires_in`.

use jiff::SignedDuration;
use secrecy::SecretString;

use super::Livedigital;
use crate::platform::{
    AccountSettings, ApiRequest, ApiResponse, Denial, Described, Errand, Grants, Obtain, Tokens, Way,
    oauth::{self, Claims, OneRequest},
};

/// A token that says nothing of its end: seven days are documented, less a margin.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24 - 6);

fn token_request(grant_type: &'static str, account: &AccountSettings) -> ApiRequest {
    oauth::token_request(["v1", "auth", "token"], grant_type, account).json()
}

impl Grants for Livedigital {
    fn way(&self, account: &AccountSettings) -> Option<Way> {
        let has_application = account.client_id.is_some() && account.client_secret.is_some();
        let has_user = account.username.is_some() && account.password.is_some();
        has_application.then_some(if has_user { Way::Password } else { Way::Client })
    }

    fn obtain(&self, account: &AccountSettings, with: Obtain<'_>) -> Option<Box<dyn Errand<Tokens>>> {
        let as_client = || OneRequest::new(token_request("client_credentials", account));
        let step = match (with, self.way(account)?) {
            (Obtain::Refresh(refresh), _) => {
                let request = token_request("refresh_token", account).secret_form("refresh_token", refresh);
                Step::Last(OneRequest::new(request))
            }
            (Obtain::Configured, Way::Client) => Step::Last(as_client()),
            (Obtain::Configured, Way::Password) => Step::Client(as_client()),
            _ => return None,
        };
        Some(Box::new(Login { account: account.clone(), step }))
    }

    fn describe(&self, token: &SecretString) -> Described {
        let claims = Claims::of(token).unwrap_or_default();
        Described { expires_at: claims.expires_at(), identity: claims.identity(), ..Described::default() }
    }
}

/// The way to a token.
struct Login {
    account: AccountSettings,
    step: Step,
}

enum Step {
    /// The application's token, which goes along with the user's name.
    Client(OneRequest),
    /// The user's token. Whether the application's must go along is told in both ways.
    User(OneRequest),
    /// Whatever comes now is it.
    Last(OneRequest),
}

impl Login {
    fn as_user(&self, client_token: Option<SecretString>) -> OneRequest {
        let request = token_request("password", &self.account)
            .form("username", self.account.username.as_deref().unwrap_or_default());
        let request =
            self.account.password.iter().fold(request, |request, it| request.secret_form("password", it));
        OneRequest::new(client_token.into_iter().fold(request, ApiRequest::bearer_of))
    }
}

impl Errand<Tokens> for Login {
    fn ask(&mut self) -> Option<ApiRequest> {
        match &mut self.step {
            Step::Client(request) | Step::User(request) | Step::Last(request) => request.ask(),
        }
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Denial> {
        match &mut self.step {
            Step::Client(_) => {
                let client = oauth::tokens(answer)?;
                self.step = Step::User(self.as_user(Some(client.access)));
            }
            Step::User(_) if answer.status == 401 => self.step = Step::Last(self.as_user(None)),
            Step::User(request) | Step::Last(request) => request.hear(answer)?,
        }
        Ok(())
    }

    fn done(self: Box<Self>) -> Result<Tokens, Denial> {
        let (Step::Client(request) | Step::User(request) | Step::Last(request)) = self.step;
        let mut tokens = Box::new(request).done()?;
        let claims = Claims::of(&tokens.access);
        let told = claims.as_ref().and_then(Claims::expires_at);
        tokens.expires_at = tokens.expires_at.or(told).or_else(|| tokens.asked_at.checked_add(LIFE).ok());
        tokens.identity = claims.and_then(|claims| claims.identity());
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests;
