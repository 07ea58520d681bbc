-- What the window asked holders for, and what became of it.
CREATE TABLE copy_order (
    copy_id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    keeper TEXT NOT NULL,
    product TEXT NOT NULL,
    serial TEXT NOT NULL,
    state TEXT NOT NULL,
    asked BLOB NOT NULL,
    decision BLOB,
    seal BLOB,
    reason_zh TEXT NOT NULL DEFAULT '',
    reason_en TEXT NOT NULL DEFAULT '',
    hint_zh TEXT NOT NULL DEFAULT '',
    hint_en TEXT NOT NULL DEFAULT '',
    done_bytes BIGINT NOT NULL DEFAULT 0,
    total_bytes BIGINT NOT NULL DEFAULT 0,
    asked_by TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE INDEX copy_order_request ON copy_order (request_id);
CREATE INDEX copy_order_state ON copy_order (state);

-- Every state that an order was in, and who brought it there.
CREATE TABLE copy_step (
    copy_id TEXT NOT NULL,
    step BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    who TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (copy_id, step)
);
