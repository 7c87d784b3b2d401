"""Who may connect: an owner's policy and the facts of a connection give a Decision. Pure: it asks nobody."""
