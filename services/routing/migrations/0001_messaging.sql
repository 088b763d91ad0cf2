-- The plumbing's tables, the same in every service (a test compares the files).

-- A door is one way in: a consumer group on a topic of a cluster, or an HTTP path.
CREATE TABLE door (
    id      smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grp     text NOT NULL,
    cluster text NOT NULL,
    topic   text NOT NULL,
    UNIQUE (grp, cluster, topic)
);

-- How far a partition has been consumed, and who may: a batch of an older epoch writes nothing.
CREATE TABLE source_offset (
    door      smallint NOT NULL REFERENCES door,
    partition int      NOT NULL,
    first_off bigint   NOT NULL,
    next_off  bigint   NOT NULL,
    published bigint   NOT NULL,
    epoch     int      NOT NULL,
    PRIMARY KEY (door, partition)
) WITH (fillfactor = 50);

-- Inbox, outbox and account in one: every consumed record leaves exactly one row,
-- and the row holds all its answers. A redelivered record is answered with them.
CREATE TABLE event_log (
    door        smallint    NOT NULL REFERENCES door,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    outcome     text        NOT NULL
        CHECK (outcome IN ('applied', 'repeated', 'quarantined', 'returned', 'parked', 'held')),
    source      text,
    event_id    text,
    key         text,
    reason      text,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    body        bytea,
    answers     bytea,
    PRIMARY KEY (door, partition, "offset")
);
-- A row of a few KB stays whole and is not compressed: sealed bytes do not shrink.
ALTER TABLE event_log SET (toast_tuple_target = 8160);
ALTER TABLE event_log ALTER COLUMN body SET STORAGE EXTERNAL,
                      ALTER COLUMN answers SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX event_log_applied_once ON event_log (event_id, source) WHERE outcome = 'applied';
CREATE INDEX event_log_by_key_parked ON event_log (key, door, partition, "offset")
    WHERE outcome IN ('parked', 'held');

-- What could not be applied, for a person: never content, only where it lies and why.
CREATE TABLE set_aside (
    id          uuid        PRIMARY KEY,
    door        smallint    NOT NULL,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    outcome     text        NOT NULL CHECK (outcome IN ('quarantined', 'parked')),
    source      text,
    event_id    text,
    key         text,
    reason      text        NOT NULL,
    error       text,
    attempts    int         NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    closed_how  text,
    UNIQUE (door, partition, "offset")
);
CREATE INDEX set_aside_open_by_event ON set_aside (event_id, source) WHERE closed_at IS NULL;
CREATE INDEX set_aside_open ON set_aside (opened_at) WHERE closed_at IS NULL;

-- A parked key: later events of it wait behind the one that could not be applied.
CREATE TABLE parked_key (
    key   text        PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now()
);

-- What people and timers have to say; the relay sends lowest id first and deletes.
CREATE TABLE outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text        NOT NULL,
    key        bytea       NOT NULL,
    event_id   text        NOT NULL,
    value      bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

-- Who read or did what. Rows are only ever added (trigger and rights).
CREATE TABLE audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    actor   text        NOT NULL,
    act     text        NOT NULL,
    subject text        NOT NULL,
    purpose text        NOT NULL,
    detail  text
);
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
