-- What the desk's lists are read by.

-- Lists stand in the order in which the next limit of a case runs out. Thousands of limits end at
-- the same midnight, so the index also holds when they began.
DROP INDEX clock_running;
CREATE INDEX clock_running ON clock (due, started_at) WHERE stopped_at IS NULL;

CREATE INDEX child_case_urgent ON child_case (child) WHERE urgency = 'urgent';
CREATE INDEX proposal_accepted ON proposal (destination, proposed_at) WHERE state = 'accepted';
