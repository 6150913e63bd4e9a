"""The numbers of the dashboard for other programs: Prometheus and OpenTelemetry."""
