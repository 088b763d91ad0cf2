-- The random id of an entry of the directory, by the keyed hash of source and its id.
CREATE TABLE directory_lookup (
    hash  bytea PRIMARY KEY,
    entry uuid  NOT NULL
);
