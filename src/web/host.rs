//! Which host names we answer to. Whoever reaches us under another one came by a misrouted proxy, or by a
//! page that made its own name point here (DNS rebinding).

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{
        StatusCode,
        header::HOST,
        uri::{Authority, Uri},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The host names that a listener answers to.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    names: Arc<[String]>,
    others: Others,
}

#[derive(Clone, Copy, Debug)]
enum Others {
    Refused,
    Allowed,
    /// Allowed if they are addresses or `localhost`, which no page can make point here.
    AllowedUnlessNames,
}

impl AllowedHosts {
    /// Of the public listener: these and no others; any when `names` is empty.
    ///
    /// A name is `host`, with any port, or `host:port`, with that one only.
    pub fn public(names: impl IntoIterator<Item = String>) -> Self {
        let names: Arc<[String]> = names.into_iter().collect();
        let others = if names.is_empty() { Others::Allowed } else { Others::Refused };
        Self { names, others }
    }

    /// Of the admin listener: these, `localhost` and all addresses.
    pub fn admin(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().collect(), others: Others::AllowedUnlessNames }
    }

    /// Whether `authority` (`host` or `host:port`) is ours.
    pub fn permits(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host();
        let is_listed =
            |name: &String| name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(authority.as_str());
        match self.others {
            Others::Allowed => true,
            Others::Refused => self.names.iter().any(is_listed),
            Others::AllowedUnlessNames => {
                let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
                is_address || host.eq_ignore_ascii_case("localhost") || self.names.iter().any(is_listed)
            }
        }
    }

    /// Whether the request was meant for us: by its Host header and, in absolute form, by its target.
    fn permits_request(&self, uri: &Uri, host: Option<&str>) -> bool {
        let target_is_ours = uri.authority().is_none_or(|authority| self.permits(authority.as_str()));
        target_is_ours && host.is_some_and(|host| self.permits(host))
    }
}

/// Answers 421 to requests for other hosts. That there is exactly one Host header is the listener's business.
pub async fn require_host(State(hosts): State<AllowedHosts>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if hosts.permits_request(request.uri(), host) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}

#[cfg(test)]
mod tests;
