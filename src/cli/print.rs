//! An event as a line for people: coloured on a terminal, plain in a pipe.

use jiff::{SignedDuration, Unit};
use owo_colors::{OwoColorize, Stream::Stdout, Style};
use serde_json::Value;

use crate::model::Event;

/// `04:30:12.114  broadcast.started  kollus/acme  broadcast/2026…  channel_id=…  (callback, url-token)`.
pub(super) fn line(event: &Event) -> String {
    let event_type = event.event_type.trim_start_matches("live.");
    let time = event.recordedtime.strftime("%H:%M:%S%.3f").to_string();
    let account = event.source.trim_start_matches("livehook://");
    let proof = serde_json::to_value(event.proof).ok();
    let proof = proof.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    format!(
        "{}  {}  {}  {}  {} {}",
        time.if_supports_color(Stdout, |text| text.dimmed()),
        format!("{event_type:<26}").if_supports_color(Stdout, |text| text.style(style(event_type))),
        format!("{account:<20}").if_supports_color(Stdout, |text| text.cyan()),
        event.subject.if_supports_color(Stdout, |text| text.bold()),
        summary(event),
        format!("({proof})").if_supports_color(Stdout, |text| text.dimmed()),
    )
}

/// `4m 12s`: whole seconds, nothing below zero.
pub(super) fn span(duration: SignedDuration) -> String {
    let whole = duration.max(SignedDuration::ZERO).round(Unit::Second).unwrap_or_default();
    format!("{whole:#}")
}

fn style(event_type: &str) -> Style {
    match event_type.rsplit('.').next() {
        Some("started" | "resumed" | "available" | "uploaded" | "transcoded" | "created") => {
            Style::new().green().bold()
        }
        Some("ended" | "removed" | "paused" | "channel_left") => Style::new().yellow().bold(),
        Some(
            "failed" | "transcoding_failed" | "aborted" | "quarantined" | "degraded" | "expiring"
            | "refresh_failed" | "revoked",
        ) => Style::new().red().bold(),
        _ => Style::new().blue().bold(),
    }
}

/// The few attributes that tell most.
fn summary(event: &Event) -> String {
    const TELLING: [&str; 10] = [
        "title",
        "channel_id",
        "broadcast_id",
        "file_name",
        "callback",
        "identity",
        "reason",
        "client_user_id",
        "play_percent",
        "position_seconds",
    ];
    let noun = event.subject.split('/').next().unwrap_or_default();
    let entity = event.data.get(noun);
    let mut parts = Vec::new();
    for name in TELLING {
        match entity.and_then(|entity| entity.get(name)) {
            Some(Value::String(text)) if !text.is_empty() => parts.push(format!("{name}={}", shorten(text))),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => parts.push(format!("{name}={value}")),
            _ => {}
        }
    }
    if let Some(Value::Object(changes)) = event.data.get("changes") {
        parts.push(format!("changed: {}", changes.keys().cloned().collect::<Vec<_>>().join(", ")));
    }
    if event.data.contains_key("possible_duplicate") {
        parts.push("possible duplicate".to_owned());
    }
    parts.join(" ")
}

fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    // A title must not be able to steer the terminal.
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    if text.chars().count() > CHARS_MAX {
        shown.push('…');
    }
    shown
}
