-- Lists of codes are texts joined by a space: the driver spends ten microseconds per case on arrays.

ALTER TABLE child_case
    ALTER COLUMN urgent_flags TYPE text USING array_to_string(urgent_flags, ' '),
    ALTER COLUMN destinations TYPE text USING array_to_string(destinations, ' ');
ALTER TABLE decision
    ALTER COLUMN rows TYPE text USING array_to_string(rows, ' '),
    ALTER COLUMN urgent_flags TYPE text USING array_to_string(urgent_flags, ' '),
    ALTER COLUMN destinations TYPE text USING array_to_string(destinations, ' ');
