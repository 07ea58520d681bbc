"""What persons decide: contradictions, alike records, quarantine, proposals of change; and how it is undone."""
