-- Sources that somebody has paused, or that were braked, at some time; every other one is open.
CREATE TABLE source (
    name  text        PRIMARY KEY,
    state text        NOT NULL CHECK (state IN ('open', 'paused', 'braked', 'resuming')),
    since timestamptz NOT NULL DEFAULT now(),
    by    text        NOT NULL,                  -- a worker's id; `luotsi` for the brake
    why   text        NOT NULL                   -- a code or plain words, nothing about a person
);

-- What a paused source sends is set aside as held.
ALTER TABLE set_aside DROP CONSTRAINT set_aside_outcome_check,
    ADD CONSTRAINT set_aside_outcome_check CHECK (outcome IN ('quarantined', 'parked', 'held'));
CREATE INDEX set_aside_held ON set_aside (source, door, partition, "offset")
    WHERE outcome = 'held' AND closed_at IS NULL;

-- The brake counts what was quarantined of a source; rows that were not cost this index nothing.
CREATE INDEX event_log_quarantined_by_source ON event_log (source, recorded_at)
    WHERE outcome = 'quarantined';
-- How many came today, and within the last hour: rows lie in the order they came.
CREATE INDEX event_log_by_time ON event_log USING brin (recorded_at)
    WITH (pages_per_range = 32, autosummarize = on);
