"""The only room that speaks to OpenTelemetry: what is measured, which trace a run belongs to, and where it is sent."""
