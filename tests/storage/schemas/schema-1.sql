PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE upstream_keys (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint BLOB NOT NULL UNIQUE,          -- SHA-256 of the secret
  sealed      BLOB NOT NULL,
  partial     TEXT NOT NULL,
  name        TEXT NOT NULL,
  provider    TEXT NOT NULL,
  level       INTEGER NOT NULL,
  weight      INTEGER NOT NULL,
  enabled     INTEGER NOT NULL,
  health      TEXT NOT NULL,                 -- JSON
  created_at  INTEGER NOT NULL,              -- milliseconds since 1970, as all times
  died_at     INTEGER
) STRICT;
INSERT INTO upstream_keys VALUES(1,X'2398943b14b6fa7121e8682f85ebbfc8d7676eca7301728e8c41456c18f72a7b',X'01aedea6dee8ec574d3137da9bf4846a3fc14fd66dfbf3a960350a8d35c2e6270cdf0d91f0b21489705e3c8fff1ed4f310e4e1cd3a7f05f83d50a0','0001','','',0,1,1,'{"failures":0,"last_used":1795994432893,"limits":[],"reason":"","requests":1,"since":0,"state":"active","until":null}',1795994432872,NULL);
INSERT INTO upstream_keys VALUES(2,X'5be8d4df07c32b1e1295a510ef2d60d8c2ad6669822ad01f2cf7b7e34f5d893d',X'0155d1ffa6513997a7661c2119378de24772f3e27005ebe90bc813453037a135cb289c1a6f27ab33fee5b36af0203d678d6033a99dd848e54499db','0002','the second','',3,1,1,'{"failures":0,"last_used":1795994432897,"limits":[],"reason":"","requests":1,"since":0,"state":"active","until":null}',1795994432872,NULL);
CREATE TABLE accounts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  email       TEXT NOT NULL,
  key_digest  BLOB NOT NULL UNIQUE,          -- SHA-256 of the virtual key
  partial     TEXT NOT NULL,
  is_root     INTEGER NOT NULL,
  enabled     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;
INSERT INTO accounts VALUES(1,'root','root@example.com',X'4ccdcb92bc5e37989512a7df5fb3cefaa20bd68df9d6b6bfaa88eb58a62204c9','Xm0Pg4Sa8Ue2Iw7Oq1Nx',1,1,1795994432863);
INSERT INTO accounts VALUES(2,'early','early@example.com',X'3aa636f25b196537eb035b870df4a4fe9eba4fbd759f1c95d67b23d7477f5f37','oKrtjQ7Cjk4G6eOxp9iE',0,1,1795994432863);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('accounts',2);
INSERT INTO sqlite_sequence VALUES('upstream_keys',2);
CREATE INDEX upstream_keys_by_death ON upstream_keys (died_at) WHERE died_at IS NOT NULL;
COMMIT;
PRAGMA user_version = 1;
