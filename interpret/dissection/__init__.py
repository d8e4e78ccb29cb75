"""Known parts against units and itemsets: which part a unit detects, and which itemsets are true of their classes."""
