-- Two children who are one: a worker joins them, and can separate them again. A hash keeps leading
-- to the child it was made for; routing sends what comes on to whoever that child is joined to.
ALTER TABLE child
    ADD COLUMN joined_to uuid,
    ADD COLUMN joins int NOT NULL DEFAULT 0,      -- how often that was decided about
    ADD COLUMN identities int NOT NULL DEFAULT 0; -- how often somebody said who it is

-- An unborn child's hash is its expecting parent's: once it is known who was born, the next child
-- is another one. Kept for the case that it was not that child.
CREATE TABLE retired_lookup (
    child uuid  NOT NULL,
    hash  bytea NOT NULL,
    PRIMARY KEY (child, hash)
);
