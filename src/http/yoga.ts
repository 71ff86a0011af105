import { GraphQLError } from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import { makeDocuments } from '../graphql/documents.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import { schema } from '../graphql/schema.ts';
import type { Log } from '../ports/log.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadGate } from './load-gate.ts';
import { isMeantForCaller } from './mask.ts';
import type { Operation } from './operation.ts';
import { operationPlugin } from './operation-plugin.ts';
import { persistedPlugin } from './persisted-plugin.ts';
import { requestPlugin } from './request-plugin.ts';
import { rulesPlugin } from './rules-plugin.ts';
import type { SubscriberMeter } from './subscribers.ts';

export const GRAPHQL_PATH = '/graphql';

/** A fragment never leaves a browser, so that no address ends like this. */
const NEVER = '#never';

export type GraphqlServer = YogaServerInstance<Operation, object>;

/**
 * GraphQL over HTTP and server-sent events; the WebSocket door uses the same stages. What this service does by itself is switched
 * off: body limits, pages, cross-origin answers, uploads and batches.
 */
export function makeGraphqlServer(deps: {
  readonly log: Log;
  readonly inFlight: InFlight;
  readonly gate: LoadGate;
  readonly meters: SubscriberMeter;
  readonly persisted: () => PersistedDocuments;
}): GraphqlServer {
  return createYoga<Operation, object>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    healthCheckEndpoint: NEVER,
    plugins: [rulesPlugin(makeDocuments()), requestPlugin(), persistedPlugin(deps.persisted), operationPlugin(deps)],
    logging: yogaLogger(deps.log),
    maskedErrors: { errorMessage: 'Unexpected error.', maskError: maskOutsideOfExecution },
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    maxRequestBodySize: false,
    // Its own remembers documents of any length.
    parserAndValidationCache: false,
    extraParamNames: ['documentId'],
  });
}

/** Execution masks its own errors; this is for what breaks around it. */
function maskOutsideOfExecution(error: unknown, message: string): Error {
  return error instanceof GraphQLError && isMeantForCaller(error)
    ? error
    : new GraphQLError(message, { extensions: { code: 'INTERNAL', http: { status: 500, spec: false } } });
}

function yogaLogger(log: Log) {
  /** Yoga tells of one error several times. */
  const told = new WeakSet<object>();
  return {
    debug() {},
    info() {},
    warn(...words: unknown[]) {
      log.warn(words.map(String).join(' '));
    },
    error(...words: unknown[]) {
      for (const word of words) {
        if (typeof word === 'object' && word !== null) {
          if (told.has(word)) continue;
          told.add(word);
        }
        log.error('unexpected error around an operation', {
          error: String(word),
          stack: word instanceof Error ? word.stack : undefined,
        });
      }
    },
  };
}
