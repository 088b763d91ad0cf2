-- One data key per subject (child, notifier, original, quarantined record), wrapped by a
-- key-encryption key that is never in the database. Deleting the row makes every copy of what
-- was sealed under it unreadable; only the erasure command may.
CREATE TABLE data_key (
    id         uuid        PRIMARY KEY,
    wrapped    bytea       NOT NULL,
    kek        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
