"""Transfers at the receiver: the plan, what comes in, the decisions, the handover."""
