-- What is to be told, and what became of it. The notifier is here under seal only; the text is
-- rendered when it is sent and stored nowhere (MSG-04).
CREATE TABLE notice (
    id          uuid        PRIMARY KEY,
    purpose     text        NOT NULL CHECK (purpose IN ('receipt', 'duty_alert')),
    priority    smallint    NOT NULL,   -- 0 urgent alert, 1 alert, 2 receipt
    state       text        NOT NULL
        CHECK (state IN ('created', 'delivered', 'failed', 'no_channel', 'skipped_before_start')),
    receipt     uuid,                   -- whose receipt this is
    reference   text,                   -- what the notifier may name when asking
    notifier    text CHECK (notifier LIKE 's1.%'),
    received_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    attempts    int         NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    lease       uuid,                   -- whoever holds it is sending; runs out by itself
    lease_until timestamptz,
    recipient   text        NOT NULL,   -- a role, never a person (MSG-03)
    basis       text        NOT NULL,
    released_by text        NOT NULL DEFAULT 'policy',
    items       text[],                 -- the fields that were told
    channel     text,
    reason      text,
    finished_at timestamptz,
    told_at     timestamptz,            -- when its failure was put in front of a person
    CHECK ((purpose = 'receipt') = (receipt IS NOT NULL)),
    CHECK ((purpose = 'receipt') = (reference IS NOT NULL)),
    CHECK ((purpose = 'receipt') = (notifier IS NOT NULL))
);
-- One receipt per notification, however many children and however often it is replayed.
CREATE UNIQUE INDEX notice_receipt_once ON notice (receipt) WHERE receipt IS NOT NULL;
-- Alerts not yet tried coalesce, urgent ones and others apart.
CREATE UNIQUE INDEX notice_alert_coalesced ON notice (priority)
    WHERE purpose = 'duty_alert' AND state = 'created' AND attempts = 0;
CREATE INDEX notice_waiting ON notice (priority, next_try_at) WHERE state = 'created';
CREATE INDEX notice_alert_finished ON notice (finished_at)
    WHERE purpose = 'duty_alert' AND state <> 'created';

-- The last `seq` of each child that was applied here.
CREATE TABLE case_position (
    child uuid   PRIMARY KEY,
    seq   bigint NOT NULL
) WITH (fillfactor = 70);

-- Case events that came before an earlier one: applied when the gap closes. No personal data.
CREATE TABLE held_case_event (
    child uuid        NOT NULL,
    seq   bigint      NOT NULL,
    event text        NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (child, seq)
);
CREATE INDEX held_case_event_oldest ON held_case_event (since);
