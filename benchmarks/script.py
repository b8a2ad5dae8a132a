"""The script that users write: `csv.DictReader` and `requests`, in batches of 1000. Baseline (a)."""

import csv
import os
import sys

import requests


def main(path: str, url: str) -> None:
    """Send every row of the file, a thousand a call."""
    session = requests.Session()
    session.headers["apikey"] = os.environ["RETAILOPS_API_KEY"]

    def post(records: list[dict[str, object]]) -> None:
        answer = session.post(
            f"{url}/product/externalsku/update~2.json", json={"records": records}, timeout=60
        )
        answer.raise_for_status()
        if answer.json().get("success") != 1:
            raise SystemExit(answer.text)

    with open(path, newline="", encoding="utf-8") as file:
        records: list[dict[str, object]] = []
        for row in csv.DictReader(file):
            records.append({"vendor_id": "27", "vpc": row["Item"], "quantity": int(row["Qty Avail"])})
            if len(records) == 1000:
                post(records)
                records = []
        if records:
            post(records)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
