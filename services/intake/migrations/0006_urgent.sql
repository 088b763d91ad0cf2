-- Messages whose sender marks immediate danger, as they came, sealed under the item's own key. They
-- are kept before their turn comes, so that the duty desk can open them while they wait.
CREATE TABLE urgent_message (
    item        uuid        PRIMARY KEY,
    door        smallint    NOT NULL,         -- of the reader whose turn it is, not of the lane
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    received_at timestamptz NOT NULL,
    kept_at     timestamptz NOT NULL DEFAULT now(),
    taken_at    timestamptz,                  -- when its turn came
    body        bytea,                        -- empty a week after that: it is kept elsewhere then
    UNIQUE (door, partition, "offset")
);
CREATE INDEX urgent_message_to_forget ON urgent_message (taken_at)
    WHERE body IS NOT NULL AND taken_at IS NOT NULL;
