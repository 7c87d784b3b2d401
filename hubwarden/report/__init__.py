"""A Report or an Explanation for whoever asked: as JSON for programs, as text for people."""
