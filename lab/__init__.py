"""The running laboratory: start-up, services, journal, catalogue, command line, reports."""
