-- Messages whose sender marks immediate danger. An item of one opens before the message's turn has
-- come and closes when its check stands open; which of the two is told first is not said, so the
-- item is remembered here, and does not open after what closes it.
CREATE TABLE urgent_message (
    item     uuid    PRIMARY KEY,
    screened int     NOT NULL DEFAULT 0,          -- children it names whose check stands open
    settled  boolean NOT NULL DEFAULT false       -- every child's does, or the message is set aside
);

-- Stands first at the duty desk: a marked message that waits, or one that was set aside.
ALTER TABLE duty_item ADD COLUMN urgent boolean NOT NULL DEFAULT false;
CREATE INDEX duty_item_urgent ON duty_item (received_at) WHERE closed_at IS NULL AND urgent;
