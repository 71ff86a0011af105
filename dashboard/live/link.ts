import { createClient, type SubscribePayload } from 'graphql-ws';
import type { PageDocument } from '../documents.generated.ts';
import type { Fault } from '../model/room-state.ts';

/** A gateway that does not answer a ping within `pongMs` is gone. */
const LIMITS = { pingEveryMs: 2_000, pongMs: 5_000, acknowledgeMs: 10_000 } as const;

/** One connection to the gateway, for everything. */
export interface Link {
  /** Runs an operation. Answers how to stop it; then nothing of it is told any more. */
  run<Data, Variables extends Sent>(
    document: PageDocument<Data, Variables>,
    variables: Variables,
    taker: Taker<Data>,
  ): () => void;
  close(): void;
}

/** Variables of an operation. */
export type Sent = Readonly<Record<string, unknown>>;

/** Who is told what comes of an operation. */
export interface Taker<Data> {
  data(data: Data): void;
  /** It failed, or one of its results did. */
  failed(fault: Fault): void;
  /** Nothing more comes, and the connection is still there. */
  ended(): void;
  /** The connection is gone: nobody knows what becomes of it. */
  lost?(): void;
}

export interface LinkEvents {
  opened(): void;
  /** A ping came back. */
  answered(roundTripMs: number): void;
  closed(code: number): void;
}

/** `authorization` null: nobody in particular comes. */
export type OpenLink = (authorization: string | null, events: LinkEvents) => Link;

interface LinkDeps {
  readonly url: string;
  readonly webSocket: unknown;
  now(): number;
  after(ms: number, act: () => void): () => void;
}

/** Links over WebSocket, by graphql-transport-ws. A link that is lost stays lost: whoever keeps it opens another. */
export function makeOpenLink(deps: LinkDeps): OpenLink {
  return (authorization, events) => {
    let pingAtMs = 0;
    let giveUp = () => {};
    const client = createClient({
      url: deps.url,
      webSocketImpl: deps.webSocket,
      lazy: false,
      retryAttempts: 0,
      keepAlive: LIMITS.pingEveryMs,
      connectionAckWaitTimeout: LIMITS.acknowledgeMs,
      // It is told as closed.
      onNonLazyError: () => {},
      ...(authorization === null ? {} : { connectionParams: { authorization } }),
      on: {
        connected: () => events.opened(),
        ping: (isReceived) => {
          if (isReceived) return;
          pingAtMs = deps.now();
          giveUp = deps.after(LIMITS.pongMs, () => client.terminate());
        },
        pong: (isReceived) => {
          if (!isReceived) return;
          giveUp();
          events.answered(deps.now() - pingAtMs);
        },
        closed: (event) => {
          giveUp();
          events.closed(codeOf(event));
        },
      },
    });
    return {
      run<Data, Variables extends Sent>(
        document: PageDocument<Data, Variables>,
        variables: Variables,
        taker: Taker<Data>,
      ) {
        let isStopped = false;
        const payload: SubscribePayload & { readonly documentId: string } = {
          // The protocol wants a text; the gateway goes by the id.
          query: '',
          documentId: document.id,
          operationName: document.name,
          variables,
        };
        const stop = client.subscribe<Data>(payload, {
          next: ({ data, errors }) => {
            if (isStopped) return;
            const [first] = errors ?? [];
            if (first !== undefined) taker.failed(faultOf(first));
            else if (data !== null && data !== undefined) taker.data(data);
          },
          error: (reason) => {
            if (isStopped) return;
            // What is no list of errors is the end of the connection.
            if (!Array.isArray(reason)) return taker.lost?.();
            taker.failed(faultOf(reason[0]));
            taker.ended();
          },
          complete: () => {
            if (!isStopped) taker.ended();
          },
        });
        return () => {
          isStopped = true;
          stop();
        };
      },
      close: () => {
        giveUp();
        // What was sent just now still goes.
        deps.after(0, () => void client.dispose());
      },
    };
  };
}

/** The page is older or newer than the gateway, which does not know its documents. */
const FOREIGN_CODES: readonly string[] = ['PERSISTED_DOCUMENT_NOT_FOUND', 'PERSISTED_DOCUMENT_REQUIRED'];

function faultOf(error: unknown): Fault {
  const code = textAt(fieldOf(error, 'extensions'), 'code') ?? 'INTERNAL';
  const message = textAt(error, 'message') ?? 'Unexpected error.';
  return FOREIGN_CODES.includes(code)
    ? { code, message: 'This page is of another version than the gateway that answers now. Load it again.' }
    : { code, message };
}

function textAt(value: unknown, name: string): string | null {
  const found = fieldOf(value, name);
  return typeof found === 'string' ? found : null;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : null;
}

function codeOf(event: unknown): number {
  // A CloseEvent of a browser has its code as a getter.
  return typeof event === 'object' && event !== null && 'code' in event && typeof event.code === 'number'
    ? event.code
    : 1006;
}
