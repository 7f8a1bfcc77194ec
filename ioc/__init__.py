"""The instruments as servers: their PVs, and how they behave in time."""
