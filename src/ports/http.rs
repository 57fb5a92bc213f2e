//! The HTTP client that everything uses: it has time limits and follows no redirects.

use std::time::Duration;

/// A client that gives up after 10 seconds, takes no proxy from the environment, keeps no cookies.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client with these options can always be built")
}
