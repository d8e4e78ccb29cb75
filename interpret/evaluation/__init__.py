"""Whether the mined units matter: ablation, rankings of units, Table 1 (table1.py), and effects on other classes."""
