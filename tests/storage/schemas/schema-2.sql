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
INSERT INTO upstream_keys VALUES(1,X'2398943b14b6fa7121e8682f85ebbfc8d7676eca7301728e8c41456c18f72a7b',X'0136a920bd64a4edd6d008a006410973b0cd9242f62365bd9e8d1f72cf12328ed14c857e69634e5f89844d37dc2e7aed83254f1f8640eee0bb0aa9','0001','','',0,1,1,'{"failures":0,"last_used":1795995086250,"limits":[],"reason":"","requests":3,"since":0,"state":"active","until":null}',1795995086143,NULL);
INSERT INTO upstream_keys VALUES(2,X'5be8d4df07c32b1e1295a510ef2d60d8c2ad6669822ad01f2cf7b7e34f5d893d',X'019c128d9f25b7d6be4566e32246e36cc56297d62cb67b40fe0095c671dcd95a96ce584e2fcf8ce444bebed8930361e0203c6753fe4d9b7028b94b','0002','the second','',3,1,1,'{"failures":0,"last_used":1795995086252,"limits":[],"reason":"","requests":3,"since":0,"state":"active","until":null}',1795995086143,NULL);
CREATE TABLE accounts (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  parent_id      INTEGER NOT NULL,             -- 0: none
  level          INTEGER NOT NULL,
  dna            TEXT NOT NULL UNIQUE,         -- '.1.4.7.'
  name           TEXT COLLATE NOCASE UNIQUE,   -- null, as email and key_digest: deleted
  alias          TEXT NOT NULL,
  email          TEXT COLLATE NOCASE,
  billing_email  TEXT NOT NULL,
  key_digest     BLOB UNIQUE,                  -- SHA-256 of the virtual key
  partial        TEXT NOT NULL,
  is_root        INTEGER NOT NULL,
  enabled        INTEGER NOT NULL,
  rates          INTEGER NOT NULL,             -- billionths of the list price
  hard_limit     INTEGER NOT NULL,             -- nano-dollars, as all amounts; 0: none
  soft_limit     INTEGER NOT NULL,
  rpm INTEGER NOT NULL, rph INTEGER NOT NULL, rpd INTEGER NOT NULL,
  tpm INTEGER NOT NULL, tph INTEGER NOT NULL, tpd INTEGER NOT NULL,
  concurrency    INTEGER NOT NULL,
  child_limit    INTEGER NOT NULL,
  children       INTEGER NOT NULL,             -- that are not deleted
  allow_ips      TEXT NOT NULL,
  allow_models   TEXT NOT NULL,
  resources      TEXT NOT NULL,
  model_limits   TEXT NOT NULL,
  drains_aborted INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  overdraft      INTEGER NOT NULL,
  credit_granted INTEGER NOT NULL,
  credit_used    INTEGER NOT NULL,
  requests       INTEGER NOT NULL,
  month          INTEGER NOT NULL,             -- 202611
  month_used     INTEGER NOT NULL,
  rolled_to      INTEGER NOT NULL              -- id of the last request in the figures above
) STRICT;
INSERT INTO accounts VALUES(1,0,0,'.1.','root','','root@example.com','',X'4ccdcb92bc5e37989512a7df5fb3cefaa20bd68df9d6b6bfaa88eb58a62204c9','Xm0Pg4Sa8Ue2Iw7Oq1Nx',1,1,1000000000,0,0,0,0,0,0,0,0,0,1000000,2,'','','','',0,1795995086139,1795995086229,0,0,15300,2,202611,15300,1795995086227000);
INSERT INTO accounts VALUES(2,1,1,'.1.2.','early','','early@example.com','',X'1f5eeda7901f39c0d537777e61ccc479711615e447e748bdde3365a3f7385e9d','6jmMn0JoqIlxk92Ht0rC',0,1,1000000000,0,0,0,0,0,0,0,0,0,1000,0,'','','','',0,1795995086139,1795995086139,0,0,0,0,0,0,0);
INSERT INTO accounts VALUES(3,1,1,'.1.3.','alice','','alice@example.com','',X'c896795a25c63298f2e90952e875024f3450af1428f7df7f6cbd0570a5b772a8','EYjWEM3KDeuzx932edFB',0,1,1000000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,1,'','','','',0,1795995086229,1795995086256,0,50000000000,142050,4,202611,142050,1795995086253000);
INSERT INTO accounts VALUES(4,3,2,'.1.3.4.','bobby','','bobby@example.com','',X'25f0c914f1cbbef51d66af9c8032aa07e9b8cb498366af82ed61633d510d9696','hndVLeysbMHrO84cL7lq',0,1,1250000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,0,'','','','',0,1795995086232,1795995086242,0,6500000000,0,0,0,0,0);
INSERT INTO accounts VALUES(5,3,2,'.1.3.5.',NULL,'',NULL,'',NULL,'bpPhzaoqvwcmj2HyfMVv',0,0,1000000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,0,'','','','',0,1795995086236,1795995086244,0,4000000000,0,0,0,0,0);
CREATE TABLE cards (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  amount     INTEGER NOT NULL,
  balance    INTEGER NOT NULL,
  granted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  reference  TEXT NOT NULL
) STRICT;
INSERT INTO cards VALUES(1,3,50000000000,39500000000,1795995086229,1821915086229,'granted by root');
INSERT INTO cards VALUES(2,4,6250000000,6250000000,1795995086232,1827531086232,'granted by alice');
INSERT INTO cards VALUES(4,4,1875000000,1875000000,1795995086239,1827531086239,'granted by alice');
INSERT INTO cards VALUES(5,3,3800000000,3799857950,1795995086244,1811547086244,'refund of carol');
CREATE TABLE operations (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  actor_id  INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  action    TEXT NOT NULL,
  details   TEXT NOT NULL                      -- JSON
) STRICT;
INSERT INTO operations VALUES(1,1795995086229,1,3,'add','{"Name":"alice","Email":"alice@example.com","CreditGranted":50.0,"Days":300.0}');
INSERT INTO operations VALUES(2,1795995086232,3,4,'add','{"Name":"bobby","Email":"bobby@example.com","CreditGranted":5.0}');
INSERT INTO operations VALUES(3,1795995086236,3,5,'add','{"Name":"carol","Email":"carol@example.com","CreditGranted":4.0}');
INSERT INTO operations VALUES(4,1795995086239,3,4,'update','{"CreditGranted":1.5}');
INSERT INTO operations VALUES(5,1795995086242,3,4,'update','{"Rates":1.25}');
INSERT INTO operations VALUES(6,1795995086244,3,5,'delete','{}');
CREATE TABLE transfers (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  from_account INTEGER NOT NULL,
  to_account   INTEGER NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  operation    INTEGER NOT NULL
) STRICT;
INSERT INTO transfers VALUES(1,1795995086229,'issue',-1,1,15300,0);
INSERT INTO transfers VALUES(2,1795995086229,'grant',-1,3,50000000000,1);
INSERT INTO transfers VALUES(3,1795995086232,'grant',3,4,5000000000,2);
INSERT INTO transfers VALUES(4,1795995086236,'grant',3,5,4000000000,3);
INSERT INTO transfers VALUES(5,1795995086239,'grant',3,4,1500000000,4);
INSERT INTO transfers VALUES(6,1795995086242,'rate_change',-5,4,1625000000,5);
INSERT INTO transfers VALUES(7,1795995086244,'fee',5,-3,200000000,6);
INSERT INTO transfers VALUES(8,1795995086244,'refund',5,3,3800000000,6);
CREATE TABLE words (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO words VALUES(1,'other');
INSERT INTO words VALUES(2,'chat/completions');
INSERT INTO words VALUES(3,'completions');
INSERT INTO words VALUES(4,'responses');
INSERT INTO words VALUES(5,'embeddings');
INSERT INTO words VALUES(6,'moderations');
INSERT INTO words VALUES(7,'audio/speech');
INSERT INTO words VALUES(8,'audio/transcriptions');
INSERT INTO words VALUES(9,'audio/translations');
INSERT INTO words VALUES(10,'images/generations');
INSERT INTO words VALUES(11,'images/edits');
INSERT INTO words VALUES(12,'images/variations');
INSERT INTO words VALUES(13,'files');
INSERT INTO words VALUES(14,'uploads');
INSERT INTO words VALUES(15,'batches');
INSERT INTO words VALUES(16,'models');
INSERT INTO words VALUES(17,'fine_tuning');
INSERT INTO words VALUES(18,'assistants');
INSERT INTO words VALUES(19,'threads');
INSERT INTO words VALUES(20,'vector_stores');
INSERT INTO words VALUES(21,'conversations');
INSERT INTO words VALUES(22,'containers');
INSERT INTO words VALUES(23,'evals');
INSERT INTO words VALUES(24,'realtime');
INSERT INTO words VALUES(25,'videos');
INSERT INTO words VALUES(26,'chat');
INSERT INTO words VALUES(27,'audio');
INSERT INTO words VALUES(28,'images');
INSERT INTO words VALUES(29,'babbage-002');
INSERT INTO words VALUES(30,'chatgpt-4o-latest');
INSERT INTO words VALUES(31,'codex-mini-latest');
INSERT INTO words VALUES(32,'dall-e-2');
INSERT INTO words VALUES(33,'dall-e-3');
INSERT INTO words VALUES(34,'davinci-002');
INSERT INTO words VALUES(35,'gpt-3.5-turbo');
INSERT INTO words VALUES(36,'gpt-3.5-turbo-1106');
INSERT INTO words VALUES(37,'gpt-3.5-turbo-16k');
INSERT INTO words VALUES(38,'gpt-3.5-turbo-instruct');
INSERT INTO words VALUES(39,'gpt-4');
INSERT INTO words VALUES(40,'gpt-4-0125-preview');
INSERT INTO words VALUES(41,'gpt-4-1106-preview');
INSERT INTO words VALUES(42,'gpt-4-1106-vision-preview');
INSERT INTO words VALUES(43,'gpt-4-turbo');
INSERT INTO words VALUES(44,'gpt-4-vision-preview');
INSERT INTO words VALUES(45,'gpt-4.1');
INSERT INTO words VALUES(46,'gpt-4.1-mini');
INSERT INTO words VALUES(47,'gpt-4.1-nano');
INSERT INTO words VALUES(48,'gpt-4o');
INSERT INTO words VALUES(49,'gpt-4o-2024-05-13');
INSERT INTO words VALUES(50,'gpt-4o-audio-preview');
INSERT INTO words VALUES(51,'gpt-4o-mini');
INSERT INTO words VALUES(52,'gpt-4o-mini-audio-preview');
INSERT INTO words VALUES(53,'gpt-4o-mini-realtime-preview');
INSERT INTO words VALUES(54,'gpt-4o-mini-search-preview');
INSERT INTO words VALUES(55,'gpt-4o-mini-transcribe');
INSERT INTO words VALUES(56,'gpt-4o-mini-tts');
INSERT INTO words VALUES(57,'gpt-4o-realtime-preview');
INSERT INTO words VALUES(58,'gpt-4o-search-preview');
INSERT INTO words VALUES(59,'gpt-4o-transcribe');
INSERT INTO words VALUES(60,'gpt-4o-transcribe-diarize');
INSERT INTO words VALUES(61,'gpt-5');
INSERT INTO words VALUES(62,'gpt-5-chat-latest');
INSERT INTO words VALUES(63,'gpt-5-codex');
INSERT INTO words VALUES(64,'gpt-5-mini');
INSERT INTO words VALUES(65,'gpt-5-nano');
INSERT INTO words VALUES(66,'gpt-5-pro');
INSERT INTO words VALUES(67,'gpt-5-search-api');
INSERT INTO words VALUES(68,'gpt-5.1');
INSERT INTO words VALUES(69,'gpt-5.1-chat-latest');
INSERT INTO words VALUES(70,'gpt-5.1-codex');
INSERT INTO words VALUES(71,'gpt-5.1-codex-max');
INSERT INTO words VALUES(72,'gpt-5.1-codex-mini');
INSERT INTO words VALUES(73,'gpt-5.2');
INSERT INTO words VALUES(74,'gpt-5.2-chat-latest');
INSERT INTO words VALUES(75,'gpt-5.2-codex');
INSERT INTO words VALUES(76,'gpt-5.2-pro');
INSERT INTO words VALUES(77,'gpt-5.3-chat-latest');
INSERT INTO words VALUES(78,'gpt-5.3-codex');
INSERT INTO words VALUES(79,'gpt-5.4');
INSERT INTO words VALUES(80,'gpt-5.4-mini');
INSERT INTO words VALUES(81,'gpt-5.4-nano');
INSERT INTO words VALUES(82,'gpt-5.4-pro');
INSERT INTO words VALUES(83,'gpt-5.5');
INSERT INTO words VALUES(84,'gpt-5.5-pro');
INSERT INTO words VALUES(85,'gpt-5.6');
INSERT INTO words VALUES(86,'gpt-5.6-luna');
INSERT INTO words VALUES(87,'gpt-5.6-sol');
INSERT INTO words VALUES(88,'gpt-5.6-terra');
INSERT INTO words VALUES(89,'gpt-6-astra');
INSERT INTO words VALUES(90,'gpt-6-luna');
INSERT INTO words VALUES(91,'gpt-6-sol');
INSERT INTO words VALUES(92,'gpt-6.1-sol');
INSERT INTO words VALUES(93,'gpt-6.1-terra');
INSERT INTO words VALUES(94,'gpt-audio');
INSERT INTO words VALUES(95,'gpt-audio-mini');
INSERT INTO words VALUES(96,'gpt-image-1');
INSERT INTO words VALUES(97,'gpt-image-1-mini');
INSERT INTO words VALUES(98,'gpt-image-1.5');
INSERT INTO words VALUES(99,'gpt-image-2');
INSERT INTO words VALUES(100,'gpt-realtime');
INSERT INTO words VALUES(101,'gpt-realtime-1.5');
INSERT INTO words VALUES(102,'gpt-realtime-2');
INSERT INTO words VALUES(103,'gpt-realtime-2.1');
INSERT INTO words VALUES(104,'gpt-realtime-2.1-mini');
INSERT INTO words VALUES(105,'o1');
INSERT INTO words VALUES(106,'o1-pro');
INSERT INTO words VALUES(107,'o3');
INSERT INTO words VALUES(108,'o3-deep-research');
INSERT INTO words VALUES(109,'o3-mini');
INSERT INTO words VALUES(110,'o3-pro');
INSERT INTO words VALUES(111,'o4-mini');
INSERT INTO words VALUES(112,'o4-mini-deep-research');
INSERT INTO words VALUES(113,'omni-moderation');
INSERT INTO words VALUES(114,'text-embedding-3-large');
INSERT INTO words VALUES(115,'text-embedding-3-small');
INSERT INTO words VALUES(116,'text-embedding-ada-002');
INSERT INTO words VALUES(117,'text-moderation');
INSERT INTO words VALUES(118,'tts-1');
INSERT INTO words VALUES(119,'tts-1-hd');
INSERT INTO words VALUES(120,'whisper-1');
CREATE TABLE requests (
  id            INTEGER PRIMARY KEY,           -- microseconds since 1970, made unique
  account_id    INTEGER NOT NULL,
  model         INTEGER NOT NULL,
  path          INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  attempts      INTEGER NOT NULL,
  key_id        INTEGER NOT NULL,
  input         INTEGER NOT NULL,
  cached        INTEGER NOT NULL,
  output        INTEGER NOT NULL,
  cost          INTEGER NOT NULL CHECK (cost >= 0),
  list_cost     INTEGER NOT NULL,
  duration_ms   INTEGER NOT NULL,
  first_byte_ms INTEGER NOT NULL,
  flags         INTEGER NOT NULL,              -- 1: streamed, 2: estimated
  request_id    TEXT NOT NULL
) STRICT;
INSERT INTO requests VALUES(1795995086222000,1,51,2,200,1,1,17,0,8,7350,7350,4,4,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795995086227000,1,51,2,200,1,2,21,0,8,7950,7950,2,1,1,'req_fd62a689bfe3be1fde9f72a3f8c2672f');
INSERT INTO requests VALUES(1795995086247000,3,51,2,200,1,1,17,0,8,7350,7350,1,1,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795995086249000,3,51,2,200,1,2,17,0,8,7350,7350,0,0,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795995086251000,3,51,2,200,1,1,17,0,8,7350,7350,0,0,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795995086253000,3,48,2,200,1,2,16,0,8,120000,120000,0,0,0,'req_dbfa6d67e6931dac974ad66520184cbb');
CREATE TABLE days (
  account_id INTEGER NOT NULL,
  day        INTEGER NOT NULL,                 -- 20261125
  model      INTEGER NOT NULL,
  requests   INTEGER NOT NULL,
  input      INTEGER NOT NULL,
  cached     INTEGER NOT NULL,
  output     INTEGER NOT NULL,
  cost       INTEGER NOT NULL,
  PRIMARY KEY (account_id, day, model)
) STRICT, WITHOUT ROWID;
INSERT INTO days VALUES(1,20261129,51,2,38,0,16,15300);
INSERT INTO days VALUES(3,20261129,48,1,16,0,8,120000);
INSERT INTO days VALUES(3,20261129,51,3,51,0,24,22050);
CREATE TABLE forgotten (
  account_id INTEGER PRIMARY KEY,
  requests   INTEGER NOT NULL,
  cost       INTEGER NOT NULL
) STRICT;
CREATE TABLE answers (
  caller     INTEGER NOT NULL,
  key        TEXT NOT NULL,
  request    BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
INSERT INTO answers VALUES(3,'make-bobby',X'4de49d768c776b5cea6538ecd375f22f3497d18d6e4ef9d817f4a691a04764e1',X'018a060d3ac331d33d293db08e32397dde85e083d19ab5f6db2a295c5ab1a6ff21aff30bf3828f9137637f64132664dd880964bf6d7ca2b35914018ec26b5bd56da2b1c5539807fd9c49c0253afc1402b6b9f7fa5475d66ea44d89ed3752440e5b8e9842af5fcf5de764913d50dfc4432d6f27375af44eab8ce49765fac8c3160b44c51e59c4341a7b48c29b885f50793c8dfe47db352247854e08c0e200cef2676775c0eab4cab92d0747c20166c4fd8208be0bb71a3bde6fad89aaac267ce8f8f4aa1d7c57445ae14b4fa97a1290a6c8a6723d05b24988dad4d5ed182ed6f36c26b4d7b4dc14faaf00211faccb0f971b4a4e7cf7f99ce7ce637f4f10e7b7be5471a25c8e7efd5d7e344c6e130f65e8b5a59a0879c5d2aa0652c710a5f213522b7dceaa8293a80f46c08413e4ba1cb6f4eb63244112cc7b782f37978fce7b0787ec40d67759d596b326b02894abdedb8926099e6486d2b09e305d54fad5d85ce09142829b0f696a2fe8c4d06a67866ab07d03739cd25bc2dd98984392e675781ec9ffa23c9c9d8170a4bae0fb81913f45c70f45070edb36865a8f59a71439fc4b2272b8be0d117cc8ccad6f406412f3c813cc3bd2a19d4f9621c616f46784841d3466ff1a775c02999b609360da168be72309c30d8b5312f195e9b3812a57732f65a00ab6fbae659147ec768cc8fc83349849cba55eeb9cdf52c2fd020c935743f03ab5eca078f0db019cb70a5530c006b56a01e8db5c14fba0708428704546674929a27b98cb48680018695e637f1817466edb84b1ea0ed37f474af3cb34a25cf49c1b2d189951ae4a64f9e8e123e8292a5a13a51f5f9921061b3f6d619789729dd5c5c0a73a29b0e4ef603e9f76a29a7c790b0ccb2790d4c121d265e147e4ffa7fa117d8b20ea6be3a15a6c2c2cf36a8bb5ff2a6474c77188c13c9edb0aeee3e90dc94fd7c7eca95fd77990b0a40c63599170ec015ec2a990e13fcc5b48d738b34234a0e3ff0cd83b21567bca9939bf7b170f2f18d4a62e72ac6b78a8bfbf15622c3de3b7e98e307bd54b8e8c15796b8a1a6f8841ed8aca8f195d7aed262be1be065f015a12131918fa09e0329f42415172193f8fb6a8d1a566c87b975fb00ed06a375e255bb6c0a88f822610fd52b9f300ac57007903baa183418b376f2f64438ea8053dd438025e2506807dac659177a64949cb7f836a6c5113c45d4bf1a3b3d68f5786146dde6d0ae4656ece559863a4b9fda674f2d75e40b44b5e016126bf1cc23d17',1795995086232);
INSERT INTO answers VALUES(3,'make-carol',X'eb60f1c0fb8e031d7f4148238a5ad6ba00166bc5a006a6c14996f8bf62edb3e3',X'01c4d32c7a7220f920cd00d57e9d0a2890e57960db2b2b9830152fd4509b9b4a731e0e4751faea567e2b87c2b3373bbaf5d2a8ec58b4f254297e04eac30e004e543ee7f340b8b5a6551cb3045efa4eb082c3f52cad22d580e09c6c32c82a9cc36f9d4686c952a4e184adbf9eae2468d45c5ed07004c6c54a26b39861daf308663b9c97635d4881319fa66f3bd705ee7ec798a281f8a2b72e503a8fe8852c0d210ff34b1effec86787a4a6f44b99ff46fd97d6ddfa8b418312b426c697d8c980938908ad2f47b801a437339fd7efe2a75c44254cbbb793c7e43344695b73f55b518826a3950322071940e953c55319aad7e478bb1225fd4eded135a05aa0f95c7e67a852899c7e5883994eb1e2d48b5827c2769ee2e5e1941ae249ef69b13b1221bc9beb5b343e0996070e7f4c608c5159d3b5065514ae983672a8e40a9a6f4885a2bc7f97821ef08f3ccb8c633b25b17bfe5f0eece6c7e4e7a78fa194e75257e493eefabc09374c9cccfa264f7a5027ebed9c26ed42e352dd9e5e7be16f7e2f00f8323def5a5cd1fda44da321d7666acf5ba5ae2752465d98e0004968fbc0ad62ac1ea39f5aed86851588483329cd634dddb616a5b94d24dbead77ff9b65795b7c63d47eb8247b77182eb0603c0c4511b250b29cad5c6dc7975229277d3ff5c39d317ff9e34b127a37d58cb7e958d128e0fa9f16c6a74e7cc3a201e77bcfe817d31864a7530c145b71074d3dd5a06a254995751373a609fb4eb3db977b5f29c865531c25c5533a4ab30af6f5857287e649f40f3a4032e016ea189d3c82cebec698b5487b845d89d4f74b439c001fa0222de3d4c76c0982aa813a97b2dcde352be5ba013219eacccd7af90763a41249b810a0e0b317aed285f71a2d1a93293727bfbb97a6c154b4a06c13ce014e5f7fef42de4f71faa20bd59d4e67519a4de7fad083e149e5985fd50afa31b199d5b16234cf5c15b1754e3fcfe477aab2114ae97c7fdc33ad611d13dc028ee0a14aa93960dbab133b2859265d7878fa2111c1e8d379f19ced6c173a0e5b18023aabc4964acbb415899aaa856207f878020598fee3a05385cf553acf9d2382547d613a3e1d2af18404cd51a88c66a66491c5ef4afbcda03b1b9b9bf397caa2f7b6f39befc256926ed8a13c18c71b2c5af05900d65c0ba9e27bec73c6e2428a9e7e06efba98251c0001654b7e4c25c1c648ec8083f2bb12c9446358072a3715cb832c1dc1a573d313094c04ef9e81d5ebc888fcaa8b4848aa95a2',1795995086236);
INSERT INTO answers VALUES(3,'more-for-bobby',X'5398f3258fd23e610c6f1e89afbb6229193564f68b7153906f1cfe6fecd8aba4',X'01b5e4d0a2dc57acec6db2c9084f1930bf5bfb643d99448246c0f4b56b2abee01fc567a51adc3bb4ffc8f6f6d1561243e16d9acf662bf5615dd084006376e19b11c2fc973132e1d028a90fed9a9af591a0fd0c03c868671845d481251c799b5186b8daba4e06a8a5ae82b281e02f9ce641ff570e190905d78c708784eaae229d3cc3054923bd0239c6d8450a0b61dd241278f56f4133d2dc42d9c3ab31bb03ac23883050fb111d8fc8c9d1a7958778fa2c2e4549ca0e72fec8d338ea105ff7abccb23ec64c3ebb7eae6d146ab66859a39ff210af545004cb92eae9b18b0c614ed4a7b4e0b520db95ba2d7086d6249a2a0bfd708d5daaee0ceb21644f2fd97166526f9058d0cf465f574520278f70afa4c786bdb5177cfbfc3c25091041f9fbf53ff2afabc76caf75c9edb0c152e72a716e8eb79c36f9a616bde56517f9dbd0a2b7e2f3876b74e70c2e2bfe84fd6635f07f38609091a66520cf8a5447b6003a403f2d96255e8f4c1833f983871a7d2e3321579d9bea7c115e85ab24',1795995086239);
CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES('rolled up',1795995086253000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('accounts',5);
INSERT INTO sqlite_sequence VALUES('upstream_keys',2);
INSERT INTO sqlite_sequence VALUES('transfers',8);
INSERT INTO sqlite_sequence VALUES('operations',6);
INSERT INTO sqlite_sequence VALUES('cards',5);
CREATE INDEX upstream_keys_by_death ON upstream_keys (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX accounts_by_parent ON accounts (parent_id);
CREATE INDEX accounts_by_email ON accounts (email);
CREATE INDEX cards_by_account ON cards (account_id, expires_at);
CREATE INDEX cards_by_expiry ON cards (expires_at);
CREATE INDEX operations_by_actor ON operations (actor_id);
CREATE INDEX operations_by_target ON operations (target_id);
CREATE INDEX requests_by_account ON requests (account_id, id, model);
CREATE INDEX answers_by_time ON answers (at);
CREATE VIEW entries (account_id, amount) AS
  SELECT from_account, -amount FROM transfers
  UNION ALL SELECT to_account, amount FROM transfers
  UNION ALL SELECT account_id, -cost FROM days
  UNION ALL SELECT -2, cost FROM days
  UNION ALL SELECT r.account_id, -r.cost FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.id > a.rolled_to
  UNION ALL SELECT -2, r.cost FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.id > a.rolled_to;
COMMIT;
PRAGMA user_version = 2;
