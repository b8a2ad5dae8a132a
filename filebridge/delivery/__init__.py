"""Delivery: planned calls are journalled, sent, and their answers journalled; restartable from the ledger alone."""

from filebridge.delivery.channel import Channel, Delivery, Trouble, backoff_seconds
from filebridge.delivery.deliver import deliver, restate_due

__all__ = ["Channel", "Delivery", "Trouble", "backoff_seconds", "deliver", "restate_due"]
