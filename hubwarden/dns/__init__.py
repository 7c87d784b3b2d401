"""What the zones should hold and what differs: pure functions over the nouns, with no I/O and no clock."""
