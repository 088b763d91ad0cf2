-- Which children are one for now. A join and a separation change no row's origin: a notification
-- belongs to the case of whoever it arrived as, or of whom a person said that it is about.
CREATE TABLE child_join (
    child  uuid PRIMARY KEY,
    joined_to uuid,                               -- none: it was separated again
    holder uuid NOT NULL,                         -- whose case has its notifications, over all joins
    number int  NOT NULL,                         -- of the last change; an older one comes too late
    since  timestamptz NOT NULL                   -- when it came here
);
CREATE INDEX child_join_by_holder ON child_join (holder);

ALTER TABLE notification
    ADD COLUMN belongs_to uuid,                   -- where a person took it off the child it arrived as
    ADD COLUMN age_band text NOT NULL DEFAULT 'unknown',
    ADD COLUMN provisional boolean NOT NULL DEFAULT true;
UPDATE notification n SET age_band = s.signal ->> 'age_band',
                          provisional = (s.signal ->> 'provisional')::boolean
FROM (SELECT event_id, convert_from(body, 'UTF8')::jsonb AS signal FROM event_log
      WHERE outcome = 'applied' AND source = 'luotsi.intake' AND body IS NOT NULL) s
WHERE s.event_id = n.id AND s.signal ? 'age_band';

ALTER TABLE child_case
    ADD COLUMN identified_by text,                -- the signal with the identity a worker gave
    ADD COLUMN identified_band text;              -- and the age band it tells
UPDATE child_case c SET identified_by = e.event_id,
                        identified_band = convert_from(e.body, 'UTF8')::jsonb ->> 'age_band'
FROM event_log e WHERE e.event_id = c.child || '.identified' AND e.source = 'luotsi.intake'
                   AND e.outcome = 'applied';

CREATE INDEX child_case_by_mark ON child_case (mark);

-- Of which children the facts were, where that was more than one.
ALTER TABLE decision ADD COLUMN joined text;
-- What a person did while children were one, and which of them it is about.
CREATE TABLE joined_act (
    act   uuid NOT NULL,
    child uuid NOT NULL,
    PRIMARY KEY (act, child)
);
CREATE INDEX joined_act_by_child ON joined_act (child);
ALTER TABLE proposal ADD COLUMN carried_from uuid; -- accepted for this child before it was joined
