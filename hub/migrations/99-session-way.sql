-- By which way somebody signed in: empty by password, else the provider, from which signing out leads as well.
ALTER TABLE web_session ADD COLUMN way TEXT NOT NULL DEFAULT '';
