//! Decides whether viewers may play and store videos. Change `decide`, and it is your decision service.
//!
//!     NATS_URL=nats://127.0.0.1:4222 cargo run --example decide
//!
//! Elsewhere it needs the crates async-nats, futures, serde_json and tokio. Run as many of these as you like: each
//! question goes to one of them. What a question holds and what a reply may say is in schemas/questions/. If no reply
//! comes in time, the account's `on_no_answer` decides.

#![allow(clippy::disallowed_methods, reason = "a program of its own: it has no ports")]

use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use serde_json::{Value, json};

const BLOCKED: [&str; 1] = ["user-13"];
const NEXT_VIDEO: [(&str, &str); 1] = [("vnCVPyVx", "Qm4TzW1k")];

fn decide(question: &Value, now: u64) -> Value {
    let says = |field: &str| question[field].as_str().unwrap_or_default();
    if BLOCKED.contains(&says("client_user_id")) {
        return json!({ "result": "deny", "message": "Your subscription has ended." });
    }
    match (says("question"), says("stage"), says("action")) {
        ("next-episode", ..) => {
            match NEXT_VIDEO.iter().find(|(content_key, _)| *content_key == says("media_content_key")) {
                Some((_, next)) => json!({ "result": "allow", "content_key": next }),
                None => json!({ "result": "deny" }),
            }
        }
        (_, _, "download") => {
            json!({ "result": "allow", "expires_at": now + 7 * 24 * 3600, "count_limit": 10 })
        }
        ("live-play", ..) | (_, "begin", _) => json!({ "result": "allow", "expires_at": now + 3600 }),
        // A player is ready to play, has stored a video, or plays a stored one.
        _ => json!({ "result": "allow" }),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
    let bus = async_nats::connect(server).await?;
    let mut questions = bus.queue_subscribe("ask.kollus.>", "decide".to_owned()).await?;
    bus.flush().await?;
    eprintln!("deciding");
    while let Some(message) = questions.next().await {
        let (Ok(question), Some(inbox)) = (serde_json::from_slice(&message.payload), message.reply) else {
            continue;
        };
        let reply = decide(&question, SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        bus.publish(inbox, reply.to_string().into()).await?;
        eprintln!("{} {} -> {}", question["account"], question["question"], reply["result"]);
    }
    Ok(())
}
