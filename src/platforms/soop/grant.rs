//! Access to what is a streamer's own: an authorisation code, by browser or by a number, and rotating tokens.
//!
//! OAuth 2.0 in outline: `state` is not documented and mostly not echoed, PKCE is not known, and nothing says whose a
//! token is.

use secrecy::SecretString;
use url::Url;

use super::{
    Soop,
    poll::answer::{self, Quirks},
};
use crate::platform::{
    AccountSettings, ApiRequest, ApiResponse, Consent, Denial, Errand, Failure, Grants, Obtain, Tokens, Way,
    oauth::{self, OneRequest},
};

/// What the watches ask for; `broad_rtmp` gives away the stream key, so only where it is read.
const SCOPES: [&str; 2] = ["validate_live_status", "user_stationinfo"];
const SETTINGS_SCOPE: &str = "broad_rtmp";
const TOKEN_PATH: [&str; 2] = ["auth", "token"];

fn scopes(account: &AccountSettings) -> Vec<String> {
    if !account.scopes.is_empty() {
        return account.scopes.clone();
    }
    let reads_settings = account.watches.contains_key("settings");
    SCOPES.into_iter().chain(reads_settings.then_some(SETTINGS_SCOPE)).map(str::to_owned).collect()
}

fn exchange(account: &AccountSettings, code: &SecretString) -> ApiRequest {
    oauth::token_request(TOKEN_PATH, "authorization_code", account).secret_form("code", code)
}

/// The tokens in an answer, or a no in the words of OAuth or of SOOP: either way somebody must authorise again.
fn tokens(answer: &ApiResponse) -> Result<Tokens, Denial> {
    let tokens = oauth::tokens(answer);
    if let Err(Denial::Passing(Failure::Malformed(_))) = tokens {
        match answer::document(answer, &mut Quirks::default()) {
            Err(Failure::Refused { code }) => return Err(Denial::Refused(format!("result {code}"))),
            Err(Failure::Unauthorized) => return Err(Denial::Refused("not authorised".to_owned())),
            _ => {}
        }
    }
    tokens
}

impl Grants for Soop {
    fn way(&self, account: &AccountSettings) -> Option<Way> {
        (account.client_id.is_some() && account.client_secret.is_some()).then_some(Way::Browser)
    }

    fn consent_url(&self, account: &AccountSettings, auth_url: &Url, consent: &Consent<'_>) -> Option<Url> {
        oauth::consent_url(account, oauth::below(auth_url, "/auth/code"), scopes(account), consent)
    }

    fn obtain(&self, account: &AccountSettings, with: Obtain<'_>) -> Option<Box<dyn Errand<Tokens>>> {
        let request = match with {
            Obtain::Code { code, verifier, redirect_uri } => exchange(account, code)
                .form("redirect_uri", redirect_uri)
                .secret_form("code_verifier", verifier),
            Obtain::Refresh(refresh) => oauth::token_request(TOKEN_PATH, "refresh_token", account)
                .secret_form("refresh_token", refresh),
            Obtain::Number(number) => {
                let account = account.clone();
                return Some(Box::new(ByNumber { number: Some(number.clone()), account, exchange: None }));
            }
            Obtain::Configured => return None,
        };
        Some(Box::new(OneRequest::read_by(tokens, request)))
    }

    fn identify(&self, _: &AccountSettings) -> Option<Box<dyn Errand<Option<String>>>> {
        Some(Box::new(Identify { asked: 0, login: None }))
    }
}

/// First a code for the number, then tokens for the code.
struct ByNumber {
    number: Option<SecretString>,
    account: AccountSettings,
    exchange: Option<OneRequest>,
}

impl Errand<Tokens> for ByNumber {
    fn ask(&mut self) -> Option<ApiRequest> {
        let Some(number) = self.number.take() else { return self.exchange.as_mut()?.ask() };
        let request = ApiRequest::post(["auth", "code"])
            .form("client_id", self.account.client_id.as_deref().unwrap_or_default())
            .form("auth_type", "api")
            .secret_form("certification_number", &number)
            .form("scope", scopes(&self.account).join(" "));
        Some(request)
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Denial> {
        if let Some(exchange) = &mut self.exchange {
            return exchange.hear(answer);
        }
        // The body of a failure is not known; all that is known of a success is `code`.
        let document = oauth::document(answer)?;
        let code = document.get("code").and_then(serde_json::Value::as_str).filter(|code| !code.is_empty());
        let Some(code) = code else { return Err(Denial::Refused("no code for this number".to_owned())) };
        self.exchange = Some(OneRequest::read_by(tokens, exchange(&self.account, &code.into())));
        Ok(())
    }

    fn done(self: Box<Self>) -> Result<Tokens, Denial> {
        Box::new(self.exchange.ok_or_else(oauth::unasked)?).done()
    }
}

/// Asks whether the streamer is on air, which mostly says who that is; else for the station, whose picture has the
/// login in its address. The second is a convention, not a contract.
struct Identify {
    asked: u8,
    login: Option<String>,
}

impl Errand<Option<String>> for Identify {
    fn ask(&mut self) -> Option<ApiRequest> {
        let path: &[&str] = match (self.asked, &self.login) {
            (0, _) => &["validate", "live", "status"],
            (1, None) => &["user", "stationinfo"],
            _ => return None,
        };
        self.asked += 1;
        Some(ApiRequest::post(path).access_token_form("access_token"))
    }

    fn hear(&mut self, heard: &ApiResponse) -> Result<(), Denial> {
        let mut document = match answer::document(heard, &mut Quirks::default()) {
            Ok(document) => document,
            // It may lack the scope for this one.
            Err(Failure::Unauthorized | Failure::Forbidden | Failure::NotFound | Failure::Refused { .. }) => {
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        };
        // A station's members may stand at the top.
        let mut data = document.object(&["data"]).unwrap_or(document);
        self.login = match self.asked {
            1 => data.text("user_id"),
            _ => data.text("profile_image").as_deref().and_then(login_in_picture),
        };
        Ok(())
    }

    fn done(self: Box<Self>) -> Result<Option<String>, Denial> {
        Ok(self.login)
    }
}

/// The login in `…/LOGO/<its first two letters>/<login>/<login>.jpg`.
fn login_in_picture(address: &str) -> Option<String> {
    let (_, path) = address.split_once("/LOGO/")?;
    let mut parts = path.split('/');
    let (beginning, login) = (parts.next()?, parts.next()?);
    let is_word = !login.is_empty() && login.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_word && login.starts_with(beginning)).then(|| login.to_owned())
}

#[cfg(test)]
mod tests;
