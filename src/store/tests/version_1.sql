-- Everything livehook remembers. Version 1; times are milliseconds since 1970 in UTC.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL DEFAULT 0
);

-- Raw requests, exactly as they came.
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    account      INTEGER NOT NULL REFERENCES account,
    callback     TEXT NOT NULL,
    content      BLOB NOT NULL,
    received_at  INTEGER NOT NULL,
    unanswered   INTEGER NOT NULL DEFAULT 0,
    proof        TEXT NOT NULL,
    content_type TEXT,
    body         BLOB NOT NULL,
    quarantined  TEXT
);
CREATE INDEX delivery_by_content ON delivery (content);
CREATE INDEX delivery_in_quarantine ON delivery (id) WHERE quarantined IS NOT NULL;

-- What we last believed of each entity.
CREATE TABLE known (
    account    INTEGER NOT NULL REFERENCES account,
    entity     TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    fades      INTEGER NOT NULL,
    belief     TEXT NOT NULL,
    PRIMARY KEY (account, entity)
) WITHOUT ROWID;
-- Viewers' sessions and the like are forgotten some days after they were last heard of.
CREATE INDEX known_that_fades ON known (updated_at) WHERE fades;

-- Outbox and log in one. A row without a ledger entry waits for the bus, unless it was set aside.
CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES account,
    route       TEXT NOT NULL,
    entity      TEXT NOT NULL,
    is_playback INTEGER NOT NULL,
    event_id    TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    set_aside   TEXT,
    envelope    BLOB NOT NULL
);

-- Which JetStream stream said that it holds which event, and where.
CREATE TABLE ledger (
    event       INTEGER PRIMARY KEY,
    js_stream   TEXT NOT NULL,
    js_sequence INTEGER NOT NULL,
    acked_at    INTEGER NOT NULL
);
CREATE UNIQUE INDEX ledger_by_sequence ON ledger (js_stream, js_sequence);

CREATE TABLE js_stream (
    name    TEXT PRIMARY KEY,
    created TEXT NOT NULL
) WITHOUT ROWID;
