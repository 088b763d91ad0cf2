-- A worker's own cases, for the list that each sees first among those of all workers.
CREATE INDEX client_by_worker ON client (worker) WHERE worker IS NOT NULL AND NOT moved;
