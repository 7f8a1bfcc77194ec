"""Many measurements with one purpose: the paper, its table and its report."""
