-- Whether the client feed says that a child's home municipality is one of this county, and the duty
-- item of the task to tell another county where it is not: opened once the child has a case.
ALTER TABLE client
    ADD COLUMN lives_here text NOT NULL DEFAULT 'unknown',
    ADD COLUMN county_task uuid;
