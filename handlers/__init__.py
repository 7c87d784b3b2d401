"""The doors: one module per trigger. They parse, call and answer; they decide nothing."""
