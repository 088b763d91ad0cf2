-- Who may be the same person, suggested to a worker; nothing is ever joined by it.

-- Keyed hashes of what is told of a child, each of a part of its name together with a date of
-- birth or a home: never of a name, a date or an address alone. `kind` is `TraitKind` of
-- services/intake/domain/traits.py. What is erased of a child is erased here by its id.
CREATE TABLE child_trait (
    child uuid     NOT NULL,
    kind  smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    hash  bigint   NOT NULL,                     -- the first 64 bits of HMAC-SHA-256
    PRIMARY KEY (child, hash)
);
CREATE INDEX child_trait_by_hash ON child_trait (hash);

-- Children of whom a worker has said that they are two: they are never suggested again.
CREATE TABLE child_apart (
    one   uuid NOT NULL,
    other uuid NOT NULL,
    PRIMARY KEY (one, other),
    CHECK (one < other)
);
CREATE INDEX child_apart_by_other ON child_apart (other);
-- What workers have said before this table was there; both copies of an event share its number.
INSERT INTO child_apart (one, other)
SELECT DISTINCT least(a.subject, b.subject)::uuid, greatest(a.subject, b.subject)::uuid
FROM audit a JOIN audit b ON b.detail = left(a.detail, -1) || '1' AND b.act = a.act
WHERE a.act IN ('separate', 'split') AND a.detail LIKE '%.0' AND a.subject <> b.subject;

-- Who is joined to a child, for the group of one person.
CREATE INDEX child_by_joined_to ON child (joined_to) WHERE joined_to IS NOT NULL;
