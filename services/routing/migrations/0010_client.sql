-- What the client information system says of a child, the newest state of each of its references.
-- A moved one says nothing of this child any more; it stays so that an older state stays older.
CREATE TABLE client (
    child       uuid        NOT NULL,
    source      text        NOT NULL,
    reference   text        NOT NULL,             -- that system's own id of the client
    version     bigint      NOT NULL,
    moved       boolean     NOT NULL,
    clientship  text        NOT NULL,
    since       date,
    worker      text,                             -- staff id of the responsible worker
    placement   text        NOT NULL,
    moves       int,                              -- in twelve months; null: not said
    household   uuid,
    interpreter text        NOT NULL,
    turvakielto text        NOT NULL,
    received_at timestamptz NOT NULL,
    signal      text        NOT NULL,             -- the sealed signal in the event log
    PRIMARY KEY (child, source, reference)
) WITH (fillfactor = 80);
CREATE INDEX client_by_household ON client (household) WHERE household IS NOT NULL AND NOT moved;
