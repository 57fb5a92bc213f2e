//! Misbehaviour on order: what can happen between a platform and its clients.

use std::io::Write;

use super::{Manner, Response};

/// One way to answer badly. Whatever depends on a platform's world (old copies, changed shapes, repeated pages)
/// is the simulator's own business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A status without a body worth reading, and perhaps `Retry-After`, exactly as given.
    Status(u16, Option<String>),
    /// A login page with status 200.
    LoginPage,
    /// A redirect to a login page.
    Redirect,
    /// The connection breaks in the middle of the body.
    Cut,
    /// No answer.
    Silence,
    /// Half of the body, with the length of that half: well-formed HTTP, broken JSON.
    Half,
    /// The right body behind a byte order mark.
    ByteOrderMark,
    /// The right body as a call of a function, as JSONP has it.
    Jsonp,
    /// The right body in EUC-KR, still declared as it was.
    EucKr,
    /// The right body, declared as a picture.
    WrongContentType,
    /// More bytes than anybody should read.
    Huge,
    /// Few bytes that expand to more than anybody should read.
    GzipBomb,
    /// Declared as gzip, and not gzip.
    BrokenGzip,
    /// The right body, compressed whether or not that was asked for.
    Gzip,
}

impl Fault {
    /// Every fault that leaves nothing to be read.
    pub const FATAL: &'static [Self] = &[
        Self::LoginPage,
        Self::Redirect,
        Self::Cut,
        Self::Silence,
        Self::Half,
        Self::Huge,
        Self::GzipBomb,
        Self::BrokenGzip,
    ];

    /// What becomes of the answer that would have been right.
    pub fn spoil(self, right: Response) -> Response {
        match self {
            Self::Status(status, retry_after) => {
                let spoilt = Response::text(status, "text/plain", format!("status {status}"));
                match retry_after {
                    Some(value) => spoilt.header("retry-after", value),
                    None => spoilt,
                }
            }
            Self::LoginPage => Response::text(200, "text/html; charset=utf-8", LOGIN_PAGE),
            Self::Redirect => {
                Response::text(302, "text/html", "").header("location", "https://login.example/?return=1")
            }
            Self::Cut => Response { manner: Manner::Cut, ..right },
            Self::Silence => Response { manner: Manner::Never, ..right },
            Self::Half => Response { body: right.body[..right.body.len() / 2].to_vec(), ..right },
            Self::ByteOrderMark => Response { body: [b"\xef\xbb\xbf", &right.body[..]].concat(), ..right },
            Self::Jsonp => Response { body: [b"callback(", &right.body[..], b");"].concat(), ..right },
            Self::EucKr => {
                let text = String::from_utf8_lossy(&right.body).into_owned();
                Response { body: encoding_rs::EUC_KR.encode(&text).0.into_owned(), ..right }
            }
            Self::WrongContentType => Response::text(right.status, "image/png", right.body),
            Self::Huge => Response::text(200, "application/json", vec![b' '; 3 << 20]),
            Self::GzipBomb => gzipped(Response { body: vec![b' '; 64 << 20], ..right }),
            Self::BrokenGzip => right.header("content-encoding", "gzip"),
            Self::Gzip => gzipped(right),
        }
    }
}

const LOGIN_PAGE: &str =
    "<!doctype html><html><head><title>Log in</title></head><body><form method=post></form></body></html>";

fn gzipped(response: Response) -> Response {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let body = encoder.write_all(&response.body).and_then(|()| encoder.finish());
    Response { body: body.unwrap_or_default(), ..response }.header("content-encoding", "gzip")
}
