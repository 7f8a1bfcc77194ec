"""The services of a laboratory: what runs, how it is started, watched, examined and ended."""
