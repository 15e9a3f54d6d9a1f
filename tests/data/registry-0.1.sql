BEGIN TRANSACTION;
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	step INTEGER, 
	name VARCHAR(32) NOT NULL, 
	old FLOAT, 
	value FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "changes" VALUES(1,'finished-one',150,'learning_rate',0.5,0.1);
INSERT INTO "changes" VALUES(2,'running--one',NULL,'dropout',NULL,0.2);
INSERT INTO "changes" VALUES(3,'purged---one',100,'dropout',NULL,0.5);
CREATE TABLE metrics (
	run_id VARCHAR(32) NOT NULL, 
	step INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	loss FLOAT NOT NULL, 
	accuracy FLOAT NOT NULL, 
	val_loss FLOAT, 
	val_accuracy FLOAT, 
	PRIMARY KEY (run_id, step)
);
INSERT INTO "metrics" VALUES('finished-one',100,1.0,0.01,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('finished-one',200,2.0,0.005,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('finished-one',300,3.0,3.33333333333333354728e-03,0.5,0.25,0.9);
INSERT INTO "metrics" VALUES('stopped--one',100,1.0,0.01,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('paused---one',100,1.0,0.01,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('running--one',100,1.0,0.01,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('running--one',200,2.0,0.005,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('imported-one',300,3.0,3.33333333333333354728e-03,0.5,NULL,NULL);
INSERT INTO "metrics" VALUES('purged---one',100,1.0,0.5,0.5,NULL,NULL);
CREATE TABLE runs (
	id VARCHAR(32) NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	hyperparameters JSON NOT NULL, 
	created FLOAT NOT NULL, 
	started FLOAT, 
	ended FLOAT, 
	step INTEGER NOT NULL, 
	activity TEXT NOT NULL, 
	stop_requested BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	data TEXT NOT NULL, 
	test_correct INTEGER, 
	test_total INTEGER, 
	name TEXT DEFAULT '' NOT NULL, 
	note TEXT DEFAULT '' NOT NULL, 
	deleted FLOAT, 
	pause_at INTEGER, 
	save_requested BOOLEAN DEFAULT 0 NOT NULL, 
	seconds FLOAT DEFAULT '0' NOT NULL, 
	best_step INTEGER, 
	best_val_accuracy FLOAT, 
	val_accuracy FLOAT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('finished-one','Qm9iIGlzIHRoZSB0b2tlbiBvZiBhZGE_','finished','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000000.0,1760000005.0,1760000030.0,300,'',0,'','',915,1000,'the first','two
lines; and a ''quote''',NULL,NULL,0,0.0,300,0.9,0.9,0);
INSERT INTO "runs" VALUES('stopped--one','Qm9iIGlzIHRoZSB0b2tlbiBvZiBhZGE_','stopped','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000060.0,1760000065.0,1760000090.0,100,'',0,'','',800,1000,'','',1700000000.0,NULL,0,0.0,NULL,NULL,NULL,0);
INSERT INTO "runs" VALUES('failed---one','dGhpcyBpcyB0aGUgdG9rZW4gb2YgYm9i','failed','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000120.0,1760000125.0,1760000150.0,0,'',0,'The loss became infinite.','',NULL,NULL,'','',NULL,NULL,0,0.0,NULL,NULL,NULL,0);
INSERT INTO "runs" VALUES('paused---one','dGhpcyBpcyB0aGUgdG9rZW4gb2YgYm9i','paused','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000180.0,1760000185.0,NULL,100,'',0,'','',NULL,NULL,'','',NULL,NULL,0,0.0,NULL,NULL,NULL,0);
INSERT INTO "runs" VALUES('running--one','Qm9iIGlzIHRoZSB0b2tlbiBvZiBhZGE_','running','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000240.0,1760000245.0,NULL,200,'',0,'','',NULL,NULL,'','',NULL,NULL,0,0.0,NULL,NULL,NULL,0);
INSERT INTO "runs" VALUES('queued---one','dGhpcyBpcyB0aGUgdG9rZW4gb2YgYm9i','queued','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000300.0,NULL,NULL,0,'',0,'','',NULL,NULL,'waits','',NULL,NULL,0,0.0,NULL,NULL,NULL,0);
INSERT INTO "runs" VALUES('imported-one','dGhpcyBpcyB0aGUgdG9rZW4gb2YgYm9i','finished','{"network": "softmax", "learning_rate": 0.5, "iterations": 300, "dropout": 0.0, "batch_size": 100, "optimizer": "sgd", "schedule": "constant", "augmentation": "none", "patience": 0, "seed": 7}',1760000360.0,NULL,1760000390.0,300,'',0,'','',99,100,'from elsewhere','',NULL,NULL,0,0.0,NULL,NULL,NULL,0);
CREATE TABLE trainers (
	id INTEGER NOT NULL, 
	pid INTEGER NOT NULL, 
	activity TEXT NOT NULL, 
	heartbeat FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "trainers" VALUES(1,4711,'training',1760000000.0);
CREATE INDEX ix_runs_owner ON runs (owner);
CREATE INDEX ix_runs_state ON runs (state);
CREATE INDEX ix_changes_run_id ON changes (run_id);
COMMIT;
