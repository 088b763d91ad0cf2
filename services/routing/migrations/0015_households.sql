-- Which children share a household, as a message or a worker said it; what the client feed says of
-- it stands in `client`. A household's row is locked before the cases of its children, so that what
-- comes about two of them at one moment is seen by both.
CREATE TABLE household (
    id uuid PRIMARY KEY
);
CREATE TABLE household_member (
    child     uuid        NOT NULL,               -- as it arrived, whoever has its case
    household uuid        NOT NULL,
    stated_by text        NOT NULL CHECK (stated_by IN ('message', 'person')),
    since     timestamptz NOT NULL,
    apart     boolean     NOT NULL DEFAULT false, -- a person took it out: nothing brings it back
    PRIMARY KEY (child, household)
);
CREATE INDEX household_member_by_household ON household_member (household);

CREATE VIEW lives_in AS
SELECT child, household FROM household_member WHERE NOT apart
UNION
SELECT c.child, c.household FROM client c
WHERE c.household IS NOT NULL AND NOT c.moved AND NOT EXISTS (
    SELECT FROM household_member m
    WHERE m.child = c.child AND m.household = c.household AND m.apart);

-- What the other children of its households add to a case, and did when a decision was made.
ALTER TABLE child_case ADD COLUMN family text NOT NULL DEFAULT '{}';
