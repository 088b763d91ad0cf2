-- Files that sources send beside their messages. Each is sealed under a key of its own, whose id is
-- the file's: destroying it makes the file unreadable and leaves the row, which says so.
CREATE TABLE attachment (
    id          uuid        PRIMARY KEY,
    source      text        NOT NULL,
    hash        bytea,                           -- keyed, of source and content: finds a retry's row
    type        text        NOT NULL,            -- as found in the content
    size        int         NOT NULL,            -- in bytes
    received_at timestamptz NOT NULL,
    sent_at     timestamptz NOT NULL,            -- the last time that it was sent
    messages    uuid[]      NOT NULL DEFAULT '{}', -- receipt ids of the messages that name it
    sealed      bytea       NOT NULL
);
ALTER TABLE attachment ALTER COLUMN sealed SET STORAGE EXTERNAL;  -- sealed bytes do not shrink
CREATE UNIQUE INDEX attachment_once ON attachment (source, hash);
CREATE INDEX attachment_named_by_nobody ON attachment (sent_at) WHERE messages = '{}';
