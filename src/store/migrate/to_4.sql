-- Version 4: credentials that livehook obtains, or watches over.

CREATE TABLE credential (
    account  INTEGER PRIMARY KEY REFERENCES account,
    version  INTEGER NOT NULL,
    standing TEXT NOT NULL,
    sealed   BLOB,
    waiting  BLOB
);
