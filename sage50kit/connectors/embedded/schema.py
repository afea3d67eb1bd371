"""The tables of a company file, and the version that says which program may open it.

Money is whole cents, unit prices and costs and quantities are whole 10**-5, dates are ISO text, ids
are kept as they were typed and compared by their folded `*_key`. The CHECKs refuse anything but
integers in the money columns, whatever program writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SCHEMA_VERSION = 3
APPLICATION_ID = 0x53353043  # "S50C" in the file header: not every SQLite file is a company

MONEY_PLACES = 2
UNIT_PLACES = 5

_LISTS = """
CREATE TABLE company (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    log_id TEXT NOT NULL DEFAULT '',
    log_events INTEGER NOT NULL DEFAULT 0,
    log_head TEXT NOT NULL DEFAULT ''
);
CREATE TABLE defaults (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    currency TEXT NOT NULL,
    receivable_account_id TEXT NOT NULL,
    payable_account_id TEXT NOT NULL,
    sales_account_id TEXT NOT NULL,
    expense_account_id TEXT NOT NULL,
    inventory_account_id TEXT NOT NULL,
    cogs_account_id TEXT NOT NULL,
    salaries_account_id TEXT NOT NULL,
    freight_account_id TEXT NOT NULL
);
CREATE TABLE account (
    key TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    description TEXT NOT NULL,
    type INTEGER NOT NULL,
    inactive INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE customer (
    key TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    inactive INTEGER NOT NULL,
    address_name TEXT NOT NULL,
    address_line1 TEXT NOT NULL,
    address_line2 TEXT NOT NULL,
    address_city TEXT NOT NULL,
    address_state TEXT NOT NULL,
    address_zip TEXT NOT NULL,
    address_country TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    due_days INTEGER NOT NULL,
    terms TEXT NOT NULL,
    tax_code TEXT NOT NULL,
    sales_account_id TEXT NOT NULL,
    credit_status TEXT NOT NULL,
    credit_limit INTEGER NOT NULL CHECK (typeof(credit_limit) = 'integer'),
    balance INTEGER NOT NULL CHECK (typeof(balance) = 'integer')
) WITHOUT ROWID;
CREATE TABLE vendor (
    key TEXT PRIMARY KEY,
    vendor_id TEXT NOT NULL,
    name TEXT NOT NULL,
    inactive INTEGER NOT NULL,
    address_name TEXT NOT NULL,
    address_line1 TEXT NOT NULL,
    address_line2 TEXT NOT NULL,
    address_city TEXT NOT NULL,
    address_state TEXT NOT NULL,
    address_zip TEXT NOT NULL,
    address_country TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    due_days INTEGER NOT NULL,
    terms TEXT NOT NULL,
    expense_account_id TEXT NOT NULL,
    is_member INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE item (
    key TEXT PRIMARY KEY,
    item_id TEXT NOT NULL,
    description TEXT NOT NULL,
    item_class TEXT NOT NULL,
    inactive INTEGER NOT NULL,
    sales_description TEXT NOT NULL,
    purchase_description TEXT NOT NULL,
    sales_account_id TEXT NOT NULL,
    inventory_account_id TEXT NOT NULL,
    cogs_account_id TEXT NOT NULL,
    costing_method TEXT NOT NULL,
    price INTEGER NOT NULL CHECK (typeof(price) = 'integer'),
    last_unit_cost INTEGER NOT NULL CHECK (typeof(last_unit_cost) = 'integer'),
    unit TEXT NOT NULL,
    taxable INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE agency (
    key TEXT PRIMARY KEY,
    agency_id TEXT NOT NULL,
    description TEXT NOT NULL,
    account_id TEXT NOT NULL,
    rate INTEGER NOT NULL CHECK (typeof(rate) = 'integer')
) WITHOUT ROWID;
CREATE TABLE tax_code (
    key TEXT PRIMARY KEY,
    tax_code TEXT NOT NULL,
    description TEXT NOT NULL,
    agency_ids TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE period (
    key TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    start TEXT NOT NULL,
    end TEXT NOT NULL,
    closed INTEGER NOT NULL
) WITHOUT ROWID;
"""

_CHANGES = """
CREATE TABLE receipt_change (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    party_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    posting_date TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (typeof(total) = 'integer'),
    saved TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    mark TEXT NOT NULL DEFAULT ''
);
CREATE INDEX receipt_change_document ON receipt_change (document_id);
"""

_BOOKS = """
CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    label TEXT NOT NULL,
    number TEXT NOT NULL,
    party_id TEXT NOT NULL,
    party_key TEXT NOT NULL,
    party_name TEXT NOT NULL,
    reference TEXT NOT NULL,
    reference_key TEXT NOT NULL,
    note TEXT NOT NULL,
    token TEXT NOT NULL,
    posting_date TEXT NOT NULL,
    document_date TEXT NOT NULL,
    due_date TEXT,
    control_account_id TEXT NOT NULL,
    control_amount INTEGER NOT NULL CHECK (typeof(control_amount) = 'integer'),
    total INTEGER NOT NULL CHECK (typeof(total) = 'integer'),
    tax_code TEXT NOT NULL,
    terms TEXT NOT NULL,
    purchase_order TEXT NOT NULL,
    ship_to TEXT NOT NULL,
    waiting_on_bill INTEGER NOT NULL,
    beginning INTEGER NOT NULL DEFAULT 0,
    voided_by INTEGER REFERENCES document (id),
    void_of INTEGER REFERENCES document (id)
);
CREATE INDEX document_token ON document (token);
CREATE INDEX document_identity ON document (party_key, reference_key, type);
CREATE INDEX document_date ON document (posting_date);
CREATE TABLE entry (
    document_id INTEGER NOT NULL REFERENCES document (id),
    row INTEGER NOT NULL,
    journal TEXT NOT NULL,
    account_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (typeof(amount) = 'integer'),
    description TEXT NOT NULL,
    role TEXT NOT NULL,
    made_by TEXT NOT NULL,
    item_id TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    tax_agency_id TEXT NOT NULL,
    taxable INTEGER NOT NULL,
    PRIMARY KEY (document_id, row)
) WITHOUT ROWID;
CREATE TABLE application (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document (id),
    by_document_id INTEGER NOT NULL REFERENCES document (id),
    date TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (typeof(amount) = 'integer'),
    discount INTEGER NOT NULL CHECK (typeof(discount) = 'integer')
);
CREATE INDEX application_document ON application (document_id);
CREATE INDEX application_by ON application (by_document_id);
CREATE TABLE layer (
    id INTEGER PRIMARY KEY,
    item_key TEXT NOT NULL REFERENCES item (key),
    document_id INTEGER NOT NULL REFERENCES document (id),
    received TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (typeof(quantity) = 'integer'),
    value INTEGER NOT NULL CHECK (typeof(value) = 'integer')
);
CREATE INDEX layer_item ON layer (item_key, received, id);
CREATE TABLE stock_move (
    id INTEGER PRIMARY KEY,
    item_key TEXT NOT NULL REFERENCES item (key),
    document_id INTEGER NOT NULL REFERENCES document (id),
    kind TEXT NOT NULL,
    party_key TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (typeof(quantity) = 'integer'),
    value INTEGER NOT NULL CHECK (typeof(value) = 'integer')
);
CREATE INDEX stock_move_item ON stock_move (item_key, kind, party_key, id);
CREATE INDEX stock_move_document ON stock_move (document_id);
"""


def create_tables(db: sqlite3.Connection) -> None:
    """Make the tables inside the open transaction of `db`."""
    for statement in (_LISTS + _CHANGES + _BOOKS).split(";\n"):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def upgrade(db: sqlite3.Connection) -> None:
    """Bring the file of an older program forward, inside the open transaction of `db`.

    Version 1 had no list of what was changed in receipts; its receipts count as saved on their date.
    Version 2 had no marks in that list, and did not remember how far its push log was.
    """
    if db.execute("PRAGMA user_version").fetchone()[0] == 1:
        _list_changes(db)
    else:
        db.execute("ALTER TABLE receipt_change ADD COLUMN mark TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE company ADD COLUMN log_events INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE company ADD COLUMN log_head TEXT NOT NULL DEFAULT ''")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _list_changes(db: sqlite3.Connection) -> None:
    for statement in _CHANGES.split(";\n"):
        db.execute(statement)
    db.execute(
        "INSERT INTO receipt_change (document_id, type, party_id, reference, posting_date, total, saved, "
        "deleted) SELECT id, type, party_id, reference, posting_date, total, posting_date, 0 FROM document "
        "WHERE type = 'receipt' AND void_of IS NULL ORDER BY id"
    )
