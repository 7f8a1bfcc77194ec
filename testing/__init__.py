"""A laboratory for other people's tests: pytest fixtures around five soft IOCs of their own."""
