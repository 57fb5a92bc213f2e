//! One delivery in one transaction: raw bytes, known state, events.

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    CommitError, DeliveryRecord, Durable,
    believe::{Speaker, hear},
    write::Unanswered,
    writer::{Job, Session, WriteError},
};
use crate::model::{Hearing, Previous, Proof, Seen, judge};

/// How far back an equal delivery counts as an earlier copy of this one.
const REPEAT_HORIZON_MS: i64 = 72 * 3600 * 1000;
/// How many earlier copies are looked at.
const PREVIOUS_MAX: i64 = 8;

pub(super) struct CommitDelivery {
    pub(super) record: DeliveryRecord,
    pub(super) written: Option<Written>,
    pub(super) unanswered: Unanswered,
    pub(super) waiter: oneshot::Sender<Result<Durable, CommitError>>,
}

/// What was written of a delivery, though perhaps not yet on disk.
pub(super) struct Written {
    delivery: u64,
    event_types: Vec<String>,
    is_repeat: bool,
}

impl Job for CommitDelivery {
    fn run(&mut self, session: &mut Session<'_>) -> rusqlite::Result<()> {
        self.written = Some(commit(session, &self.record)?);
        Ok(())
    }

    fn finish(self: Box<Self>, result: Result<(), WriteError>) {
        let Self { record, written, unanswered, waiter } = *self;
        let answer = match (result, written) {
            (Ok(()), Some(Written { delivery, event_types, is_repeat })) => Ok(Durable {
                delivery,
                event_types,
                is_repeat,
                quarantined: record.quarantined,
                unanswered: Some(unanswered),
            }),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(CommitError::Failed("the delivery was not written".to_owned())),
        };
        // Nobody waits any more when the platform hung up; then the proof is dropped, and noted as unanswered.
        let _ = waiter.send(answer);
    }

    fn give_in(&mut self) -> bool {
        self.record.quarantine("livehook could not compare it with what it knows");
        true
    }

    fn bytes(&self) -> usize {
        self.record.body.len()
    }
}

fn commit(session: &mut Session<'_>, record: &DeliveryRecord) -> rusqlite::Result<Written> {
    let account = session.account_id(&record.account, record.platform)?;
    let previous = previous_copies(session, account, record)?;
    let seen = judge(&previous, record.received_at, record.retries);

    let mut insert = session.connection.prepare_cached(
        "INSERT INTO delivery (account, callback, content, received_at, proof, content_type, body, quarantined)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute((
        account,
        record.callback,
        record.content.0,
        record.received_at.as_millisecond(),
        proof_name(record.proof),
        &record.content_type,
        &record.body[..],
        &record.quarantined,
    ))?;
    let delivery = session.connection.last_insert_rowid().unsigned_abs();

    let event_types = observe(session, account, record, seen)?;
    let is_repeat = event_types.is_empty() && seen != Seen::First;
    Ok(Written { delivery, event_types, is_repeat })
}

/// Compares each observation with what is known and writes what follows; returns the events' types.
pub(super) fn observe(
    session: &mut Session<'_>,
    account: i64,
    record: &DeliveryRecord,
    seen: Seen,
) -> rusqlite::Result<Vec<String>> {
    let hearing = Hearing::Delivery {
        received_at: record.received_at,
        proof: record.proof,
        content: record.content,
        seen,
    };
    let speaker = Speaker { account, name: &record.account, platform: record.platform };
    let mut event_types = Vec::new();
    for observation in &record.observations {
        hear(session, &speaker, observation, &hearing, &mut event_types)?;
    }
    Ok(event_types)
}

fn previous_copies(
    session: &Session<'_>,
    account: i64,
    record: &DeliveryRecord,
) -> rusqlite::Result<Vec<Previous>> {
    let mut select = session.connection.prepare_cached(
        "SELECT received_at, NOT unanswered FROM delivery
         WHERE content = ?1 AND account = ?2 AND callback = ?3 AND received_at >= ?4
         ORDER BY id DESC LIMIT ?5",
    )?;
    let since = record.received_at.as_millisecond() - REPEAT_HORIZON_MS;
    let rows =
        select.query_map((record.content.0, account, record.callback, since, PREVIOUS_MAX), |row| {
            let received_at = Timestamp::from_millisecond(row.get(0)?).unwrap_or(Timestamp::UNIX_EPOCH);
            Ok(Previous { received_at, is_answered: row.get(1)? })
        })?;
    rows.collect()
}

pub(super) fn proof_name(proof: Proof) -> &'static str {
    match proof {
        Proof::Signature => "signature",
        Proof::Api => "api",
        Proof::UrlToken => "url-token",
        Proof::Internal => "internal",
    }
}

pub(super) fn proof_of(name: &str) -> Proof {
    match name {
        "signature" => Proof::Signature,
        "api" => Proof::Api,
        "internal" => Proof::Internal,
        _ => Proof::UrlToken,
    }
}

/// Observations of a delivery that waited in quarantine and can be understood now.
pub(super) struct Requeue {
    pub(super) delivery: u64,
    pub(super) record: DeliveryRecord,
    pub(super) event_types: Vec<String>,
    pub(super) waiter: oneshot::Sender<Result<Vec<String>, super::StoreError>>,
}

impl Job for Requeue {
    fn run(&mut self, session: &mut Session<'_>) -> rusqlite::Result<()> {
        let account = session.account_id(&self.record.account, self.record.platform)?;
        let mut update = session.connection.prepare_cached(
            "UPDATE delivery SET quarantined = NULL, content = ?2 WHERE id = ?1 AND quarantined IS NOT NULL",
        )?;
        if update.execute((self.delivery as i64, self.record.content.0))? == 1 {
            self.event_types = observe(session, account, &self.record, Seen::First)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, result: Result<(), WriteError>) {
        let Self { waiter, event_types, .. } = *self;
        let _ = waiter.send(result.map(|()| event_types).map_err(Into::into));
    }
}
