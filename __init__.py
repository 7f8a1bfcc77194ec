"""odmrlab: ODMR and resonant spin inertia, from instruments to fitted numbers with error bars."""
