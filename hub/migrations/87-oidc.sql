-- Sign-in by a provider of identities (OpenID Connect): which of its subjects is whose account, by an administrator's
-- word, and the journeys to the provider that have begun and have not come back.
CREATE TABLE oidc_link (
    issuer TEXT NOT NULL,
    claim TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    linked_by TEXT NOT NULL,
    linked_at_ms BIGINT NOT NULL,
    PRIMARY KEY (issuer, claim, subject)
);
CREATE INDEX oidc_link_account ON oidc_link (account_id);

CREATE TABLE oidc_journey (
    digest TEXT NOT NULL PRIMARY KEY,
    visitor TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    wanted TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL
);
CREATE INDEX oidc_journey_begun ON oidc_journey (begun_at_ms);
