"""The wire: requests to RetailOps and what its answers mean, without I/O.

Each function stands beside the section of the vendor guide, or of what is known beyond it, and says how
sure that is: documented (by RetailOps), seen (in public code that talks to the live service), inferred, or
assumed where no public source says anything.
"""

from filebridge.retailops.wire.answers import (
    Answer,
    AnswerKind,
    Verdict,
    Verdicts,
    decipher,
    has_success,
    match_verdicts,
)
from filebridge.retailops.wire.requests import (
    FETCH_PATH,
    SHIP_CLASSES_BODY,
    SHIP_CLASSES_PATH,
    bodies_of,
    body_of,
    complete_body,
    fetch_body,
    mark_record,
    path_of,
    ship_date_record,
)

__all__ = [
    "FETCH_PATH",
    "SHIP_CLASSES_BODY",
    "SHIP_CLASSES_PATH",
    "Answer",
    "AnswerKind",
    "Verdict",
    "Verdicts",
    "bodies_of",
    "body_of",
    "complete_body",
    "decipher",
    "fetch_body",
    "has_success",
    "mark_record",
    "match_verdicts",
    "path_of",
    "ship_date_record",
]
