"""What `check` looks at beyond the set-up: the ledger, and whether RetailOps can be reached and takes the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filebridge.errors import CallRefused, KeyRefused, LedgerError, Problem, RetailOpsUnreachable

if TYPE_CHECKING:
    from filebridge.workspace import Workspace


def look_at_ledger(workspace: Workspace) -> tuple[list[Problem], list[Problem]]:
    """What stands against using the ledger, and what is worth knowing of it. Reads it whole, and changes nothing."""
    from filebridge.ledger.health import MOST_SECONDS, look_over, path_of

    try:
        path = path_of(workspace.ledger_url)
        if look_over(path, archive=workspace.archive):
            return [], []
    except LedgerError as error:
        return [Problem("ledger", str(error))], []
    message = (
        f"it is large: of {path} only what could be read in {MOST_SECONDS:.0f} s was looked at for damage"
    )
    return [], [Problem("ledger", message)]


def ask_retailops(workspace: Workspace) -> list[Problem]:
    """Read one page of each vendor's POs; what stands in the way, a problem a vendor. Changes nothing."""
    from filebridge.retailops.client import RetailOps

    settings = workspace.settings.retailops
    packs, _ = workspace.load_packs()
    found = []
    for pack in packs:
        client = RetailOps(settings.base_url, workspace.api_key(pack).secret, attempts=1, page=1)
        try:
            client.fetch_orders(pack.settings.vendor_id, pack.settings.orders.status, wanted=())
        except KeyRefused as error:
            found.append(Problem(pack.vendor, str(error), "Correct the API key, or its rights at RetailOps."))
        except (RetailOpsUnreachable, CallRefused) as error:
            found.append(
                Problem(pack.vendor, str(error), f"Check the network, and that {settings.base_url} is right.")
            )
        finally:
            client.close()
    return found
