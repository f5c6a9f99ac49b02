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
, rpm INTEGER NOT NULL DEFAULT 0, tpm INTEGER NOT NULL DEFAULT 0, concurrency INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO upstream_keys VALUES(1,X'2398943b14b6fa7121e8682f85ebbfc8d7676eca7301728e8c41456c18f72a7b',X'01f505be52158d47dd9ef863498f2a11267c13b6f6fecf801d9eda6650bad0b18055a321190fc2e4c6e613dd868b53eaf3f00949bc575ea5248624','0001','','',0,1,1,'{"failures":0,"last_used":1795989418054,"limits":[],"reason":"","requests":3,"since":0,"state":"active","until":null}',1795989417292,NULL,0,0,0);
INSERT INTO upstream_keys VALUES(2,X'5be8d4df07c32b1e1295a510ef2d60d8c2ad6669822ad01f2cf7b7e34f5d893d',X'01f50cff40e7fb6f23f2043a9360b936bb40f7b5ad0b77970f80ca1b1f23d2c8b3e6af1f2daccd490cefb4e8b8afa2b082a0d4d1779d069550850c','0002','the second','',3,1,1,'{"failures":0,"last_used":1795989418082,"limits":[],"reason":"","requests":3,"since":0,"state":"active","until":null}',1795989417292,NULL,0,0,0);
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
INSERT INTO accounts VALUES(1,0,0,'.1.','root','','root@example.com','',X'4ccdcb92bc5e37989512a7df5fb3cefaa20bd68df9d6b6bfaa88eb58a62204c9','Xm0Pg4Sa8Ue2Iw7Oq1Nx',1,1,1000000000,0,0,0,0,0,0,0,0,0,1000000,2,'','','','',0,1795989417280,1795989417948,0,0,15300,2,202611,15300,1795989417930000);
INSERT INTO accounts VALUES(2,1,1,'.1.2.','early','','early@example.com','',X'b9b4cabca9293b6509d4a7fb477dd7098ee963233c1cd1c52460e0359efe8af6','zLDIYYPRwe2rkiRzZaS7',0,1,1000000000,0,0,0,0,0,0,0,0,0,1000,0,'','','','',0,1795989417280,1795989417280,0,0,0,0,0,0,0);
INSERT INTO accounts VALUES(3,1,1,'.1.3.','alice','','alice@example.com','',X'468b663755df5ff3ed1d2d4f42273255b97d8e46bde3678ec862c85ed450ad09','jVdranlTYsfBrMtNnWL1',0,1,1000000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,1,'','','','',0,1795989417948,1795989418118,0,50000000000,142050,4,202611,142050,1795989418086000);
INSERT INTO accounts VALUES(4,3,2,'.1.3.4.','bobby','','bobby@example.com','',X'98d192db2bd06f288aeeb12cd997aca4abd5d9a5cedd37785d8eeac2d758fba4','YQ7LWNmsS8wQuiUieltq',0,1,1250000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,0,'','','','',0,1795989417954,1795989418008,0,6500000000,0,0,0,0,0);
INSERT INTO accounts VALUES(5,3,2,'.1.3.5.',NULL,'',NULL,'',NULL,'wZ9rPvjp3W87HLqS3PNV',0,0,1000000000,100000000000,80000000000,0,0,0,0,0,0,0,1000,0,'','','','',0,1795989417963,1795989418015,0,4000000000,0,0,0,0,0);
CREATE TABLE cards (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  amount     INTEGER NOT NULL,
  balance    INTEGER NOT NULL,
  granted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  reference  TEXT NOT NULL
) STRICT;
INSERT INTO cards VALUES(1,3,50000000000,39500000000,1795989417948,1821909417948,'granted by root');
INSERT INTO cards VALUES(2,4,6250000000,6250000000,1795989417954,1827525417954,'granted by alice');
INSERT INTO cards VALUES(4,4,1875000000,1875000000,1795989417976,1827525417976,'granted by alice');
INSERT INTO cards VALUES(5,3,3800000000,3799857950,1795989418015,1811541418015,'refund of carol');
CREATE TABLE operations (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  actor_id  INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  action    TEXT NOT NULL,
  details   TEXT NOT NULL                      -- JSON
) STRICT;
INSERT INTO operations VALUES(1,1795989417948,1,3,'add','{"Name":"alice","Email":"alice@example.com","CreditGranted":50.0,"Days":300.0}');
INSERT INTO operations VALUES(2,1795989417954,3,4,'add','{"Name":"bobby","Email":"bobby@example.com","CreditGranted":5.0}');
INSERT INTO operations VALUES(3,1795989417963,3,5,'add','{"Name":"carol","Email":"carol@example.com","CreditGranted":4.0}');
INSERT INTO operations VALUES(4,1795989417976,3,4,'update','{"CreditGranted":1.5}');
INSERT INTO operations VALUES(5,1795989418008,3,4,'update','{"Rates":1.25}');
INSERT INTO operations VALUES(6,1795989418015,3,5,'delete','{}');
CREATE TABLE transfers (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  from_account INTEGER NOT NULL,
  to_account   INTEGER NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  operation    INTEGER NOT NULL
) STRICT;
INSERT INTO transfers VALUES(1,1795989417948,'issue',-1,1,15300,0);
INSERT INTO transfers VALUES(2,1795989417948,'grant',-1,3,50000000000,1);
INSERT INTO transfers VALUES(3,1795989417954,'grant',3,4,5000000000,2);
INSERT INTO transfers VALUES(4,1795989417963,'grant',3,5,4000000000,3);
INSERT INTO transfers VALUES(5,1795989417976,'grant',3,4,1500000000,4);
INSERT INTO transfers VALUES(6,1795989418008,'rate_change',-5,4,1625000000,5);
INSERT INTO transfers VALUES(7,1795989418015,'fee',5,-3,200000000,6);
INSERT INTO transfers VALUES(8,1795989418015,'refund',5,3,3800000000,6);
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
INSERT INTO requests VALUES(1795989417920000,1,51,2,200,1,1,17,0,8,7350,7350,2,2,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795989417930000,1,51,2,200,1,2,21,0,8,7950,7950,0,0,1,'req_fd62a689bfe3be1fde9f72a3f8c2672f');
INSERT INTO requests VALUES(1795989418029000,3,51,2,200,1,1,17,0,8,7350,7350,0,0,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795989418042000,3,51,2,200,1,2,17,0,8,7350,7350,0,0,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795989418062000,3,51,2,200,1,1,17,0,8,7350,7350,9,8,0,'req_1ad8e9595ced9a54550de3c2585dfd3b');
INSERT INTO requests VALUES(1795989418086000,3,48,2,200,1,2,16,0,8,120000,120000,4,4,0,'req_dbfa6d67e6931dac974ad66520184cbb');
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
INSERT INTO answers VALUES(3,'make-bobby',X'4de49d768c776b5cea6538ecd375f22f3497d18d6e4ef9d817f4a691a04764e1',X'01e76204183d9ac741bc73f6a79ace852f9b54c36481c86b2a0c7b70cbf0eeeac9a6e03dc7be9d0b4ba0058bdd5bc103409d5c65a7da409bc8e7db2c58835ed594dd4cc89b537439d19a0725e3d77bb1bac41bc4729f93e7d572b10bf08b38b1ac32def7f51af04851cc5f194b6249cb173422f7d539985b9b8254ff45c6e7ac1ce9f872394ab2d331caeacbc720207b1e6d4694140bae29087a887b3572ae535d0e62259528ce83792eb83b433cbefd5eaac547ac44c555f7b74f8fb68ecb4821c08ce8d3d741cfda04116d84db203dbbcbb28ec7d7acd72fa973253416296a690a6d50c39f243b2f7a1c6915ec669048cc2b35e6f8a5a8e5f77492f58e09813e17661cd5cd12dba8603a6a03e7042b04f8f01cb4a364719f976bd4b9e3de39635f95c955e260430d72f2bd7ac1d136680f12c5ddaa2abd0d8aac3f46f363e963c1aef33ce262fb6e4bfd0fd32d4aa9404f2d8bbe4f023c7f08c5d90e0d1ce17b504fac81d4499015a28e5505e18f615a8be7d4ab3c7b1dc37c0b94ce2b9216b089f609cb05a9329dc4e5720f95afedc73aff9391786e3726a1253954aef58cb427d88c30fc58c8a3f766b7c9c7cf571bdb17b41fb1f7b57250ea2cc283039dd538e3e3909663629f17a4bb9fe207ad3e93bb065cc693ff41a20c0fb4bf153200b5036b0b2f3c35d5434d3a846f9047c65abc5e3da6ad773253e1a66c757013fa8e3fb28dbf4826416828a99e0d8813e651efa323e5ca48f811f662e674218b9ae5099b6bd05a56b93e7a5fe09e607a78c74603deb5a50cd280fc0fa2e96d2192128f575c813c96cc9b5a603385897a94ce29d1b6af8cfaf75171e232bcb3e14b68c8236a08fbd54b5bdd3ad8ad74e2a0e47a82cfd8dbcf4a9f3e1da001edf993384c1ffd082ed4b310d894c97baa66e956a8e57da1277d84a09990960b81679d6bedeff130ed0a339e36e88be076fb6d65ef27b2b9c44dbd55b5e67db78b6aff54450c50810e2b107a9ee73a565ba7ca5d1ed046cd5ab604a675611a7282d87495e5bc40e44f6b717be6d564441501c5a0717ab10642b09531451479f170db21d77bba787cc53a6d4c2fb817b8134c12454d81fbab26e0e261ae1faaac97d1c6bb6a8a84963c68fb835f98ccaa4ea9ff60b5f30ceaad76f9fcf312e1a0343a78d6829f84b5657ed014fc83069f11ae82d01966619a8f993e4daea1c71eb23ac0007fa670b0db82a76762ca968eada4e3a6d034bf7cbcbd164f6cbe47b37fc19ad9aa2cd654',1795989417954);
INSERT INTO answers VALUES(3,'make-carol',X'eb60f1c0fb8e031d7f4148238a5ad6ba00166bc5a006a6c14996f8bf62edb3e3',X'012070e1118edf73b94b8b033ba632770f8b19d0de6e093c647c3cf7a4b5931a52cd38c25fafffd50750916eb4883e951ae02f84cd39fe215c76cba2f97a880185a58c9bf6ec0ba5e3686dd202cd6d2fcccb6c1a4bbacf2b3c89582f76d256f00017584d4bfaa3c3b3a09315c58dc583d29d05af0ab1aa5ed60924748ac6c69cdea9c038c1a397edca789ff465741f31e380f0410fbd732be7f4a43a30a6557deeb9bf4de85e0fa6a11526d06f90d6fd9b08c52f247da564a4d16e99f32983b7e254aec7ef9b167c47f342f07556aa29e5ff24da59e401d88bf53d24a90fb249d2151a38520d2548f75315beeecd09edd89873ea4947e06bf3f2a752a8d803aec7b2d60fa4f8346a85ae791199af0d72e95f8330b977673a5857d7790598c97ac4fc5104492b958dd3a22953086532b939fe383a7988c3e067388cfc9cb89bd8cc128fb90e2390dcdd2f4f20f696b61369117d0e2dfeff8f4eb53bf5069d8e18302a486399c49ff5e589aacd9b8461d7cdf0968c60820a8efbd812a5546549b7dfd5fd710c73c0843124db6ccef395e7c2f6c429d2f16d81f3217bcd08936d3191509fd78ca12d5a7fd9928b93ebcf9e9baa463fce97f23b47aa10cbb63a618f9cc21afe814ed27798562d2b7239c72aa6444946bdcac856f91e0c7d25b6971fc070c5d160188e26f4dfcace4566ce02d5696fb6c21a94e486eb468edd7eb62a6413f3e8c52db7d9b1f2c3192fd709cf58f74b496ac55e534050ee129d5741ae17d6623f3f25b94af7c48f73c9b1bbd56b512ec679ae72390420689298e6b7608cc57f12d17cf4b2d6134fa7fc78d271d78392f755f0b6a1e7907a9d40472719006b502717e7c7c5233219afad01e632136f0f8ac8d17099eb499f255dc3b38a92155f671c629678eb1507722cc9695e347403d05cf389120977026b75f0bf03866fcb9a8ab5f3b4c8cb6b26188e04284cde190169d316e1cfab3c3e3b3135b2e3ebb110014826fda518fb115671b4bdb6890ae66249312874d7c9a6c25b0bbc771cbf9f1ad22c11a4679f3d19b4092935316e6c729876228a9fecbc3a1963ffa171bc1968867f5af3dfa47d7357b3dba26dfe3344025c40cfc1c237ae5cbfb195de9e3cee3295d6eb3704513718cff968e87ddfba77defbda9350ffdfb64cc1093044ff14b2817617f5152412e81f4523c04145620cbccc36b5c353a09f9bd83035c09bfbe052bf86f7615d78ede153d9653bb4baf46b6e22a25f2350441b06486a5b4dc815',1795989417963);
INSERT INTO answers VALUES(3,'more-for-bobby',X'5398f3258fd23e610c6f1e89afbb6229193564f68b7153906f1cfe6fecd8aba4',X'0153147cff79092f59f80f355ccd5a2d64ae81b275a4454b6d69dd6c7268578e5484e7ad07e0c2ef76833e9c7940dac2413d03505b7d48b59f5690159f979395a0a6aa8a942fbc6011e3574bc1e6342dfd2e2ecba05205d42a54e6ef8f866752c379d413b1d7e9398120d9b12d0e715220b17c1138eae6a1d684cd046c515555924a390ed10cccb64e31572f7f053b5c54daacc9bf51686731d310ed1229da2cf9bcee206b0200428640899cc23e5a40669bea730c3ad39d485683dc70d7c338231be50fa2199f19dec6e1a04eb815827dd9f5f2e8f24e78328d5b1bf5e1b5786bd5cb725cb8b66a3416e26f144740f3fff6ed371c322b68dbbf3fb64caaa416c44683c67e163a7b57877c14135911b0dee498046561ee8b2ecbc259434e9e2e89e8e5ccb6a44af2cb7484b745924d0a802c253d8936dcb56d5bf4066397eb08ea9133d20bf9056a6dd7b370cbad78de06277606cfb6d1673dc582b3b04bbadad5b80e5aaa3c7e2b41675e6659ab6a81043478a97c360f9a9d34ee',1795989417976);
CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES('rolled up',1795989418086000);
CREATE TABLE objects (
  id      TEXT PRIMARY KEY,
  kind    INTEGER NOT NULL,
  owner   TEXT NOT NULL,                       -- dna of the account
  key_id  INTEGER NOT NULL,
  made    INTEGER NOT NULL,                    -- microseconds since 1970, made unique
  used_on INTEGER NOT NULL,                    -- day since 1970
  bytes   INTEGER NOT NULL,                    -- of text in a batch's file, as the next two
  output  INTEGER NOT NULL,                    -- tokens
  model   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pending_bills (
  id         TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL,
  key_id     INTEGER NOT NULL,
  path       TEXT NOT NULL,
  endpoint   TEXT NOT NULL,
  model      TEXT NOT NULL,
  tier       TEXT NOT NULL,
  reserved   INTEGER NOT NULL,
  input      INTEGER NOT NULL,
  output     INTEGER NOT NULL,
  made       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE config (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE account_requests (
  account_id INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  model      INTEGER NOT NULL,
  PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO account_requests VALUES(1,1795989417920000,51);
INSERT INTO account_requests VALUES(1,1795989417930000,51);
INSERT INTO account_requests VALUES(3,1795989418029000,51);
INSERT INTO account_requests VALUES(3,1795989418042000,51);
INSERT INTO account_requests VALUES(3,1795989418062000,51);
INSERT INTO account_requests VALUES(3,1795989418086000,48);
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
CREATE INDEX answers_by_time ON answers (at);
CREATE INDEX objects_by_owner ON objects (owner, kind, made) WHERE kind < 16;
CREATE VIEW entries (account_id, amount) AS
  WITH late AS (SELECT r.account_id, r.cost FROM requests r CROSS JOIN accounts a ON a.id = r.account_id
    WHERE r.id > COALESCE((SELECT value FROM marks WHERE name = 'rolled up'), 0) AND r.id > a.rolled_to)
  SELECT from_account, -amount FROM transfers
  UNION ALL SELECT to_account, amount FROM transfers
  UNION ALL SELECT account_id, -cost FROM days
  UNION ALL SELECT -2, cost FROM days
  UNION ALL SELECT account_id, -cost FROM late
  UNION ALL SELECT -2, cost FROM late;
COMMIT;
PRAGMA user_version = 3;
