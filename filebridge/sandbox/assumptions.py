"""What the sandbox assumes of RetailOps where the public sources say little or nothing.

The documentation page is made from this list, and `GET /_sandbox/assumptions` serves it.
"""

from dataclasses import dataclass
from typing import Literal

Certainty = Literal["documented", "seen", "inferred", "assumed"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that the sandbox takes for true.

    `certainty`: `documented` by RetailOps, `seen` in public code that called the live service, `inferred`
    from either, or `assumed` because nothing public tells. `section`: of the wire document.
    """

    text: str
    certainty: Certainty
    section: str


ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        "Every call is a POST with a JSON object as its body; other methods are an ERROR.", "documented", "1"
    ),
    Assumption(
        "Paths are compared without case; `~N` gives the version, left out it is 1.", "documented", "1"
    ),
    Assumption("A path must end in `.json`.", "documented", "1"),
    Assumption("An unknown action or version is answered `Action X not found`.", "seen", "1"),
    Assumption("The key is read from the `apikey` header alone; `?apikey=` is not a key.", "inferred", "1"),
    Assumption("The key is checked before the action, the action before the body.", "assumed", "1"),
    Assumption("A missing or wrong key is ERRORCODE `authn`.", "seen", "3"),
    Assumption(
        "A vendor that the key may not act for is ERRORCODE `authz`, its text begins `access denied`, and "
        "refuses the whole call; so does one PO of such a vendor.",
        "inferred",
        "3",
    ),
    Assumption("Errors come with HTTP 200.", "inferred", "3"),
    Assumption(
        "With `http_errors`: 401 for authn, 403 for authz, 404 for an unknown action, 405 for a wrong "
        "method, 400 for a body that is not a JSON object; refusals for their content stay 200.",
        "assumed",
        "3",
    ),
    Assumption("An error answer holds ERROR and ERRORCODE and no `success`.", "assumed", "3"),
    Assumption("The ERRORCODE of everything that is not authn or authz is `general`.", "inferred", "3"),
    Assumption("A body above 32 MB is refused with HTTP 413 and the connection is closed.", "assumed", "3"),
    Assumption("Ids, quantities and flags are taken as numbers and as text alike.", "inferred", "2"),
    Assumption('Flags are true as in Perl: all but null, false, 0, `"0"` and `""`.', "inferred", "2"),
    Assumption("Answers hold ids and quantities as numbers; with `stringly` as text.", "inferred", "2"),
    Assumption('`vendor_id` 27, "27" and "027" are the same vendor.', "inferred", "2"),
    Assumption("A single object under `records` is taken for an array of one.", "seen", "2"),
    Assumption(
        "`records` missing is an ERROR; an empty array is a success that changes nothing.", "assumed", "3"
    ),
    Assumption('A write that succeeds is answered `{"success":1}`.', "seen", "3"),
    Assumption("Instants are ISO 8601 in UTC with `Z`.", "inferred", "2"),
    Assumption(
        "More than 1000 records in a call are an ERROR for the whole call, and nothing is applied.",
        "assumed",
        "4",
    ),
    Assumption(
        "One bad record refuses the whole call, and nothing is applied; the ERROR tells of the first one as "
        "`for field idx N`, N from 0.",
        "assumed",
        "6",
    ),
    Assumption(
        "With `per_record` the good records are applied and the answer is `success` 1 with `records`, one "
        "each in the order sent: its key, `success` 1 or 0, and ERROR where it is 0.",
        "assumed",
        "6",
    ),
    Assumption("Advice is an absolute quantity for vendor and VPC; the last one wins.", "inferred", "5.1"),
    Assumption("Advice for a VPC that RetailOps does not know is kept like any other.", "assumed", "5.1"),
    Assumption(
        "A VPC listed in `refuse_vpcs` is refused as `for field idx N: invalid vpc`.", "inferred", "5.1"
    ),
    Assumption("A quantity that is missing, negative or not whole is refused.", "assumed", "5.1"),
    Assumption(
        "`vendor_name` may stand in place of `vendor_id` when it is the vendor's name.", "seen", "5.1"
    ),
    Assumption("`with_detailed_response` is taken and changes nothing.", "assumed", "5.1"),
    Assumption("Product.ExternalSku.update v1 exists and is not simulated.", "seen", "1"),
    Assumption("Vendor.PO.fetch needs `vendor_id`; without it the call is refused.", "inferred", "5.2"),
    Assumption(
        "`status` is one word or an array, compared without case; left out it is every status.",
        "inferred",
        "5.2",
    ),
    Assumption("`start` counts records from 0; `limit` left out is 100, and has no maximum.", "assumed", "4"),
    Assumption("A `max_limit` that is set cuts a longer page silently.", "assumed", "4"),
    Assumption("POs come in the order in which they were made; the answer has no total.", "assumed", "4"),
    Assumption("POs whose `date_submit` lies in the future are returned too.", "documented", "5.2"),
    Assumption("Without `with_items` a PO has no `items` key.", "inferred", "5.2"),
    Assumption("The field names of a PO are those of section 7 of the wire document.", "assumed", "7"),
    Assumption("MarkSubmitted moves a PO from open or ready to submitted.", "inferred", "6"),
    Assumption(
        "MarkSubmitted for any other status is an ERROR that names it: `status: submitted` and `ineligible "
        "for this action`.",
        "inferred",
        "6",
    ),
    Assumption(
        "MarkSubmitted compares items and quantities with the PO as it stands; where they differ the ERROR "
        "names the PO.",
        "inferred",
        "5.3",
    ),
    Assumption("MarkSubmitted does not look at `date_submit`.", "assumed", "5.3"),
    Assumption("Complete is for one PO a call; it has no `records`.", "documented", "4"),
    Assumption("Complete moves a PO from submitted or accepted to complete.", "inferred", "6"),
    Assumption(
        "Complete, MarkAccepted and UpdateEstShipDate for any other status are an ERROR that names it, as "
        "`PO D1 status: complete, ineligible for this action`; so are repeats.",
        "inferred",
        "6",
    ),
    Assumption(
        "A package has a `tracking_number`, a `ship_class_id` of the list, `items` by VPC and `unit_count`; "
        "where one is missing or wrong the ERROR tells its place as `package idx N`, N from 0.",
        "assumed",
        "5.4",
    ),
    Assumption(
        "`unit_count` is the sum of the quantities of the package's items; another number is refused.",
        "inferred",
        "5.4",
    ),
    Assumption("An empty `packages`, or a package without items, is refused.", "assumed", "5.4"),
    Assumption(
        "A VPC that is not on the PO is refused, and so are more units of a VPC than the PO has.",
        "assumed",
        "5.4",
    ),
    Assumption("PO lines of one VPC count together in Complete.", "inferred", "5.4"),
    Assumption(
        "Complete with fewer units than the PO has is taken and the PO is complete; with `short_complete` "
        "`refuse` it is refused.",
        "assumed",
        "6",
    ),
    Assumption(
        "`cancel_remainder`, and a package's `weight` and `cost`, are taken and change nothing.",
        "assumed",
        "5.4",
    ),
    Assumption("A tracking number is any text, and never compared with the carrier.", "inferred", "5.5"),
    Assumption("A ship class whose `active` is not true can still be shipped with.", "assumed", "5.5"),
    Assumption("The ids of ship classes are RetailOps' own; they change over the years.", "seen", "5.5"),
    Assumption("Two ship classes may have the same name.", "seen", "5.5"),
    Assumption("CarrierClass.fetch answers with `records` that have `id` and `name`.", "seen", "5.5"),
    Assumption(
        "CarrierClass.fetch without `all` leaves out classes whose `active` is not true.", "inferred", "5.5"
    ),
    Assumption("Any key may fetch the ship classes; they are the same for every vendor.", "assumed", "5.5"),
    Assumption("MarkAccepted moves a PO from submitted to accepted.", "inferred", "6"),
    Assumption("MarkAccepted is taken for every vendor, and 1000 POs a call.", "assumed", "5.6"),
    Assumption(
        "MarkAccepted for an item that is not on the PO, or for more than its quantity, is refused.",
        "inferred",
        "5.6",
    ),
    Assumption(
        "MarkAccepted for a part of a PO is taken and the PO is accepted, its items unchanged; with "
        "`short_accept` `refuse` it is refused.",
        "assumed",
        "5.6",
    ),
    Assumption(
        "UpdateEstShipDate is taken in the statuses open, ready, submitted and accepted, and leaves the "
        "status as it is.",
        "inferred",
        "6",
    ),
    Assumption(
        "`estimated_ship_date` is ISO 8601 with `Z` or an offset, with or without its colon; a date alone is "
        "refused.",
        "inferred",
        "2",
    ),
    Assumption(
        "UpdateEstShipDate may name a part of the items and of their quantities, not more than the PO has.",
        "assumed",
        "5.7",
    ),
    Assumption(
        "A fetched PO, and those of its items that were named, have the `estimated_ship_date` that was sent "
        "last, as it was sent.",
        "assumed",
        "5.7",
    ),
    Assumption("One call may name a PO twice, with two dates for different items.", "assumed", "5.7"),
    Assumption(
        "The sample of UpdateEstShipDate in the guide lacks a comma: as it stands it is no JSON.",
        "documented",
        "5.7",
    ),
    Assumption("A fetched PO shows neither its packages nor what was accepted of it.", "assumed", "7"),
    Assumption("A cancelled PO has the status `canceled`, with one l.", "inferred", "6"),
    Assumption(
        "CompleteDS and SubmitPartialTracking are answered with an ERROR: not simulated.", "assumed", "8"
    ),
)
