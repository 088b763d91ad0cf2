-- One case per child. Times are UTC; names and free text are nowhere here: the sealed signal lies
-- in the event log, found by the notification's id.

CREATE TABLE child_case (
    child         uuid        PRIMARY KEY,
    mark          text        NOT NULL,           -- what lists show instead of a name
    seq           int         NOT NULL,           -- of the last event that left about this child
    version       int         NOT NULL,           -- grows with every change
    age_band      text        NOT NULL,
    provisional   boolean     NOT NULL,           -- nobody knows yet who this child is
    known         text        NOT NULL,           -- facts so far (JSON, domain.facts.Known)
    urgency       text        NOT NULL CHECK (urgency IN ('open', 'urgent', 'not_urgent')),
    urgent_flags  text[]      NOT NULL,
    level         text        NOT NULL,
    holder        text        NOT NULL,           -- proposed by the tables
    destinations  text[]      NOT NULL,           -- proposed by the tables
    decision_seq  int         NOT NULL,           -- of the decision the above come from
    holder_seq    int         NOT NULL,           -- of the decision that last changed the holder
    confirmed     text,                           -- holder as a person confirmed or overrode it
    first_at      timestamptz NOT NULL,           -- receipt of the first notification
    last_at       timestamptz NOT NULL,           -- receipt of the latest one
    updated_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX child_case_by_holder ON child_case (coalesce(confirmed, holder), last_at);
CREATE INDEX child_case_nameless ON child_case (last_at) WHERE provisional;

-- Each notification is its own: linked to the case, never merged away.
CREATE TABLE notification (
    id          text        PRIMARY KEY,          -- the signal's id
    child       uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    check_state text        NOT NULL CHECK (check_state IN ('open', 'urgent', 'not_urgent')),
    flagged     boolean     NOT NULL,             -- an urgent flag orders and alarms, never excuses
    arrived_as  uuid        NOT NULL,             -- the child id it arrived under
    siblings    int         NOT NULL              -- children named by the same message
) WITH (fillfactor = 80);
CREATE INDEX notification_by_child ON notification (child, received_at);
CREATE INDEX notification_unchecked ON notification (flagged DESC, received_at)
    WHERE check_state = 'open';

-- Every screening with what it was made of, so that it can be replayed and explained.
CREATE TABLE decision (
    child        uuid        NOT NULL,
    seq          int         NOT NULL,
    because      text        NOT NULL,            -- signal id or act id
    decided_at   timestamptz NOT NULL,
    facts        text        NOT NULL,
    rows         text[]      NOT NULL,
    urgent_flags text[]      NOT NULL,
    level        text        NOT NULL,
    holder       text        NOT NULL,
    destinations text[]      NOT NULL,
    rules        text        NOT NULL,
    rules_hash   text        NOT NULL,
    PRIMARY KEY (child, seq)
);

-- Clocks are rows, born in the transaction of the event that starts them. Only a lawful act
-- stops one; a later notification never moves, stops or absorbs an earlier one's.
CREATE TABLE clock (
    about       text        NOT NULL,             -- notification id, or id of what was set aside
    kind        text        NOT NULL
        CHECK (kind IN ('urgency', 'assessment_start', 'family_told', 'assessment_finish')),
    child       uuid,
    started_at  timestamptz NOT NULL,
    target      timestamptz NOT NULL,
    due         timestamptz NOT NULL,
    citation    text        NOT NULL,
    calendar    text        NOT NULL,
    stopped_at  timestamptz,                      -- done_at of the act that stopped it
    stopped_by  text,                             -- the act's id, or how it was closed
    recorded_at timestamptz,
    warned_at   timestamptz,                      -- when somebody was warned that it runs out
    late_at     timestamptz,                      -- when it was found past its last moment
    PRIMARY KEY (about, kind)
) WITH (fillfactor = 80);
CREATE INDEX clock_running ON clock (due) WHERE stopped_at IS NULL;
CREATE INDEX clock_running_by_child ON clock (child) WHERE stopped_at IS NULL;

-- Destinations are proposals; a named person accepts or declines each.
CREATE TABLE proposal (
    child        uuid        NOT NULL,
    destination  text        NOT NULL,
    number       int         NOT NULL,            -- which proposal this is; an act names it
    state        text        NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'withdrawn')),
    proposed_at  timestamptz NOT NULL,
    decided_by   text,                            -- the act
    PRIMARY KEY (child, destination)
);
CREATE INDEX proposal_open ON proposal (destination, proposed_at) WHERE state = 'proposed';

-- What people did, each with when it was done and when it was recorded. Rows are only added.
CREATE TABLE act (
    id          uuid        PRIMARY KEY,
    child       uuid,
    about       text        NOT NULL,             -- notification, destination, holder, duty item
    kind        text        NOT NULL,
    worker      text        NOT NULL,
    done_at     timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    answer      text,                             -- urgent / not_urgent, a holder, a ground
    reason      text                              -- sealed under the child's key
);
CREATE INDEX act_by_child ON act (child, recorded_at);
CREATE TRIGGER act_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON act
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What could not be applied anywhere stands in front of the duty desk at once, without content.
CREATE TABLE duty_item (
    id          uuid        PRIMARY KEY,
    service     text        NOT NULL,
    outcome     text        NOT NULL,
    reason      text        NOT NULL,
    child       uuid,                             -- where the key of what waits is a child
    seq         int         NOT NULL,
    received_at timestamptz NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    closed_by   text
);
CREATE INDEX duty_item_open ON duty_item (received_at) WHERE closed_at IS NULL;

-- Staff who may act. The demo fills it; the directory feed will.
CREATE TABLE worker (
    id    text PRIMARY KEY,
    name  text NOT NULL,
    role  text NOT NULL CHECK (role IN ('duty', 'social_worker', 'supervisor'))
);
