"""Do the units matter? Ablation, rankings of units, Table 1, and what one class's units do to the others."""
