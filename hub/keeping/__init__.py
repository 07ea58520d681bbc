"""What the archive keeps for good: accessions, held files, their copies and their fixity, and volumes re-described."""
