"""ConnectWise in the words of the kit: what is unposted, its detail, batches, and the setup tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.connectwise import wire
from sage50kit.connectwise.assumptions import ALL_LOCATIONS, EXPORT_CHUNK
from sage50kit.connectwise.client import condition
from sage50kit.connectwise.turns import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from sage50kit.connectwise.client import Client
    from sage50kit.connectwise.frames import ListKind
    from sage50kit.model import Kind

AT_ONCE = 4
_LIST_OF: dict[Kind, ListKind] = {
    "invoice": "invoice",
    "expense": "expense",
    "receipt": "procurement",
    "adjustment": "procurement",
    "transfer": "procurement",
}
EXPORT = "/finance/accounting/export"
BATCHES = "/finance/accounting/batches"


class ConnectWise:
    """One ConnectWise site, seen through its REST API."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = client.name

    # --- what is unposted ---

    def unposted(
        self, kinds: Sequence[Kind], *, progress: Callable[..., None] | None = None
    ) -> pd.DataFrame:
        """Every unposted transaction of these kinds, one row each (see `frames`)."""
        from sage50kit.connectwise import frames

        wanted = {_LIST_OF[kind] for kind in kinds}
        frame = frames.unposted_frame(
            *(self._whole_list(kind, progress) for kind in sorted(wanted)),
            locations=self.locations() if wanted - {"invoice"} else None,
        )
        return frame[frame["kind"].isin(list(kinds))].reset_index(drop=True)

    def unposted_entries(self, kinds: Collection[Kind]) -> dict[str, frozenset[int]]:
        """The GL entries that the unposted lists name, by key of the transaction."""
        if not kinds:
            return {}
        frame = self.unposted(sorted(kinds))
        return {
            key: frozenset(int(entry) for entry in ids.split(",") if entry)
            for key, ids in zip(frame["key"], frame["entry_ids"].fillna(""), strict=True)
        }

    def _whole_list(self, kind: ListKind, progress: Callable[..., None] | None) -> pa.Table:
        """One list, complete: read again when rows moved between its pages.

        Raises:
            ConnectWiseUnavailable: it kept changing.
        """
        from sage50kit.connectwise import frames

        def read(pages: Iterator[bytes]) -> pa.Table:
            return frames.read_list(kind, pages)

        return self.client.whole(frames.PATHS[kind], read, progress=progress)

    # --- detail ---

    def export_invoices(
        self,
        ids: Sequence[int],
        *,
        detail: str,
        batch: str,
        progress: Callable[..., None] | None = None,
    ) -> wire.GLExport:
        """The detail of invoices by billing-log id; changes nothing."""
        words = {"exportInvoicesFlag": True, "summarizeInvoices": detail}
        return self._export("includedInvoiceIds", ids, words, batch, progress)

    def export_procurement(
        self, ids: Sequence[str], *, batch: str, progress: Callable[..., None] | None = None
    ) -> wire.GLExport:
        """The detail of receipts, adjustments and transfers by unposted-product id."""
        return self._export(
            "includedProductIds", ids, {"exportProductsFlag": True}, batch, progress
        )

    def export_expenses(
        self,
        groups: Sequence[Sequence[int]],
        *,
        batch: str,
        progress: Callable[..., None] | None = None,
    ) -> list[wire.GLExport]:
        """The detail of expenses, one export for each group of expense ids."""
        bodies = [
            {**_request(batch), "exportExpensesFlag": True, "includedExpenseIds": list(group)}
            for group in groups
        ]
        return self._post_all(bodies, progress)

    def _export(
        self,
        field: str,
        ids: Sequence[Any],
        words: dict[str, Any],
        batch: str,
        progress: Callable[..., None] | None,
    ) -> wire.GLExport:
        bodies = [
            {**_request(batch), **words, field: list(ids[start : start + EXPORT_CHUNK])}
            for start in range(0, len(ids), EXPORT_CHUNK)
        ]
        return merged(self._post_all(bodies, progress))

    def _post_all(
        self, bodies: Sequence[dict[str, Any]], progress: Callable[..., None] | None
    ) -> list[wire.GLExport]:
        """The exports of all bodies, in their order, several at a time."""

        def one(body: dict[str, Any]) -> wire.GLExport:
            return _export_of(self.client.post(EXPORT, body, repeatable=True), EXPORT)

        exports = []
        with workers(min(AT_ONCE, self.client.settings.requests_at_once)) as pool:
            for export in pool.map(one, bodies):
                exports.append(export)
                if progress is not None:
                    progress(len(exports), len(bodies))
        return exports

    def expense_reports(self, expense_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """(member id, report id) by expense id."""
        rows = self.client.rows_in("/expense/entries", "id", expense_ids)
        entries = [wire.read(wire.ExpenseEntry, row, path="/expense/entries") for row in rows]
        return {
            row.id: (row.member.id or 0, row.expense_report.id or 0)
            for row in entries
            if row.member and row.expense_report
        }

    # --- batches ---

    def find_batch(self, identifier: str) -> wire.AccountingBatch | None:
        """The batch of a number, or None; the server may compare without case."""
        rows = self.client.rows(BATCHES, conditions=condition("batchIdentifier", "=", identifier))
        batches = [wire.read(wire.AccountingBatch, row, path=BATCHES) for row in rows]
        wanted = identifier.casefold()
        return next(
            (row for row in batches if (row.batch_identifier or "").casefold() == wanted), None
        )

    def batch_identifiers(self, prefix: str) -> list[str]:
        """The batch numbers that begin with `prefix`."""
        # Blanks and wildcards of the prefix stay literal: the filter here decides, not the server's.
        rows = self.client.rows(
            BATCHES, conditions=condition("batchIdentifier", "like", f"{prefix}*")
        )
        names = [
            wire.read(wire.AccountingBatch, row, path=BATCHES).batch_identifier for row in rows
        ]
        return [name for name in names if name and name.casefold().startswith(prefix.casefold())]

    def create_batch(
        self, identifier: str, *, kinds: Collection[str], entry_ids: Sequence[int]
    ) -> None:
        """Create the batch of these GL entries; the call is never repeated."""
        body = {
            "id": 0,
            "batchIdentifier": identifier,
            "glInterfaceIdentifier": identifier,
            **_flags(kinds),
            "processedRecordIds": list(entry_ids),
        }
        self.client.post(BATCHES, body)

    def batch_entries(self, batch_id: int) -> list[wire.BatchEntry]:
        """The GL entries of a batch."""
        path = f"{BATCHES}/{batch_id}/entries"
        return [wire.read(wire.BatchEntry, row, path=path) for row in self.client.rows(path)]

    def batch_export(
        self, batch_id: int, *, kinds: Collection[str], detail: str = "Default"
    ) -> wire.GLExport:
        """The detail of a batch that exists."""
        path = f"{BATCHES}/{batch_id}/export"
        body = {**_request("rerun"), **_flags(kinds), "summarizeInvoices": detail}
        return _export_of(self.client.post(path, body, repeatable=True), path)

    def delete_batch(self, batch_id: int) -> None:
        """Delete a batch; its transactions return to the unposted lists."""
        self.client.delete(f"{BATCHES}/{batch_id}")

    def unbatch_order(self, order_id: int) -> None:
        """Take the receipts of a purchase order out of their batches; never repeated."""
        self.client.post(f"/procurement/purchaseorders/{order_id}/unbatch", {})

    # --- setup tables ---

    def package_setup(self) -> wire.AccountingPackageSetup | None:
        """The Accounting Package, if it is set up."""
        rows = self._rows("/finance/accountingPackageSetup", wire.AccountingPackageSetup)
        return rows[0] if rows else None

    def tax_codes(self) -> list[wire.TaxCode]:
        """The tax codes with their levels."""
        return self._rows("/finance/taxCodes", wire.TaxCode)

    def gl_accounts(self) -> list[wire.GLAccount]:
        """The rows of the GL Accounts table."""
        return self._rows("/finance/glAccounts", wire.GLAccount)

    def gl_captions(self) -> list[wire.GLCaption]:
        """The captions of the account segments."""
        return self._rows("/finance/glCaptions", wire.GLCaption)

    def catalog(self, identifiers: Sequence[str]) -> dict[str, wire.CatalogItem]:
        """Products of the catalogue by product id."""
        path = "/procurement/catalog"
        rows = self.client.rows_in(path, "identifier", identifiers) if identifiers else []
        items = [wire.read(wire.CatalogItem, row, path=path) for row in rows]
        return {item.identifier: item for item in items if item.identifier}

    def locations(self) -> dict[int, str]:
        """Names of the locations by id."""
        rows: list[wire.Location] = self._rows("/system/locations", wire.Location)
        return {row.id: row.name or str(row.id) for row in rows}

    def companies(self, ids: Sequence[int]) -> dict[int, wire.Company]:
        """Companies by id."""
        return self._by_id("/company/companies", wire.Company, ids)

    def members(self, ids: Sequence[int]) -> dict[int, wire.Member]:
        """Members by id."""
        return self._by_id("/system/members", wire.Member, ids)

    def info(self) -> wire.Info:
        """What the server says of itself."""
        found: wire.Info = wire.read(
            wire.Info, self.client.get("/system/info"), path="/system/info"
        )
        return found

    def _rows(self, path: str, model: type[Any]) -> list[Any]:
        return [wire.read(model, row, path=path) for row in self.client.rows(path)]

    def _by_id(self, path: str, model: type[Any], ids: Sequence[int]) -> dict[int, Any]:
        if not ids:
            return {}
        rows = self.client.rows_in(path, "id", ids)
        return {row.id: row for row in (wire.read(model, one, path=path) for one in rows)}


def merged(exports: Iterable[wire.GLExport]) -> wire.GLExport:
    """Several exports as one, in their order."""
    parts = list(exports)
    together: dict[str, Any] = {
        name: tuple(row for part in parts for row in getattr(part, name))
        for name in wire.GLExport.model_fields
    }
    return wire.GLExport.model_construct(**together)


def _export_of(answer: Any, path: str) -> wire.GLExport:
    export: wire.GLExport = wire.read(wire.GLExport, answer, path=path)
    return export


def _request(batch: str) -> dict[str, Any]:
    """What every export asks: all locations, a number that makes no batch, no through date (9.8)."""
    return {"batchIdentifier": batch, "glInterfaceIdentifier": batch, "locationId": ALL_LOCATIONS}


def _flags(kinds: Collection[str]) -> dict[str, bool]:
    return {
        "exportInvoicesFlag": "invoice" in kinds,
        "exportExpensesFlag": "expense" in kinds,
        "exportProductsFlag": bool({"receipt", "adjustment", "transfer"} & set(kinds)),
    }
