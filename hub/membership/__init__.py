"""Who belongs to the county's network: certificates, codes, the enrolment door, the keyring, the broker's users."""
