-- Whom the client information system means by an id of its own. The newest version decides; a row
-- is made first and locked, so that two processes never take two versions at once.
CREATE TABLE client_reference (
    hash    bytea  PRIMARY KEY,                  -- HMAC-SHA-256 of source and its id
    child   uuid,
    version bigint NOT NULL
);
-- A household's random id, by the keyed hash of source and its id.
CREATE TABLE household_lookup (
    hash      bytea PRIMARY KEY,
    household uuid  NOT NULL
);
