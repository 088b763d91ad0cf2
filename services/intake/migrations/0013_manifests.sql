-- What sources say they sent, and what of it is missing.

-- The numbers seen of each run of each source, as spans. Locked last in a batch, in the key's order.
CREATE TABLE source_sequence (
    source text          NOT NULL,
    run    text          NOT NULL,               -- empty: the run without a name
    base   bigint,                               -- the first number of the run
    firsts bigint[]      NOT NULL DEFAULT '{}',
    lasts  bigint[]      NOT NULL DEFAULT '{}',
    since  timestamptz[] NOT NULL DEFAULT '{}',
    folded bigint        NOT NULL DEFAULT 0,     -- missing numbers that are no longer listed
    PRIMARY KEY (source, run)
) WITH (fillfactor = 50);

-- The lists that sources send. `waits`: ids that have not been found yet.
CREATE TABLE source_list (
    id         uuid        PRIMARY KEY,          -- the message's receipt id
    source     text        NOT NULL,
    begins     timestamptz NOT NULL,
    ends       timestamptz NOT NULL,
    next_by    timestamptz,
    arrived_at timestamptz NOT NULL,
    checked_at timestamptz,
    waits      text[]      NOT NULL
);
ALTER TABLE source_list ALTER COLUMN waits SET STORAGE EXTERNAL;
CREATE INDEX source_list_waiting ON source_list (arrived_at) WHERE waits <> '{}';
CREATE INDEX source_list_latest ON source_list (source, ends);
-- Whether a listed id was ever held or parked, closed or not.
CREATE INDEX set_aside_by_event ON set_aside (event_id, source)
    WHERE outcome IN ('held', 'parked');

-- Hours in which something came of a source, and its first and last message.
CREATE TABLE source_hour (
    source text        NOT NULL,
    hour   timestamptz NOT NULL,
    PRIMARY KEY (source, hour)
);
CREATE TABLE source_heard (
    source text        PRIMARY KEY,
    first  timestamptz NOT NULL,
    last   timestamptz NOT NULL
);

-- What is wrong with a source, one row while it lasts.
CREATE TABLE source_alarm (
    id         uuid        PRIMARY KEY,          -- also the item at the duty desk
    source     text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('gap', 'missing', 'silent')),
    why        text        NOT NULL,
    since      timestamptz NOT NULL,
    opened_at  timestamptz NOT NULL DEFAULT now(),
    closed_at  timestamptz,
    closed_how text
);
CREATE UNIQUE INDEX source_alarm_open ON source_alarm (source, kind) WHERE closed_at IS NULL;

-- The one row that a process holds while it looks.
CREATE TABLE source_watch (
    one          boolean     PRIMARY KEY DEFAULT true CHECK (one),
    since        timestamptz NOT NULL DEFAULT now(),
    looked_at    timestamptz,                    -- what had arrived by then was looked at
    awake_since  timestamptz NOT NULL DEFAULT now(),
    named_before timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO source_watch DEFAULT VALUES;
