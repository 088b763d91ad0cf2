-- A school's absence signal: no urgency check where no other concern is stated. What was returned to
-- the school stands in front of a person until it is a matter, or none.
ALTER TABLE child_case DROP CONSTRAINT child_case_urgency_check,
    ADD CONSTRAINT child_case_urgency_check
        CHECK (urgency IN ('open', 'urgent', 'not_urgent', 'not_asked'));
ALTER TABLE notification DROP CONSTRAINT notification_check_state_check,
    ADD CONSTRAINT notification_check_state_check
        CHECK (check_state IN ('open', 'urgent', 'not_urgent', 'not_asked')),
    ADD COLUMN missing text NOT NULL DEFAULT '',   -- codes of what the school has yet to do
    ADD COLUMN returned text CHECK (returned IN ('open', 'matter', 'no_matter'));
CREATE INDEX notification_returned ON notification (received_at, id) WHERE returned = 'open';
