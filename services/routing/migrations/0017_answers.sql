-- What a worker was told in answer to the questions of the screen (design 7). The reason text of the
-- act says more; here stand codes alone.
CREATE TABLE answer (
    act      uuid        NOT NULL,
    child    uuid        NOT NULL,                -- whose case it was when it was answered
    question text        NOT NULL,                -- a field of what is known
    answer   text        NOT NULL CHECK (answer IN ('yes', 'no', 'unknown')),
    told_by  text        NOT NULL,
    hand     text        NOT NULL CHECK (hand IN ('first_hand', 'second_hand', 'unknown')),
    at       timestamptz NOT NULL,                -- when it was told
    PRIMARY KEY (act, question)
);
CREATE INDEX answer_by_child ON answer (child);
-- When the latest of them was told: what is received before is counted anew with them.
ALTER TABLE child_case ADD COLUMN answered_at timestamptz;
