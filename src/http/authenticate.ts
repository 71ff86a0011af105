import type { ApiKeyId } from '../core/ids.ts';
import type { Scope } from '../core/scope.ts';
import { isUnavailable } from '../core/unavailable.ts';
import { type Caller, may, OPEN_CALLER } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { DoorFault } from './answer.ts';

/** While many are refused, the log says so this often. No credential is longer than `charsMax`. */
const LIMITS = { logEveryMs: 1_000, charsMax: 4_096, retryMs: 1_000 } as const;

/** Finds out at a door who comes. */
export interface Doorkeeper {
  /** Authentication is off: everybody may come in, whatever they bring. */
  readonly isOpen: boolean;
  /** `authorization` as a header or the parameters of a connection have it. Undefined: none came. */
  admit(authorization: string | undefined): Promise<Admission>;
  /** What somebody who does not have to say who they are may do all the same. */
  may(authorization: string | undefined, scope: Scope): Promise<boolean>;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly caller: Caller }
  | { readonly kind: 'refused'; readonly fault: DoorFault };

export type DoorkeeperMeters = Pick<Meters, 'authenticationFailures'>;

export function makeDoorkeeper(deps: {
  readonly auth: 'off' | 'keys';
  readonly gateway: Pick<Gateway, 'authenticate'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: DoorkeeperMeters;
}): Doorkeeper {
  const isOpen = deps.auth === 'off';
  const noteFailure = makeFailureNotes(deps);
  const admit = async (authorization: string | undefined): Promise<Admission> => {
    if (isOpen) return { kind: 'admitted', caller: OPEN_CALLER };
    const secret = secretIn(authorization);
    if (secret === null) {
      noteFailure(authorization === undefined ? 'missing' : 'malformed');
      return { kind: 'refused', fault: authorization === undefined ? NO_CREDENTIAL : NO_BEARER };
    }
    try {
      const found = await deps.gateway.authenticate(secret);
      if (found.kind === 'known') return { kind: 'admitted', caller: found.caller };
      noteFailure(found.why);
      return { kind: 'refused', fault: WRONG_CREDENTIAL };
    } catch (error) {
      return { kind: 'refused', fault: faultOf(error, deps.log) };
    }
  };
  return {
    isOpen,
    admit,
    async may(authorization, scope) {
      if (!isOpen && authorization === undefined) return false;
      const admission = await admit(authorization);
      return admission.kind === 'admitted' && may(admission.caller, scope);
    },
  };
}

/** Null: the caller may. */
export function forbidden(caller: Caller, scope: Scope): DoorFault | null {
  if (may(caller, scope)) return null;
  const message = `This needs the scope ${scope}, which your key does not have. Ask whoever manages the keys for one that has it.`;
  return { status: 403, code: 'FORBIDDEN', message };
}

/** The key that a caller came with. Null: none that can end. */
export function keyIdOf(caller: Caller): ApiKeyId | null {
  return caller.kind === 'key' ? caller.key.id : null;
}

/** Null: no credential of the one kind that is taken. */
function secretIn(authorization: string | undefined): string | null {
  if (authorization === undefined || authorization.length > LIMITS.charsMax) return null;
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
}

const HOW = 'Send the header "Authorization: Bearer KEY"; over WebSocket, the same as a parameter of connection_init.';

const UNAUTHENTICATED = { status: 401, code: 'UNAUTHENTICATED' } as const;

const NO_CREDENTIAL: DoorFault = { ...UNAUTHENTICATED, message: `This service needs an API key. ${HOW}` };

const NO_BEARER: DoorFault = { ...UNAUTHENTICATED, message: `This is no credential that is taken here. ${HOW}` };

/** The same whether there never was such a key or it has ended: whoever tries keys learns nothing of them. */
const WRONG_CREDENTIAL: DoorFault = {
  ...UNAUTHENTICATED,
  message:
    'This API key does not work: it is mistyped, unknown, expired or revoked. Ask your operator for another one.',
};

function faultOf(error: unknown, log: Log): DoorFault {
  if (isUnavailable(error)) {
    log.error('a caller cannot be recognised now', { reason: error.reason });
    return { status: 503, code: 'STORE_UNAVAILABLE', message: error.message, retryAfterMs: LIMITS.retryMs };
  }
  log.error('unexpected error', {
    error: String(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return { status: 500, code: 'INTERNAL', message: 'Unexpected error.' };
}

/** Counts those who were refused, and writes them down, never what they sent, in one line for many. */
function makeFailureNotes({
  clock,
  log,
  meters,
}: {
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: DoorkeeperMeters;
}): (why: string) => void {
  let counts = new Map<string, number>();
  const tell = () => {
    log.warn('callers were refused: no credential, or none that works', Object.fromEntries(counts));
    counts = new Map();
  };
  return (why) => {
    meters.authenticationFailures.add(1);
    if (counts.size === 0) clock.after(LIMITS.logEveryMs, tell);
    counts.set(why, (counts.get(why) ?? 0) + 1);
  };
}
