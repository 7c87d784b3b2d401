"""What Hubwarden costs, in calls and in time, beside what people use today: a table, never a test."""
