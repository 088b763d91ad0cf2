-- A clock's key begins with its child, so that one index finds the clocks of a case and keeps each
-- unique. Where there is no child it is the item's id, as in the events about it.
UPDATE clock SET child = about::uuid WHERE child IS NULL;
ALTER TABLE clock ALTER COLUMN child SET NOT NULL;
ALTER TABLE clock DROP CONSTRAINT clock_pkey, ADD PRIMARY KEY (child, about, kind);
DROP INDEX clock_running_by_child;
