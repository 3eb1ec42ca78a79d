-- The first schema. Integers, text and blobs only; times are Unix seconds; `sealed_…` columns are sealed records
-- whose associated data is table, row and column. PostgreSQL runs the same text with BYTEA for BLOB and BIGINT for INTEGER,
-- which SQLite wants in its place where a number is the key of the rows themselves.

CREATE TABLE realm (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    root_certificate BLOB NOT NULL,
    document BLOB NOT NULL,
    document_number BIGINT NOT NULL,
    enrol_level BIGINT NOT NULL,
    -- Only of a home for demonstrations: an operator's root key is outside the database.
    sealed_root_key BLOB,
    -- Names of the key-encryption key that seals, and of the one before it while it is being replaced.
    sealing_key BLOB NOT NULL,
    retiring_key BLOB,
    created_at BIGINT NOT NULL
);

CREATE TABLE service_keys (
    id TEXT PRIMARY KEY,
    certificate BLOB NOT NULL,
    sealed_signing_key BLOB NOT NULL,
    sealed_encryption_key BLOB,
    created_at BIGINT NOT NULL
);

-- Keys of the license service before the present one, which open challenges for a while yet.
CREATE TABLE challenge_keys (
    thumbprint BLOB PRIMARY KEY,
    sealed_key BLOB NOT NULL,
    retired_at BIGINT NOT NULL
);

CREATE TABLE content_keys (
    key_id BLOB PRIMARY KEY,
    class TEXT NOT NULL CHECK (class IN ('licensed', 'clearkey')),
    content_id TEXT NOT NULL,
    title TEXT,
    is_open BIGINT NOT NULL CHECK (is_open IN (0, 1)),
    minimum_individualized_version TEXT,
    minimum_application_level BIGINT,
    sealed_key BLOB NOT NULL,
    registered_at BIGINT NOT NULL
);

CREATE TABLE clients (
    fingerprint BLOB PRIMARY KEY,
    signing_key BLOB NOT NULL,
    encryption_key BLOB NOT NULL,
    -- Goes up when the same keys get a new certificate because the last one has ended.
    renewal BIGINT NOT NULL,
    certificate BLOB NOT NULL,
    enrolled_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    revoked_at BIGINT,
    UNIQUE (signing_key, encryption_key, renewal)
);

-- Where the store of each client stood when it was last issued a license: one that was put back from a copy is noticed.
CREATE TABLE store_positions (
    client BLOB PRIMARY KEY REFERENCES clients (fingerprint),
    epoch BLOB NOT NULL,
    sequence BIGINT NOT NULL,
    head BLOB NOT NULL
);

-- Challenges that were answered, with the licenses as a CBOR array of byte strings. The number is that of the audit entry,
-- so that rows are appended in order.
CREATE TABLE acquisitions (
    seq INTEGER PRIMARY KEY,
    challenge_hash BLOB NOT NULL UNIQUE,
    client BLOB NOT NULL REFERENCES clients (fingerprint),
    token_id TEXT,
    -- The buyer: SHA-256 of a token's issuer and subject.
    owner BLOB,
    issued_at BIGINT NOT NULL,
    licenses BLOB NOT NULL
);

-- Whose licenses are issued again.
CREATE INDEX acquisitions_owner ON acquisitions (owner, seq) WHERE owner IS NOT NULL;
CREATE INDEX acquisitions_client ON acquisitions (client, seq);

-- The clients that a license which was issued again has been issued to, the first one among them.
CREATE TABLE recoveries (
    license BLOB NOT NULL,
    signing_key BLOB NOT NULL,
    PRIMARY KEY (license, signing_key)
);

CREATE TABLE token_keys (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'HS256')),
    issuer TEXT NOT NULL,
    -- Of somebody who signs for this operator.
    public_key BLOB,
    -- Of this realm, or shared with somebody.
    sealed_secret BLOB,
    created_at BIGINT NOT NULL,
    verifies_until BIGINT,
    CHECK ((public_key IS NULL) <> (sealed_secret IS NULL))
);

-- How often tokens with a limit were used: SHA-256 of issuer and token id.
CREATE TABLE token_uses (
    token BLOB PRIMARY KEY,
    used BIGINT NOT NULL
);

-- How the clocks of the instances on this database stand to its own. Rows that are not written any more are removed.
CREATE TABLE clocks (
    instance BLOB PRIMARY KEY,
    ahead_ms BIGINT NOT NULL,
    uncertainty_ms BIGINT NOT NULL,
    read_at_ms BIGINT NOT NULL
);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail_json TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);

-- Tokens with which an operator's programs use this server. Only hashes are kept.
CREATE TABLE operator_tokens (
    name TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
