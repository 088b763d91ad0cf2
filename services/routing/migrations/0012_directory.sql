-- What the directory feed tells: the newest version of each entry decides, in whatever order.
CREATE TABLE directory_entry (
    entry       uuid        PRIMARY KEY,
    what        text        NOT NULL,
    version     bigint      NOT NULL,
    ended       boolean     NOT NULL,
    received_at timestamptz NOT NULL
);

-- Staff: without a role nobody can log in, and the name is shown all the same. A withdrawn worker,
-- or one outside of the active days, has no rights from the next request on.
ALTER TABLE worker
    ALTER COLUMN role DROP NOT NULL,
    ADD COLUMN entry uuid,                        -- null: added by hand or by the demo
    ADD COLUMN withdrawn boolean NOT NULL DEFAULT false,
    ADD COLUMN active_from date,
    ADD COLUMN active_until date,
    ADD COLUMN unit text,
    ADD COLUMN phone text,
    ADD COLUMN languages text NOT NULL DEFAULT '';
CREATE INDEX worker_by_entry ON worker (entry) WHERE entry IS NOT NULL;

CREATE TABLE unit (
    entry uuid PRIMARY KEY,
    id    text NOT NULL,
    name  text NOT NULL,
    kind  text NOT NULL
);
CREATE TABLE duty_shift (
    entry  uuid        PRIMARY KEY,
    kind   text        NOT NULL CHECK (kind IN ('office_hours', 'sosiaalipaivystys')),
    begins timestamptz NOT NULL,
    ends   timestamptz NOT NULL,
    staff  text        NOT NULL,                  -- ids joined by a space; none: covers nothing
    unit   text
);
CREATE INDEX duty_shift_by_end ON duty_shift (ends);
CREATE TABLE care_group (
    entry   uuid PRIMARY KEY,
    id      text NOT NULL,
    name    text NOT NULL,
    members text NOT NULL
);
CREATE TABLE clinic (
    entry   uuid PRIMARY KEY,
    id      text NOT NULL,
    name    text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('child', 'adolescent')),
    age_min int  NOT NULL,
    age_max int  NOT NULL
);
