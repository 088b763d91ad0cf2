-- Who is who. The child id is random; keyed hashes of the henkilötunnus only look it up, several
-- may point to one child, a child may have none (then somebody has to say who it is).
CREATE TABLE child (
    id          uuid        PRIMARY KEY,
    provisional boolean     NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    identified_at timestamptz
);
CREATE TABLE child_lookup (
    hash  bytea PRIMARY KEY,                     -- HMAC-SHA-256 of the henkilötunnus
    child uuid  NOT NULL
);

-- HTTP requests taken in, counted apart from what became of them (I1).
CREATE TABLE http_request (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
