"""From a vendor's drop folder to a claimed file: look, settle, identify, order, claim, release the name.

Nothing here touches the ledger: what must be written down is handed back, and the caller does it in between
(claim, *record*, release the name, *record*).
"""
