"""Purchase orders out: fetched, laid out, staged, published, read again, marked submitted, verified.

Each function is restartable from the ledger alone, and does nothing twice. A pass over one vendor is

    recover    what an ended pass left: orphans swept, staged files published, answers taken in
    fetch      every PO into the ledger
    export     files for what is due, and change files for what changed
    plan_marks read again what was just published, then plan exactly the marks that the files bear out
    (delivery.deliver for each file that has calls)
    verify     read again what was marked; what changed meanwhile gets its change file

and `plan_marks`, delivery and `verify` once more as long as `plan_marks` names files: what an ended pass did
not verify, the next `plan_marks` does. What RetailOps believes taken is in a published file at every moment:
a mark is planned only for a file that is published, from what that file holds, and only for POs that were seen
unchanged after it was published.
"""

from filebridge.orders.export import export, publish_staged, resend
from filebridge.orders.fetch import Fetched, fetch, in_question, lookup
from filebridge.orders.marks import plan_marks, recover, verify

__all__ = [
    "Fetched",
    "export",
    "fetch",
    "in_question",
    "lookup",
    "plan_marks",
    "publish_staged",
    "recover",
    "resend",
    "verify",
]
