CREATE SCHEMA "switchyard";
--> statement-breakpoint
CREATE TABLE "switchyard"."account" (
	"key" text PRIMARY KEY NOT NULL,
	"cap" bigint,
	"posted" bigint DEFAULT 0 NOT NULL,
	"held" bigint DEFAULT 0 NOT NULL,
	"period" text DEFAULT 'total' NOT NULL,
	"period_started_at" timestamp (3) with time zone NOT NULL,
	"resets_at" timestamp (3) with time zone,
	CONSTRAINT "account_posted_not_negative" CHECK ("switchyard"."account"."posted" >= 0),
	CONSTRAINT "account_held_not_negative" CHECK ("switchyard"."account"."held" >= 0)
);
--> statement-breakpoint
CREATE TABLE "switchyard"."hold" (
	"id" uuid PRIMARY KEY NOT NULL,
	"request_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"account" text NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"amount" bigint NOT NULL,
	"state" text DEFAULT 'held' NOT NULL,
	"epoch" integer NOT NULL,
	"is_probe" boolean NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"replica" text NOT NULL,
	CONSTRAINT "hold_attempt" UNIQUE("request_id","attempt"),
	CONSTRAINT "hold_amount_not_negative" CHECK ("switchyard"."hold"."amount" >= 0)
);
--> statement-breakpoint
CREATE TABLE "switchyard"."ledger_entry" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "switchyard"."ledger_entry_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"account" text NOT NULL,
	"hold_id" uuid,
	"amount" bigint NOT NULL,
	"kind" text NOT NULL,
	"evidence" text NOT NULL,
	"overrun" bigint DEFAULT 0 NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "switchyard"."audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "switchyard"."audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL,
	"act" text NOT NULL,
	"target" text NOT NULL,
	"reason" text,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "switchyard"."breaker_event" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"epoch" integer NOT NULL,
	"from_state" text NOT NULL,
	"to_state" text NOT NULL,
	"cause" text NOT NULL,
	"fails" integer NOT NULL,
	"reopens_at" timestamp (3) with time zone,
	"detail" text,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"replica" text NOT NULL,
	CONSTRAINT "breaker_event_epoch" UNIQUE("provider","epoch")
);
--> statement-breakpoint
CREATE TABLE "switchyard"."breaker_event_counter" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"last" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "breaker_event_counter_one_row" CHECK ("switchyard"."breaker_event_counter"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "switchyard"."provider_state" (
	"provider" text PRIMARY KEY NOT NULL,
	"position" integer,
	"is_enabled" boolean DEFAULT true NOT NULL,
	"state" text DEFAULT 'closed' NOT NULL,
	"epoch" integer DEFAULT 0 NOT NULL,
	"fails" integer DEFAULT 0 NOT NULL,
	"streak_started_at" timestamp (3) with time zone,
	"opened_until" timestamp (3) with time zone,
	"opened_at" timestamp (3) with time zone,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"reopen_count" integer DEFAULT 0 NOT NULL,
	"probe_id" uuid,
	"probe_until" timestamp (3) with time zone,
	"throttled_until" timestamp (3) with time zone,
	"set_aside_until" timestamp (3) with time zone,
	"set_aside_detail" text,
	"simulation_mode" text,
	"simulation_rate" double precision,
	"simulation_ends_at" timestamp (3) with time zone,
	"simulation_failures_max" integer,
	"simulation_latency_ms" integer,
	"simulation_injected" integer
);
--> statement-breakpoint
CREATE TABLE "switchyard"."rate_slot" (
	"provider" text NOT NULL,
	"slot" integer NOT NULL,
	"free_at" timestamp (3) with time zone DEFAULT '-infinity' NOT NULL,
	CONSTRAINT "rate_slot_provider_slot_pk" PRIMARY KEY("provider","slot")
);
--> statement-breakpoint
CREATE TABLE "switchyard"."attempt" (
	"request_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"outcome" text NOT NULL,
	"http_status" integer,
	"error_message" text,
	"duration_ms" double precision NOT NULL,
	"cost" bigint NOT NULL,
	"counted_by_breaker" boolean NOT NULL,
	CONSTRAINT "attempt_request_id_number_pk" PRIMARY KEY("request_id","number")
);
--> statement-breakpoint
CREATE TABLE "switchyard"."request" (
	"id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"status" text NOT NULL,
	"door" text NOT NULL,
	"is_streamed" boolean NOT NULL,
	"account" text NOT NULL,
	"user_id" text,
	"model_requested" text NOT NULL,
	"provider" text,
	"model" text,
	"category" text NOT NULL,
	"fell_back" boolean NOT NULL,
	"input_tokens" bigint,
	"cached_input_tokens" bigint,
	"output_tokens" bigint,
	"reasoning_tokens" bigint,
	"usage_source" text,
	"cost_total" bigint NOT NULL,
	"cost_input" bigint NOT NULL,
	"cost_output" bigint NOT NULL,
	"cost_reserved" bigint NOT NULL,
	"price_list_version" text NOT NULL,
	"saved" bigint NOT NULL,
	"total_ms" double precision NOT NULL,
	"first_token_ms" double precision,
	"upstream_ms" double precision NOT NULL,
	"overhead_ms" double precision NOT NULL,
	"finish_reason" text,
	"error" jsonb,
	"decision" jsonb NOT NULL,
	"metadata" jsonb NOT NULL,
	"conversation_id" text
);
--> statement-breakpoint
ALTER TABLE "switchyard"."attempt" ADD CONSTRAINT "attempt_request_id_request_id_fk" FOREIGN KEY ("request_id") REFERENCES "switchyard"."request"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "hold_due" ON "switchyard"."hold" USING btree ("expires_at") WHERE state = 'held';--> statement-breakpoint
CREATE INDEX "hold_of_account" ON "switchyard"."hold" USING btree ("account") WHERE state = 'held';--> statement-breakpoint
CREATE INDEX "ledger_entry_of_account" ON "switchyard"."ledger_entry" USING btree ("account","id");--> statement-breakpoint
CREATE INDEX "rate_slot_free" ON "switchyard"."rate_slot" USING btree ("provider","free_at");--> statement-breakpoint
CREATE INDEX "attempt_created_at_provider" ON "switchyard"."attempt" USING btree ("created_at","provider");--> statement-breakpoint
CREATE INDEX "request_created_at" ON "switchyard"."request" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "request_cost_total" ON "switchyard"."request" USING btree ("cost_total","id");--> statement-breakpoint
CREATE INDEX "request_total_ms" ON "switchyard"."request" USING btree ("total_ms","id");--> statement-breakpoint
CREATE INDEX "request_user_id_created_at" ON "switchyard"."request" USING btree ("user_id","created_at","id");