CREATE TABLE "switchyard"."request_content" (
	"request_id" uuid PRIMARY KEY NOT NULL,
	"account" text NOT NULL,
	"prompt_text" text NOT NULL,
	"answer_text" text,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "request_content_expires_at" ON "switchyard"."request_content" USING btree ("expires_at");