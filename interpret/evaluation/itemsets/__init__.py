"""What itemsets say beyond single units: minimal causal sets, joint firing, transfer to held-out photos."""
