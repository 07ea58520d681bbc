"""Who belongs to the county's network: certificates, codes, the enrolment door, the keyring, and what the broker lets each one do."""
