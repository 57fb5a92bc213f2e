//! Comparing a stream with what is wanted of it, field by field: a server accepts options that it does
//! not know, and drops them.

use std::fmt;

use async_nats::jetstream::stream::Config;

use super::JsStream;

/// A field of a stream that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drift {
    /// The stream.
    pub js_stream: JsStream,
    /// The field's name in the server's API.
    pub field: &'static str,
    /// What it must be.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { js_stream, field, wanted, found } = self;
        write!(
            f,
            "JetStream stream {js_stream} has {field} {found}, livehook needs {wanted}; it alters no stream that exists: \
             change the field with `nats stream edit {js_stream}`, set livehook's [bus] to what is there, or move \
             the stream away, and it is made anew"
        )
    }
}

/// Every field that could lose, refuse or misplace events. What changes none of that is the operator's:
/// description, metadata, placement, compression, republishing.
pub(super) fn differences(js_stream: JsStream, wanted: &Config, found: &Config) -> Vec<Drift> {
    let mut drifts = Vec::new();
    macro_rules! compare {
        ($($name:literal: $value:expr;)+) => {$({
            let value = |config: &Config| $value(config);
            let (wanted, found) = (value(wanted), value(found));
            if wanted != found {
                drifts.push(Drift { js_stream, field: $name, wanted, found });
            }
        })+};
    }
    let text = |value: &dyn fmt::Debug| format!("{value:?}").to_lowercase();
    compare! {
        "subjects": |c: &Config| {
            let mut subjects = c.subjects.clone();
            subjects.sort_unstable();
            subjects.join(" ")
        };
        "storage": |c: &Config| text(&c.storage);
        "retention": |c: &Config| text(&c.retention);
        "discard": |c: &Config| text(&c.discard);
        "discard_new_per_subject": |c: &Config| text(&c.discard_new_per_subject);
        "max_age": |c: &Config| text(&c.max_age);
        "duplicate_window": |c: &Config| text(&c.duplicate_window);
        "max_msgs": |c: &Config| text(&c.max_messages);
        "max_msgs_per_subject": |c: &Config| text(&c.max_messages_per_subject);
        "max_msg_size": |c: &Config| text(&c.max_message_size);
        "num_replicas": |c: &Config| text(&c.num_replicas);
        "allow_direct": |c: &Config| text(&c.allow_direct);
        "deny_delete": |c: &Config| text(&c.deny_delete);
        "deny_purge": |c: &Config| text(&c.deny_purge);
        "allow_rollup_hdrs": |c: &Config| text(&c.allow_rollup);
        "no_ack": |c: &Config| text(&c.no_ack);
        "sealed": |c: &Config| text(&c.sealed);
        "subject_transform": |c: &Config| text(&c.subject_transform);
        "mirror": |c: &Config| text(&c.mirror.as_ref().map(|source| &source.name));
        "sources": |c: &Config| text(&c.sources.iter().flatten().map(|source| &source.name).collect::<Vec<_>>());
    }
    // No limit of ours: then any that is there is the operator's.
    if wanted.max_bytes >= 0 && wanted.max_bytes != found.max_bytes {
        let (wanted, found) = (wanted.max_bytes.to_string(), found.max_bytes.to_string());
        drifts.push(Drift { js_stream, field: "max_bytes", wanted, found });
    }
    drifts
}
