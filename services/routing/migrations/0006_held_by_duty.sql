-- The duty desk's list holds every judged case that is the desk's, urgent or not.
DROP INDEX child_case_urgent;
CREATE INDEX child_case_held_by_duty ON child_case (child)
    WHERE urgency <> 'open' AND coalesce(confirmed, holder) = 'duty';
