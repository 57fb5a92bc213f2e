-- Version 2: polling, and the bucket of current state.

ALTER TABLE account ADD COLUMN platform TEXT;

-- Instead of whether something may be forgotten: when.
DROP INDEX known_that_fades;
ALTER TABLE known ADD COLUMN fades_at INTEGER;
ALTER TABLE known ADD COLUMN event INTEGER;
UPDATE known SET fades_at = updated_at + 7 * 24 * 3600 * 1000 WHERE fades;
UPDATE known SET fades_at = updated_at + 30 * 24 * 3600 * 1000
WHERE entity >= 'broadcast/' AND entity < 'broadcast0' AND belief ->> 'phase' = 'ended';
ALTER TABLE known DROP COLUMN fades;
CREATE INDEX known_that_fades ON known (fades_at) WHERE fades_at IS NOT NULL;
CREATE INDEX known_by_event ON known (event) WHERE event IS NOT NULL;

CREATE TABLE watch (
    account         INTEGER NOT NULL REFERENCES account,
    watch           TEXT NOT NULL,
    cursor          TEXT,
    last_success_at INTEGER,
    last_requests   INTEGER NOT NULL DEFAULT 0,
    last_failure_at INTEGER,
    last_failure    TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, watch)
) WITHOUT ROWID;

CREATE TABLE scope (
    account      INTEGER NOT NULL REFERENCES account,
    watch        TEXT NOT NULL,
    scope        TEXT NOT NULL,
    known_since  INTEGER,
    swept_at     INTEGER,
    swept_before INTEGER,
    is_doubted   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, watch, scope)
) WITHOUT ROWID;

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

CREATE TABLE budget (
    name  TEXT NOT NULL,
    at    INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (name, at)
) WITHOUT ROWID;

CREATE TABLE mirror (
    bucket      TEXT PRIMARY KEY,
    event       INTEGER NOT NULL,
    created     TEXT NOT NULL,
    js_sequence INTEGER NOT NULL
) WITHOUT ROWID;
