"""What `check` asks RetailOps: whether it can be reached, and whether it takes the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filebridge.errors import CallRefused, KeyRefused, Problem, RetailOpsUnreachable

if TYPE_CHECKING:
    from filebridge.workspace import Workspace


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
