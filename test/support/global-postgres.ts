import type { TestProject } from 'vitest/node';
import { startTestServer } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The superuser's URL of the run's PostgreSQL server: `createDatabase(inject('postgresUrl'))`. */
    readonly postgresUrl: string;
  }
}

/** Vitest's globalSetup: one server for the whole run, started once and gone with it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  project.provide('postgresUrl', server.url);
  return () => Promise.resolve(server[Symbol.asyncDispose]());
}
