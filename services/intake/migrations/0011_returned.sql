-- A signal returned to its school is looked for when it is sent again.
CREATE INDEX event_log_returned ON event_log (event_id, source) WHERE outcome = 'returned';
