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

-- Whether a supervisor was asked to look at the case.
ALTER TABLE child_case ADD COLUMN look_asked boolean NOT NULL DEFAULT false;
