"""What words may also be read as: the county's tables of places and synonyms, names of persons, sounds."""
