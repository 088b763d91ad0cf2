-- When the matter that is pending became so: the county's settings of that day are those that it is
-- screened with. Where nothing is pending any more, when the one did that was pending last.
ALTER TABLE child_case
    ADD COLUMN opened_at timestamptz,             -- NULL: with the first receipt
    ADD COLUMN pending boolean NOT NULL DEFAULT true;
UPDATE child_case c SET opened_at = coalesce(r.since, c.last_at), pending = r.since IS NOT NULL
FROM (SELECT each.child, min(k.started_at) AS since
      FROM child_case each LEFT JOIN clock k
          ON k.child = each.child AND k.kind = 'assessment_finish' AND k.stopped_at IS NULL
      GROUP BY each.child) r
WHERE r.child = c.child;
