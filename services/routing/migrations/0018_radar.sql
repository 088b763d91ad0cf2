-- What came about a child within a year of the latest of it: [seconds since 1970, source, receipt],
-- the latest first, as far as it can still make a difference (domain.windows).
ALTER TABLE child_case ADD COLUMN recent text NOT NULL DEFAULT '[]';
UPDATE child_case c SET recent = s.recent
FROM (
    SELECT child, jsonb_agg(jsonb_build_array(at, source, message) ORDER BY at DESC)::text AS recent
    FROM (
        SELECT DISTINCT n.child, n.source, floor(extract(epoch FROM n.received_at))::bigint AS at,
               coalesce(substring(n.id FROM '^(.*)\.[^.]*$'), n.id) AS message
        FROM notification n
        JOIN (SELECT child, max(received_at) AS latest FROM notification GROUP BY child) l
            ON l.child = n.child
        WHERE n.replaced_by IS NULL AND n.received_at >= l.latest - interval '1 year'
          AND (n.returned IS NULL OR n.returned = 'matter' OR n.check_state <> 'not_asked')) m
    GROUP BY child) s
WHERE s.child = c.child;

-- The latest message or act that a case's decisions know, and that each decision knew: what was
-- received before and comes after it is late. Whether a supervisor was asked to look at the case.
ALTER TABLE child_case
    ADD COLUMN known_until timestamptz,
    ADD COLUMN look_asked boolean NOT NULL DEFAULT false;
UPDATE child_case SET known_until = last_at WHERE first_at <= last_at;
ALTER TABLE decision ADD COLUMN known_until timestamptz; -- none: made before this version

-- What a past decision would have been with what came late, was corrected or belongs to the case now:
-- the item is the task of a supervisor, what the decision said stands in `decision`.
CREATE TABLE too_light (
    item         uuid NOT NULL,
    child        uuid NOT NULL,
    seq          int  NOT NULL,                   -- of the decision
    urgent_flags text NOT NULL,
    level        text NOT NULL,
    destinations text NOT NULL,
    rows         text NOT NULL,
    PRIMARY KEY (item, child, seq)
);
