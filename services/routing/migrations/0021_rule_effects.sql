-- What a change of rules would do to the stored cases (`luotsi rules diff --keep`), so that people
-- read it at the desk before the rules go live. Cases are named by mark and random id alone.
CREATE TABLE rule_effect (
    number      int         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    old_version text        NOT NULL,             -- or "stored": what each decision was made with
    new_version text        NOT NULL,
    new_hash    text        NOT NULL,             -- a draft may bear the name of a shipped version
    made_at     timestamptz NOT NULL,
    lighter     int         NOT NULL,             -- cases that would become lighter
    effect      text        NOT NULL              -- JSON, domain.effect.Effect
);
