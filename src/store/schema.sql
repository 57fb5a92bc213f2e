-- Everything livehook remembers. Version 4; times are milliseconds since 1970 in UTC.
-- A change here needs a step in migrate.rs that makes the same of the version before.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL DEFAULT 0,
    platform TEXT,
    -- Since when it is not configured any more.
    left_at  INTEGER
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
    belief     TEXT NOT NULL,
    -- When it may be forgotten; NULL for never.
    fades_at   INTEGER,
    -- Row of the event that told of the latest revision, for what the bucket of current state shows.
    event      INTEGER,
    PRIMARY KEY (account, entity)
) WITHOUT ROWID;
CREATE INDEX known_that_fades ON known (fades_at) WHERE fades_at IS NOT NULL;
CREATE INDEX known_by_event ON known (event) WHERE event IS NOT NULL;

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

-- How each watch fares, and what its last sweep left for the next.
CREATE TABLE watch (
    account         INTEGER NOT NULL REFERENCES account,
    watch           TEXT NOT NULL,
    cursor          TEXT,
    last_success_at INTEGER,
    last_requests   INTEGER NOT NULL DEFAULT 0,
    last_failure_at INTEGER,
    last_failure    TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    -- When the same may be asked again, if the last sweep failed.
    retry_at        INTEGER,
    is_lasting      INTEGER NOT NULL DEFAULT 0,
    asked_as        TEXT,
    PRIMARY KEY (account, watch)
) WITHOUT ROWID;

-- The lists of each watch; the one without a name stands for all that is in no list.
CREATE TABLE scope (
    account      INTEGER NOT NULL REFERENCES account,
    watch        TEXT NOT NULL,
    scope        TEXT NOT NULL,
    -- When the first sweep began that saw it as a whole.
    known_since  INTEGER,
    -- When the last sweep began whose absences counted, and the one before.
    swept_at     INTEGER,
    swept_before INTEGER,
    -- So much was absent from that one that it was not believed.
    is_doubted   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, watch, scope)
) WITHOUT ROWID;

-- What stood in each list when it was last seen, and how much speaks for its absence since.
CREATE TABLE sighting (
    account     INTEGER NOT NULL REFERENCES account,
    watch       TEXT NOT NULL,
    scope       TEXT NOT NULL,
    entity      TEXT NOT NULL,
    absences    INTEGER NOT NULL DEFAULT 0,
    listed_from INTEGER,
    PRIMARY KEY (account, watch, scope, entity)
) WITHOUT ROWID;
CREATE INDEX sighting_by_entity ON sighting (account, entity);

-- When requests were sent, by the limit that they share.
CREATE TABLE budget (
    name  TEXT NOT NULL,
    at    INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (name, at)
) WITHOUT ROWID;

-- How far each bucket of current state has been brought.
CREATE TABLE mirror (
    bucket      TEXT PRIMARY KEY,
    event       INTEGER NOT NULL,
    created     TEXT NOT NULL,
    js_sequence INTEGER NOT NULL
) WITHOUT ROWID;

-- How each account's access stands. Tokens are sealed: without the key of the vault nobody can read them.
CREATE TABLE credential (
    account  INTEGER PRIMARY KEY REFERENCES account,
    version  INTEGER NOT NULL,
    standing TEXT NOT NULL,
    sealed   BLOB,
    -- Tokens that a person has yet to accept.
    waiting  BLOB
);
