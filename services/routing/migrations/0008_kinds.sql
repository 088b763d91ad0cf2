-- What kind of message it was, what it states, and whether a later one takes its place or takes it
-- back. It stays a row of its own with its check and clocks.
ALTER TABLE notification
    ADD COLUMN kind text NOT NULL DEFAULT 'notification',
    ADD COLUMN facts text NOT NULL DEFAULT '{}',
    ADD COLUMN corrects text,
    ADD COLUMN replaced_by text;
UPDATE notification n SET facts = convert_from(e.body, 'UTF8')::jsonb ->> 'facts'
FROM event_log e WHERE e.event_id = n.id AND e.outcome = 'applied' AND e.source = 'luotsi.intake';

-- A signal that was taken back before it came: two doors of intake have no order between them.
CREATE TABLE taken_back (
    earlier     text PRIMARY KEY,
    replaced_by text NOT NULL
);
