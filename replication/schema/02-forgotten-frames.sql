-- Where the frames ended that left the outbox, and their digests: a receiver that names another digest there, or stands
-- between two of them, has another history. Of the present epoch, as far back as ``outbox.FORGOTTEN_SPAN``.
CREATE TABLE forgotten_frame (
    last INTEGER PRIMARY KEY,
    digest TEXT NOT NULL
);
