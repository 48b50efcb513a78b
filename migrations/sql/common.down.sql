drop function record_refusal(text, text, text, bytea, jsonb, integer);
drop function claim_idempotency_key(text, text, text, integer);
drop function lock_idempotency_key(text, text, text, integer);
drop table idempotency_keys;
drop table inbox;
drop table outbox;
