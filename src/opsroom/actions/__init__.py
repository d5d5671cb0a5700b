"""Actions: what agents do, through one gate, with one record."""
