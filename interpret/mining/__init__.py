"""Transactions to frequent itemsets, association rules and relevant units."""

from interpret.mining.eclat import mine
from interpret.mining.itemsets import Mined
from interpret.mining.stored import mine_study, transactions

__all__ = ["Mined", "mine", "mine_study", "transactions"]
