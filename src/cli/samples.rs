//! The documented samples: the recorded cases of each platform's callbacks, carried in the program.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "tests/platforms"]
#[include = "*.http"]
#[exclude = "*/poll/*"]
struct Cases;

/// A sample: one request as the platform sends it.
pub(super) struct Sample {
    /// Its name, without folder and ending.
    pub(super) name: String,
    /// Header `Content-Type`.
    pub(super) content_type: Option<String>,
    /// The body, byte for byte.
    pub(super) body: Vec<u8>,
}

/// The samples of a callback, in alphabetical order. Only the first request of a sequence.
pub(super) fn of(platform: &str, callback: &str) -> Vec<Sample> {
    let folder = format!("{platform}/{callback}/");
    let mut samples: Vec<_> = Cases::iter()
        .filter_map(|path| {
            let name = path.strip_prefix(&folder)?.strip_suffix(".http")?.to_owned();
            let file = Cases::get(&path)?;
            let (content_type, body) = request(&file.data)?;
            Some(Sample { name, content_type, body })
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

/// Content type and body of the first request in a case: comment lines, head, blank line, body.
fn request(case: &[u8]) -> Option<(Option<String>, Vec<u8>)> {
    let mut content_type = None;
    let mut rest = case;
    loop {
        let end = rest.iter().position(|&b| b == b'\n')?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line);
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-type")
        {
            content_type = Some(value.trim().to_owned());
        }
    }
    let next = rest.windows(5).position(|window| window == b"\n### ");
    Some((content_type, rest[..next.unwrap_or(rest.len())].to_vec()))
}
