import { apiKeyId } from '../../src/core/ids.ts';
import {
  apiKeyGlobalId,
  breakerEventGlobalId,
  breakerSnapshotGlobalId,
  budgetGlobalId,
  requestGlobalId,
} from '../../src/graphql/global-id.ts';
import { type CallerName, CHAT, OWNERS, type Owner, REGISTRY, type Target } from './scene.ts';

/** Of whom an answer tells, by who asked and whose things were asked for. */
type Tells = (caller: CallerName, asked: Owner | null) => readonly Owner[];

/** The parts of answers that count something. */
interface Counted {
  readonly nodes: readonly unknown[];
  readonly stats: { readonly requests: number };
  readonly Provider_stats: { readonly requests: number };
  readonly totals: { readonly requests: number };
  readonly inFlight: number;
}

/** One way to call a field. */
export interface Call {
  /** Null: this owner has nothing that could be asked for like this. */
  readonly args: (target: Target) => object | null;
  /** Whose marks are in the answer, exactly. */
  readonly tells: Tells;
  /** It may be less: what is on a page depends on more than on who asks. */
  readonly isAtMost?: true;
  /** A number of the answer, and out of whose requests it is counted. */
  readonly count?: {
    readonly of: Tells;
    readonly what: 'ended' | 'running';
    readonly read: (value: Counted) => number;
  };
  /** A foreign thing is answered word for word like one that nobody has. */
  readonly isLikeUnknown?: true;
  /** What the field needs besides when it is about others. */
  readonly othersNeed?: string;
  /** Names who is to pay: nobody names others without leave. */
  readonly isBilled?: true;
}

export interface Row {
  /** `any key`, or a scope. */
  readonly needs: string;
  readonly calls: Readonly<Record<string, Call>>;
  /** Of a subscription: how many events come, by of how many owners it tells. Absent: it ends by itself. */
  readonly events?: (told: number) => number;
  /** Everybody chats when it has begun. */
  readonly isStirred?: true;
}

const nothing: Tells = () => [];
/** What is asked for, if the caller may see it. */
const asked: Tells = (caller, owner) => (owner !== null && (caller === 'admin' || caller === owner) ? [owner] : []);
/** All that the caller may see. */
const seen: Tells = (caller) => OWNERS.filter((owner) => caller === 'admin' || caller === owner);
/** The same, of those who have a name. */
const named: Tells = (caller, owner) => seen(caller, owner).filter((one) => one !== 'nobodys');
/** The caller's own, whatever is asked for. */
const own: Tells = (caller) => OWNERS.filter((owner) => caller === owner);

const PAGE = { first: 200 } as const;
const HOUR = { window: { last: 'PT1H' } } as const;
const [PROVIDER] = REGISTRY.providers;

const always = (args: object, tells: Tells, more: Partial<Call> = {}): Call => ({ args: () => args, tells, ...more });
/** Calls about what may not be there. */
const about = (
  part: 'userId' | 'keyId' | 'cursor',
  args: (value: string) => object,
  tells: Tells,
  more: Partial<Call> = {},
): Call => ({
  args: (target) => {
    const value = target[part];
    return value === null ? null : args(value);
  },
  tells,
  ...more,
});
const request = (part: 'ended' | 'running', args: (id: string) => object): Call => ({
  args: (target) => args(requestGlobalId(target[part])),
  tells: asked,
  isLikeUnknown: true,
});
const key = (args: (id: string) => object): Call =>
  about('keyId', (id) => args(apiKeyGlobalId(apiKeyId(id))), asked, { isLikeUnknown: true });
const ended = (of: Tells, read: (value: Counted) => number): Partial<Call> => ({ count: { of, what: 'ended', read } });
const listed = (of: Tells) => ended(of, ({ nodes }) => nodes.length);

/** An id of each type that has global ones: the way around all other fields. */
export const NODES: Readonly<Record<string, Call>> = {
  Request: request('ended', (id) => ({ id })),
  Budget: about('userId', (userId) => ({ id: budgetGlobalId({ level: 'user', id: userId }) }), asked),
  ApiKey: key((id) => ({ id })),
  Provider: always(
    { id: 'prov_b' },
    nothing,
    ended(seen, ({ Provider_stats }) => Provider_stats.requests),
  ),
  Model: always({ id: 'model_b/n' }, nothing),
  BreakerEvent: always({ id: breakerSnapshotGlobalId(1, PROVIDER!.key) }, nothing),
};

/** The one table: what each field of the API needs, and of whom it tells. */
export const TABLE: Readonly<Record<string, Row>> = {
  'Query.gateway': { needs: 'any key', calls: { plain: always({}, nothing) } },
  'Query.viewer': { needs: 'any key', calls: { plain: always({}, own) } },
  'Query.providers': { needs: 'any key', calls: { plain: always({}, nothing) } },
  'Query.provider': {
    needs: 'any key',
    calls: {
      plain: always(
        { id: 'b' },
        nothing,
        ended(seen, ({ stats }) => stats.requests),
      ),
    },
  },
  'Query.models': { needs: 'any key', calls: { plain: always({}, nothing) } },
  'Query.node': {
    needs: 'any key',
    calls: {
      ...NODES,
      running: request('running', (id) => ({ id })),
      change: always({ id: breakerEventGlobalId(1) }, nothing),
    },
  },
  'Query.nodes': {
    needs: 'any key',
    calls: {
      request: request('ended', (id) => ({ ids: [id] })),
      budget: about('userId', (userId) => ({ ids: [budgetGlobalId({ level: 'user', id: userId })] }), asked),
      key: key((id) => ({ ids: [id] })),
    },
  },
  'Query.requests': {
    needs: 'requests:read',
    calls: {
      all: always(PAGE, seen, listed(seen)),
      'of a user': about('userId', (userId) => ({ ...PAGE, filter: { userId } }), asked, {
        ...listed(asked),
        isLikeUnknown: true,
      }),
      'of a key': about('keyId', (id) => ({ ...PAGE, filter: { apiKeyId: `key_${id}` } }), asked, {
        isLikeUnknown: true,
      }),
      labelled: {
        args: ({ owner }) => ({ ...PAGE, filter: { metadata: { label: `label-of-${owner}` } } }),
        tells: asked,
      },
      'from a cursor on': about('cursor', (after) => ({ ...PAGE, after }), seen, { isAtMost: true }),
      'up to a cursor': about('cursor', (before) => ({ last: 200, before }), seen, { isAtMost: true }),
    },
  },
  'Query.request': {
    needs: 'requests:read',
    calls: { ended: request('ended', (id) => ({ id })), running: request('running', (id) => ({ id })) },
  },
  'Query.analytics': {
    needs: 'requests:read',
    calls: {
      all: always(
        HOUR,
        nothing,
        ended(seen, ({ totals }) => totals.requests),
      ),
      'by user and key': always({ ...HOUR, groupBy: ['USER', 'API_KEY'] }, named),
      'of a user': about(
        'userId',
        (userId) => ({ ...HOUR, filter: { userId }, groupBy: ['USER'] }),
        asked,
        ended(asked, ({ totals }) => totals.requests),
      ),
      'of a key': about('keyId', (id) => ({ ...HOUR, filter: { apiKeyId: id }, groupBy: ['API_KEY'] }), asked),
    },
  },
  'Query.routePreview': {
    needs: 'chat',
    calls: {
      plain: always({ input: CHAT }, nothing),
      'for a user': about('userId', (userId) => ({ input: { ...CHAT, userId } }), nothing, { isBilled: true }),
    },
  },
  'Query.budget': {
    needs: 'any key',
    calls: {
      own: always({}, own),
      'of a user': about('userId', (userId) => ({ userId }), asked, { othersNeed: 'budgets:read' }),
    },
  },
  'Query.budgets': { needs: 'budgets:read', calls: { all: always(PAGE, named) } },
  'Query.apiKeys': { needs: 'keys:read', calls: { all: always(PAGE, named) } },
  'Query.auditLog': { needs: 'admin', calls: { all: always(PAGE, named) } },

  'Mutation.chat': {
    needs: 'chat',
    calls: {
      plain: always({ input: CHAT }, own),
      'for a user': about('userId', (userId) => ({ input: { ...CHAT, userId } }), asked, { isBilled: true }),
      'with a key that somebody has': {
        args: ({ idempotencyKey }) => ({ input: { ...CHAT, idempotencyKey } }),
        tells: own,
      },
    },
  },
  'Mutation.cancelChat': {
    needs: 'chat',
    calls: {
      running: request('running', (requestId) => ({ input: { requestId } })),
      ended: request('ended', (requestId) => ({ input: { requestId } })),
    },
  },
  'Mutation.setBudget': {
    needs: 'budgets:admin',
    calls: { 'of a user': about('userId', (userId) => ({ input: { userId, limitUsd: '5.00' } }), asked) },
  },
  'Mutation.simulateFailure': {
    needs: 'simulate',
    calls: { plain: always({ input: { providerId: 'b', rate: 0 } }, nothing) },
  },
  'Mutation.stopSimulation': { needs: 'simulate', calls: { plain: always({ input: {} }, nothing) } },
  'Mutation.resetBreaker': {
    needs: 'providers:admin',
    calls: { plain: always({ input: { providerId: 'b' } }, nothing) },
  },
  'Mutation.setProviderEnabled': {
    needs: 'providers:admin',
    calls: { plain: always({ input: { providerId: 'b', enabled: true } }, nothing) },
  },
  'Mutation.createApiKey': {
    needs: 'keys:admin',
    calls: {
      plain: always({ input: { name: 'one more' } }, nothing),
      'of a user': about('userId', (userId) => ({ input: { name: 'one more', userId } }), asked),
    },
  },
  'Mutation.rotateApiKey': { needs: 'keys:admin', calls: { plain: key((apiKeyId) => ({ input: { apiKeyId } })) } },
  'Mutation.revokeApiKey': { needs: 'keys:admin', calls: { plain: key((apiKeyId) => ({ input: { apiKeyId } })) } },

  'Subscription.breakerEvents': {
    needs: 'any key',
    calls: { plain: always({}, nothing) },
    events: () => REGISTRY.providers.length,
  },
  'Subscription.budgetEvents': {
    needs: 'any key',
    calls: {
      all: always({}, named),
      'of a user': about('userId', (userId) => ({ userId }), asked, { othersNeed: 'budgets:read' }),
    },
    events: (told) => told,
  },
  'Subscription.analyticsTicks': {
    needs: 'requests:read',
    calls: {
      ended: always(
        { window: 'PT1H' },
        nothing,
        ended(seen, ({ totals }) => totals.requests),
      ),
      running: always({ window: 'PT1H' }, nothing, {
        count: { of: seen, what: 'running', read: ({ inFlight }) => inFlight },
      }),
    },
    events: () => 1,
  },
  'Subscription.requestEvents': {
    needs: 'requests:read',
    calls: {
      all: always({}, seen),
      'of a user': about('userId', (userId) => ({ filter: { userId } }), asked),
      'of a key': about('keyId', (id) => ({ filter: { apiKeyId: id } }), asked),
    },
    // What runs already, and then the beginning and the end of one chat.
    events: (told) => 3 * told,
    isStirred: true,
  },
  'Subscription.chatStream': {
    needs: 'chat',
    calls: {
      plain: always({ input: CHAT }, own),
      'for a user': about('userId', (userId) => ({ input: { ...CHAT, userId } }), asked, { isBilled: true }),
      'with a key that somebody has': {
        args: ({ idempotencyKey }) => ({ input: { ...CHAT, idempotencyKey }, resumeAfter: 0 }),
        tells: own,
      },
    },
  },
};
