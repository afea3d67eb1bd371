BEGIN TRANSACTION;
CREATE TABLE batches (
	site TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	state TEXT NOT NULL, 
	batch_id INTEGER, 
	fingerprint TEXT NOT NULL, 
	content TEXT NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	PRIMARY KEY (site, batch)
);
INSERT INTO "batches" VALUES('site','A','created',7,'1851e29da28adc68e0f3660c644c9ea2fb3005acc33b5d6420b2b3bb34189ea6','{"issues":[],"left_out":[],"masters":[["Customer",{"address":{"city":"","country":"","line1":"","line2":"","name":"","state":"","zip":""},"balance":"0","credit_limit":"0","credit_status":"no_limit","customer_id":"ACME","due_days":0,"email":"","inactive":false,"name":"Acme","phone":"","sales_account_id":"","tax_code":"","terms":""}]],"transactions":[{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[10,11],"key":"invoice:1","kind":"invoice","number":"1","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"},{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[20,21],"key":"invoice:2","kind":"invoice","number":"2","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"}]}','2026-11-24T21:54:21.278+00:00','tester');
INSERT INTO "batches" VALUES('site','B','planned',NULL,'4075481384f89746b6e2182e15adb27292b2047ae8a5cc4a8146d1438b4d1bdb','{"issues":[],"left_out":[],"masters":[["Customer",{"address":{"city":"","country":"","line1":"","line2":"","name":"","state":"","zip":""},"balance":"0","credit_limit":"0","credit_status":"no_limit","customer_id":"ACME","due_days":0,"email":"","inactive":false,"name":"Acme","phone":"","sales_account_id":"","tax_code":"","terms":""}]],"transactions":[{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[20,21],"key":"invoice:2","kind":"invoice","number":"2","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"},{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[30,31],"key":"invoice:3","kind":"invoice","number":"3","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"}]}','2026-11-24T21:54:21.294+00:00','tester');
CREATE TABLE documents (
	site TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	place TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (site, batch, "key", generation, part)
);
INSERT INTO "documents" VALUES('site','A','invoice:1',1,1,0,'posted','6dbb6153c1dbc627129d95c4e5291be333fdbc267b063af635537c80078c4151','S-1','','{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[10],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[10,11],"generation":1,"key":"invoice:1","memo":"","number":"1","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"1","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:1"],"type":"sales_invoice","waiting_on_bill":false}');
INSERT INTO "documents" VALUES('site','A','invoice:2',1,1,1,'refused','d7b364ebd048a6bc62d6a4345e116aa59d2f0a5a3076d755e6600643dc979acc','','on hold','{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[20],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[20,21],"generation":1,"key":"invoice:2","memo":"","number":"2","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"2","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:2"],"type":"sales_invoice","waiting_on_bill":false}');
INSERT INTO "documents" VALUES('site','B','invoice:2',1,1,0,'sending','d7b364ebd048a6bc62d6a4345e116aa59d2f0a5a3076d755e6600643dc979acc','','','{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[20],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[20,21],"generation":1,"key":"invoice:2","memo":"","number":"2","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"2","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:2"],"type":"sales_invoice","waiting_on_bill":false}');
INSERT INTO "documents" VALUES('site','B','invoice:3',1,1,1,'planned','39e2c30d5379956769b7e5dfdd3c33a94cc57304a1de51a7eb88a92a92da2d98','','','{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[30],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[30,31],"generation":1,"key":"invoice:3","memo":"","number":"3","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"3","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:3"],"type":"sales_invoice","waiting_on_bill":false}');
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	run TEXT NOT NULL, 
	site TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	prev_hash TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'2026-11-24T21:54:21.278+00:00','tester','b33cc11af704','site','A','',0,0,'plan','{"fingerprint":"1851e29da28adc68e0f3660c644c9ea2fb3005acc33b5d6420b2b3bb34189ea6","issues":[],"left_out":[],"masters":[["Customer",{"address":{"city":"","country":"","line1":"","line2":"","name":"","state":"","zip":""},"balance":"0","credit_limit":"0","credit_status":"no_limit","customer_id":"ACME","due_days":0,"email":"","inactive":false,"name":"Acme","phone":"","sales_account_id":"","tax_code":"","terms":""}]],"state":"planned","transactions":[{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[10,11],"key":"invoice:1","kind":"invoice","number":"1","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"},{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[20,21],"key":"invoice:2","kind":"invoice","number":"2","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"}]}','','d2ca703a712acf5c389902db28fd8a05fcbeb9a752906be1c77dcf497f9fff73');
INSERT INTO "events" VALUES(2,'2026-11-24T21:54:21.280+00:00','tester','b33cc11af704','site','A','invoice:1',1,1,'planned','{"document":{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[10],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[10,11],"generation":1,"key":"invoice:1","memo":"","number":"1","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"1","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:1"],"type":"sales_invoice","waiting_on_bill":false},"fingerprint":"6dbb6153c1dbc627129d95c4e5291be333fdbc267b063af635537c80078c4151"}','d2ca703a712acf5c389902db28fd8a05fcbeb9a752906be1c77dcf497f9fff73','236dd1d7034d879eab1c4546ce6dd49ff579efceca69fa7ab7deef70e84d231f');
INSERT INTO "events" VALUES(3,'2026-11-24T21:54:21.280+00:00','tester','b33cc11af704','site','A','invoice:2',1,1,'planned','{"document":{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[20],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[20,21],"generation":1,"key":"invoice:2","memo":"","number":"2","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"2","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:2"],"type":"sales_invoice","waiting_on_bill":false},"fingerprint":"d7b364ebd048a6bc62d6a4345e116aa59d2f0a5a3076d755e6600643dc979acc"}','236dd1d7034d879eab1c4546ce6dd49ff579efceca69fa7ab7deef70e84d231f','d5c7a37d0c8ddd534f60714e8d44b64a3cf9eec113089029fead785859e1eb67');
INSERT INTO "events" VALUES(4,'2026-11-24T21:54:21.282+00:00','tester','b33cc11af704','site','A','customer:ACME',0,0,'master_creating','{}','d5c7a37d0c8ddd534f60714e8d44b64a3cf9eec113089029fead785859e1eb67','45520096e0c595cc4f2ee8baeef5926531190a20bf284176ef35b4119b4a493f');
INSERT INTO "events" VALUES(5,'2026-11-24T21:54:21.282+00:00','tester','b33cc11af704','site','A','customer:ACME',0,0,'master_created','{"place":"ACME"}','45520096e0c595cc4f2ee8baeef5926531190a20bf284176ef35b4119b4a493f','47913e3cd5e3407d7c84f0bcc76f3ce363a996e85164400ba6cabbe9e20a9aa1');
INSERT INTO "events" VALUES(6,'2026-11-24T21:54:21.283+00:00','tester','b33cc11af704','site','A','invoice:1',1,1,'sending','{}','47913e3cd5e3407d7c84f0bcc76f3ce363a996e85164400ba6cabbe9e20a9aa1','6a89bb24dcd39adbe669da216c0980f334a1d75537b4fca12c9c95a29ad77f20');
INSERT INTO "events" VALUES(7,'2026-11-24T21:54:21.284+00:00','tester','b33cc11af704','site','A','invoice:1',1,1,'posted','{"issues":[],"place":"S-1","warnings":[]}','6a89bb24dcd39adbe669da216c0980f334a1d75537b4fca12c9c95a29ad77f20','04ee5a560a83ab7cff4b0a1ac8c4532147eb8d96a198ce15b38a46ec89fb928c');
INSERT INTO "events" VALUES(8,'2026-11-24T21:54:21.285+00:00','tester','b33cc11af704','site','A','invoice:2',1,1,'sending','{}','04ee5a560a83ab7cff4b0a1ac8c4532147eb8d96a198ce15b38a46ec89fb928c','f394b012a3765584ae62583e9e186e0a455054179991dad9d3291631650e2c8e');
INSERT INTO "events" VALUES(9,'2026-11-24T21:54:21.286+00:00','tester','b33cc11af704','site','A','invoice:2',1,1,'refused','{"reason":"on hold"}','f394b012a3765584ae62583e9e186e0a455054179991dad9d3291631650e2c8e','42b0638e89124d924a7d89251180d9bd2cea9a6c282ca75ff4519dd6af668867');
INSERT INTO "events" VALUES(10,'2026-11-24T21:54:21.287+00:00','tester','b33cc11af704','site','A','',0,0,'batch_creating','{"keys":["invoice:1"]}','42b0638e89124d924a7d89251180d9bd2cea9a6c282ca75ff4519dd6af668867','dc7df4f18773468320b012e40c895a43fedafc08ae5241cf694bdaa6e772911e');
INSERT INTO "events" VALUES(11,'2026-11-24T21:54:21.288+00:00','tester','b33cc11af704','site','A','',0,0,'batch_created','{"batch_id":7,"issues":[]}','dc7df4f18773468320b012e40c895a43fedafc08ae5241cf694bdaa6e772911e','b103bd40221a1358708a6dc04b0dee9606fd4998110c7bbc7248a1227dc9a3e4');
INSERT INTO "events" VALUES(12,'2026-11-24T21:54:21.289+00:00','tester','b33cc11af704','site','B','',0,0,'plan','{"fingerprint":"a75499962723bd772550ce3de4aa3437e6c9a865996d4c86017dc001df20077d","issues":[],"left_out":[],"masters":[["Customer",{"address":{"city":"","country":"","line1":"","line2":"","name":"","state":"","zip":""},"balance":"0","credit_limit":"0","credit_status":"no_limit","customer_id":"ACME","due_days":0,"email":"","inactive":false,"name":"Acme","phone":"","sales_account_id":"","tax_code":"","terms":""}]],"state":"planned","transactions":[{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[20,21],"key":"invoice:2","kind":"invoice","number":"2","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"}]}','b103bd40221a1358708a6dc04b0dee9606fd4998110c7bbc7248a1227dc9a3e4','fc84e45562389404ee3c53e9f68092a92cfcaf02c7e9e8986d55e3ec09c05e0e');
INSERT INTO "events" VALUES(13,'2026-11-24T21:54:21.289+00:00','tester','b33cc11af704','site','B','invoice:2',1,1,'planned','{"document":{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[20],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[20,21],"generation":1,"key":"invoice:2","memo":"","number":"2","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"2","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:2"],"type":"sales_invoice","waiting_on_bill":false},"fingerprint":"d7b364ebd048a6bc62d6a4345e116aa59d2f0a5a3076d755e6600643dc979acc"}','fc84e45562389404ee3c53e9f68092a92cfcaf02c7e9e8986d55e3ec09c05e0e','ef4ab4a5dddd94d4d293eb8b05f7e3786122fca90e1c1260ab20ca35e78bc463');
INSERT INTO "events" VALUES(14,'2026-11-24T21:54:21.292+00:00','tester','b33cc11af704','site','B','',0,0,'released','{}','ef4ab4a5dddd94d4d293eb8b05f7e3786122fca90e1c1260ab20ca35e78bc463','f18869f6db85f07d4b9d7091c1e4b0d39706d5febd8a1d10a3ece6bd248931f6');
INSERT INTO "events" VALUES(15,'2026-11-24T21:54:21.294+00:00','tester','b33cc11af704','site','B','',0,0,'plan','{"fingerprint":"4075481384f89746b6e2182e15adb27292b2047ae8a5cc4a8146d1438b4d1bdb","issues":[],"left_out":[],"masters":[["Customer",{"address":{"city":"","country":"","line1":"","line2":"","name":"","state":"","zip":""},"balance":"0","credit_limit":"0","credit_status":"no_limit","customer_id":"ACME","due_days":0,"email":"","inactive":false,"name":"Acme","phone":"","sales_account_id":"","tax_code":"","terms":""}]],"state":"planned","transactions":[{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[20,21],"key":"invoice:2","kind":"invoice","number":"2","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"},{"date":"2026-10-05","description":"","disposition":"post","entry_ids":[30,31],"key":"invoice:3","kind":"invoice","number":"3","party":"Acme","party_id":"ACME","reason":"","total":"10","type":"Standard"}]}','f18869f6db85f07d4b9d7091c1e4b0d39706d5febd8a1d10a3ece6bd248931f6','3fce308e26d9d97e7d76c7ef0690dfd5f6f3f59c84175abd588845b9d458c6e2');
INSERT INTO "events" VALUES(16,'2026-11-24T21:54:21.295+00:00','tester','b33cc11af704','site','B','invoice:2',1,1,'planned','{"document":{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[20],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[20,21],"generation":1,"key":"invoice:2","memo":"","number":"2","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"2","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:2"],"type":"sales_invoice","waiting_on_bill":false},"fingerprint":"d7b364ebd048a6bc62d6a4345e116aa59d2f0a5a3076d755e6600643dc979acc"}','3fce308e26d9d97e7d76c7ef0690dfd5f6f3f59c84175abd588845b9d458c6e2','c4b57dea0ac1a293e7ac35237b90cdbb385898f55366f846b0b23410df89bb52');
INSERT INTO "events" VALUES(17,'2026-11-24T21:54:21.295+00:00','tester','b33cc11af704','site','B','invoice:3',1,1,'planned','{"document":{"control_account_id":"1100","control_amount":"10","distributions":[{"account_id":"4000","amount":"-10","cost":"0","description":"","entry_ids":[30],"item_class":"","item_id":"","quantity":"0","role":"line","tax_agency_id":"","taxable":false,"unit_price":"0"}],"document_date":"2026-10-05","due_date":null,"entry_ids":[30,31],"generation":1,"key":"invoice:3","memo":"","number":"3","part":1,"party_id":"ACME","party_name":"","posting_date":"2026-10-05","purchase_order":"","reference":"3","ship_to":null,"source_total":"0","tax_code":"","terms":"","transactions":["invoice:3"],"type":"sales_invoice","waiting_on_bill":false},"fingerprint":"39e2c30d5379956769b7e5dfdd3c33a94cc57304a1de51a7eb88a92a92da2d98"}','c4b57dea0ac1a293e7ac35237b90cdbb385898f55366f846b0b23410df89bb52','20c12e66449f303279cc7213f8e3564424fe89df2b4a9f4fd79387ec47fdcf2f');
INSERT INTO "events" VALUES(18,'2026-11-24T21:54:21.296+00:00','tester','b33cc11af704','site','B','invoice:2',1,1,'sending','{}','20c12e66449f303279cc7213f8e3564424fe89df2b4a9f4fd79387ec47fdcf2f','718956b45e6e60f738b4e6e6a26193aaa54a654f7bee4d7d4d7a2a45b3acbd97');
CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('log_id','8ad158ea470d4bce9370adb05abee9e4');
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('events','18');
CREATE TABLE transactions (
	site TEXT NOT NULL, 
	"transaction" TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	PRIMARY KEY (site, "transaction", generation, part)
);
INSERT INTO "transactions" VALUES('site','invoice:1',1,1,'invoice:1','A');
INSERT INTO "transactions" VALUES('site','invoice:2',1,1,'invoice:2','B');
INSERT INTO "transactions" VALUES('site','invoice:3',1,1,'invoice:3','B');
COMMIT;
