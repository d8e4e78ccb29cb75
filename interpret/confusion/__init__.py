"""Confusions: photos of class A that are taken for class B, and the itemsets that set them apart."""
