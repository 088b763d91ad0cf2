-- A mended resend looks for what was quarantined under its id, closed or not.
CREATE INDEX set_aside_quarantined_by_event ON set_aside (event_id, source)
    WHERE outcome = 'quarantined';
