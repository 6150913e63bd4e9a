"""What comparisons have found, added up for people, and how long it is kept."""
