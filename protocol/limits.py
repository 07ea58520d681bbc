"""Every bound of the protocol, with its unit and its reason; both sides check the same names (promise 13)."""

FRAME_EVENTS_MAX = 500
"""Events in one frame: one broker message and so one fsync carries this many changes."""

FRAME_BYTES_MAX = 256 * 1024
"""Bytes of one sealed frame on the wire: under the broker's 1 MB, half a minute at 64 kbit/s."""

FRAME_PLAIN_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of one frame after decompression: a small message must not unpack into a large one."""

FRAME_FILL_BYTES = 240 * 1024
"""Bytes of event JSON after which a frame is closed: even text that does not compress then fits a sealed frame."""

CATCH_UP_ENDS_MAX = 256
"""Ends of former frames that a catch-up frame names: 9 KB of JSON, what ``FRAME_FILL_BYTES`` leaves room for. One over
more of them, where the site told single changes for months, names none and is not checked."""

UNCONFIRMED_FRAMES_MAX = 64
"""Frames of one site in the stream that the hub has not confirmed: 32,000 changes, two seconds of the hub's work, so
that a site with a million waiting leaves room for others."""

EVENT_BYTES_MAX = 64 * 1024
"""Bytes of one event's JSON: thirty times a long catalogue entry."""

REPLY_BYTES_MAX = 64 * 1024
"""Bytes of one reply to a call: 232 sites answering at once must not overrun the asker's socket buffer."""

QUESTION_BYTES_MAX = 16 * 1024
"""Bytes of one question on the wire."""

TITLE_CHARS_MAX = 2_000
"""Characters of a title: the longest title found in published government catalogues is under 400."""

FIELD_CHARS_MAX = 1_000
"""Characters of any other single text field of a record."""

PARTIES_MAX = 50
"""Responsible parties of one record: joint notices name up to about thirty issuers."""

QUERY_CHARS_MAX = 1_000
"""Characters of a search query: twice the longest title found in published government catalogues, and with its plain
words and readings it still fits in a question."""

SEARCH_HITS_MAX = 200
"""Hits that one site returns to one question."""

SEARCH_HITS_DEFAULT = 20
"""Hits asked of each site when the asker does not say."""

SEQ_MAX = 2**53 - 1
"""Highest sequence number: the largest integer that every JSON reader keeps exact."""

DIGEST_BUCKETS = 256
"""Buckets a fonds is divided into for comparison: one wrong row in a million moves a few thousand rows at most."""

DIGEST_ROWS_MAX = 1_000
"""Record digests in one reply: each is 62 bytes of JSON, so they fit in a reply."""

HEARTBEAT_S = 30.0
"""Seconds between a node's signs of life."""

OFFLINE_AFTER_S = 75.0
"""Seconds without a sign of life after which the hub calls a site offline: two beats missed and some slack."""

SCREEN_DEADLINE_S = 2.0
"""Seconds within which a live question is closed for the screen; later answers are late, never lost silently."""

CALL_DEADLINE_S = 5.0
"""Seconds that one call to one site may take before it counts as unanswered."""

ENROLMENT_APPLICATION_BYTES_MAX = 2 * 1024
"""Bytes of an application to become a node: one line with a secret, a key, a signature and a name."""

ENROLMENT_DECISION_BYTES_MAX = 64 * 1024
"""Bytes of the hub's decision: one line that may carry a chain of certificates."""

NODE_NAME_CHARS_MAX = 80
"""Characters of what a site calls an installation: "the PC in the reading room"."""

RECORD_REPLY_BYTES_MAX = 128 * 1024
"""Bytes of a reply that carries one whole record, which alone may fill ``EVENT_BYTES_MAX``; it is asked of one site."""

REPLIES_IN_FLIGHT_MAX = 928
"""Replies that one asker awaits at once: four questions to 232 sites, 61 MB at worst where the broker cuts at 64 MB."""

QUESTIONS_WAITING_MAX = 64
"""Questions that wait at one site for their turn; the oldest is dropped, for its asker has given up first."""

QUESTIONS_AT_ONCE_MAX = 4
"""Questions that one site works on at the same time: a village PC has two cores and one disk."""

REDESCRIBED_RECORDS_MAX = 300
"""Records that one call asks to be described again: their ids fill three quarters of a question."""

HELD_PAGE_FILL_BYTES = 512 * 1024
"""Bytes of records after which a page of holdings is closed: half a minute at 64 kbit/s once it is packed."""

HELD_PAGE_BYTES_MAX = 768 * 1024
"""Bytes of a packed page of holdings: under the broker's 1 MB, also where nothing can be packed."""

HELD_PAGE_PLAIN_BYTES_MAX = 2 * 1024 * 1024
"""Bytes of a page of holdings after unpacking."""

HELD_PAGE_DEADLINE_S = 60.0
"""Seconds that a node waits for a page before it asks again: a full page at 256 kbit/s and the hub's work, twice."""

BUNDLE_FRAMES_MAX = 20_000
"""Frames in one courier bundle: ten million changes; what is left over goes into a second file."""

BUNDLE_BYTES_MAX = 2 * 1024**3
"""Bytes of one courier bundle: half of what a file on a FAT32 stick may have."""

BUNDLE_MANIFEST_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of a courier bundle's manifest: ``BUNDLE_FRAMES_MAX`` lines of 150 bytes, and some room."""

BUNDLE_LETTERS_FILL_BYTES = 384 * 1024
"""Bytes of the bodies of letters that one courier bundle holds: with their ids and the manifest's frames they stay
within ``BUNDLE_MANIFEST_BYTES_MAX``; what is left goes with the next."""

BUNDLE_LETTERS_MAX = 400
"""Letters of one courier bundle."""

BUNDLE_LETTERS_TAKEN_MAX = 1_000
"""Letters of the other end that a courier bundle says to be taken: the latest ones, again with every bundle."""

BUNDLE_LETTERS_BYTES_MAX = 1024 * 1024
"""Bytes of the sealed letters of a courier bundle."""

BUNDLE_PAGES_SPANS_MAX = 2_000
"""Orders and gaps in their pages that one reply by courier names: it stays under the bound of a manifest with them."""

BUNDLE_PARTS_MAX = 64
"""Courier bundles that one backlog is divided into at most: more than any site's whole catalogue."""

OFFICE_HOURS_MAX = 28
"""Spans of office hours of one site: four a day, each day of the week by itself."""

BEAT_FAULTS_MAX = 8
"""Names of faults in one sign of life: the latest, for a guess about a later silence."""

QUERY_WORDS_MAX = 48
"""Words, numbers and dates of one query that an index is asked for; further ones are checked in what it finds."""

QUERY_ALTERNATIVES_MAX = 32
"""Alternatives of one place of a query."""

QUERY_DEPTH_MAX = 6
"""Brackets within brackets of one query: nobody reads more."""

RUN_TERMS_MAX = 48
"""Terms that an index is asked to find one behind the other; the rest of a longer text is checked in what it finds.
Forty-eight pairs of characters stand together in one title, or in copies of it."""

READINGS_WORDS_MAX = 8
"""Words of one query that are also read otherwise; in a longer query the first ones."""

SEARCH_READINGS_MAX = 64
"""Readings that travel with one question."""

WORD_CHARS_MAX = 500
"""Characters of one word of letters and digits that are indexed: as UTF-8 it stays below the 2,046 bytes that an engine
takes for one term."""

HELD_LINES_MAX = 50
"""Held mass changes that one answer names: some hundred bytes each."""

LETTER_BYTES_MAX = 128 * 1024
"""Bytes of a letter's body: four seconds at 256 kbit/s, and the answer of one site with two hundred hits fits."""

LETTERS_FILL_BYTES = 128 * 1024
"""Bytes of letters after which no more join a call; one letter may be as large by itself."""

LETTERS_BYTES_MAX = 320 * 1024
"""Bytes of a call of letters or its answer: the fullest one and what stands around it, under the broker's 1 MB."""

LETTERS_AT_ONCE_MAX = 200
"""Letters of one call: a thousand small ones are five calls."""

LETTERS_BYTES_S = 32 * 1024
"""Bytes of letters that the slowest line of a village takes in a second: 256 kbit/s."""

CONSIGNMENT_FILES_MAX = 200_000
"""Files of one consignment: twenty times the largest package that was ever brought; the list fills 20 MB of memory."""

CONSIGNMENT_BYTES_MAX = 16 * 1024**4
"""Bytes of one consignment: the largest volume that the usual file systems take."""

CONSIGNED_PATH_CHARS_MAX = 400
"""Characters of a consigned file's path: with the folders before it, it fits where Windows ends."""

CONSIGNED_NAME_BYTES_MAX = 240
"""Bytes of one part of such a path in UTF-8; file systems end at 255."""

CHUNK_BYTES_MAX = 1020 * 1024
"""Bytes of one range of a consignment: with its head and its seal under the broker's 1 MB. An older site gives 768 KB
of it, and is asked for the rest."""

CHUNK_BYTES_MIN = 8 * 1024
"""Bytes below which a range is not made smaller on a slow line: a quarter of a second at 256 kbit/s."""

CHUNKS_WAITING_MAX = 64
"""Ranges that wait at one site to be read; whoever asks for more at once asks again later."""

CHUNKS_FLYING_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of a consignment that one receiver has asked for and not got: what a sender's socket may be behind with."""

LIST_PAGE_BYTES_MAX = 512 * 1024
"""Bytes of one packed page of a consignment's list."""

LIST_PAGE_PLAIN_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of a page of a list after unpacking."""

LIST_PAGE_FILES_MAX = 2_000
"""Files on one page of a list: half a megabyte of JSON with long names."""

FILE_LINES_MAX = 40
"""Catalogue files that one answer names: a kilobyte each at most."""

FILE_NAME_CHARS_MAX = 120
"""Characters of a catalogue file's name that travel."""

FILE_FINDINGS_MAX = 12
"""Kinds of findings that an answer counts for one file."""

PROPOSED_VALUE_CHARS_MAX = 1_000
"""Characters of a value that is proposed for a field."""

PROPOSAL_REASON_CHARS_MAX = 500
"""Characters of the reason of a proposal, and of the owner's answer."""
