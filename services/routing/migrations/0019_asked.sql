-- What could still change a decision, by name and the most decisive first. Empty: the decision is
-- final. Of decisions from before this version it is not known.
ALTER TABLE decision ADD COLUMN ask text;

-- Whose questions nobody answered in time: the notifications whose assessment has not begun, and the
-- duty item of the task. One item stands for all that fall due while it is open.
CREATE TABLE unanswered (
    about text PRIMARY KEY,                       -- the notification
    item  uuid NOT NULL
);
CREATE INDEX unanswered_by_item ON unanswered (item);
