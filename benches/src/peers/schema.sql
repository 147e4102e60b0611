CREATE TABLE document (
    key text PRIMARY KEY,
    by text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    issue_date text NOT NULL,
    buyer text,
    total bigint NOT NULL,
    locked bigint NOT NULL DEFAULT 0,
    settled bigint NOT NULL DEFAULT 0,
    kid bytea NOT NULL,
    signature bytea NOT NULL,
    record text NOT NULL,
    UNIQUE (by, id),
    CHECK (locked + settled <= total)
);
CREATE TABLE claim (
    by text NOT NULL,
    id text NOT NULL,
    document text NOT NULL,
    amount bigint NOT NULL,
    state smallint NOT NULL DEFAULT 0,
    kid bytea NOT NULL,
    signature bytea NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (by, id)
);
