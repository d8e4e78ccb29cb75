"""Eclat itself: the search for frequent itemsets and the count of each in every class, by several engines."""
