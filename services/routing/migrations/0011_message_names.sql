-- The source's own id of the message a notification came in, for those who document what is done
-- about it. Empty for what came before: signals did not tell it.
ALTER TABLE notification
    ADD COLUMN source text NOT NULL DEFAULT '',
    ADD COLUMN source_id text NOT NULL DEFAULT '';
