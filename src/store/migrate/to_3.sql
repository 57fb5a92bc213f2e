-- Version 3: waits after failures, and since when an account is not configured any more.

ALTER TABLE account ADD COLUMN left_at INTEGER;
ALTER TABLE watch ADD COLUMN retry_at INTEGER;
ALTER TABLE watch ADD COLUMN is_lasting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE watch ADD COLUMN asked_as TEXT;
-- What was forgotten before had revisions up to the newest event's row.
INSERT INTO meta (name, value) SELECT 'forgotten', ifnull(max(id), 0) FROM event;
