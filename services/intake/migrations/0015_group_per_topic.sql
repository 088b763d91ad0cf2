-- Each topic has a consumer group of its own now. Its door stays the one it was, so that whatever
-- came through it is known.
UPDATE door SET grp = grp || '-' || split_part(topic, '.', 3)
WHERE grp LIKE '%intake' AND topic LIKE 'luotsi.intake.%';
