import { API_KEY_LIMITS, type ApiKey, type CallerLimits } from '../core/api-key.ts';
import type { InputIssue } from '../core/outcome.ts';
import { allows, mayGrant, parseScope, type Scope } from '../core/scope.ts';
import type { EpochMs } from '../core/time.ts';
import { type Caller, lineOf, may, scopesOf, userIdOf } from './caller.ts';
import type { KeyWish, RotationWish } from './key-directory.ts';

/** What a key stands for, however it was asked for. */
interface Grant {
  readonly scopes: readonly Scope[];
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly expiresAtMs: EpochMs | null;
  readonly limits: CallerLimits;
}

export type ParsedKeyWish =
  | { readonly kind: 'valid'; readonly scopes: readonly Scope[] }
  | { readonly kind: 'invalid'; readonly issues: readonly InputIssue[] };

/** Checks a wish for a key: every problem, not only the first. */
export function parseKeyWish(wish: KeyWish, caller: Caller, nowMs: EpochMs): ParsedKeyWish {
  const known = wish.scopes.map((text) => ({ text, scope: parseScope(text) }));
  const scopes = [...new Set(known.flatMap(({ scope }) => scope ?? []))];
  const { userId, teamId, expiresAtMs } = wish;
  const issues: InputIssue[] = [
    ...textFaults('name', wish.name, API_KEY_LIMITS.nameCharsMax),
    ...known.flatMap(({ text, scope }, index) =>
      scope === null ? [{ path: ['scopes', String(index)], message: `there is no scope ${shown(text)}` }] : [],
    ),
    ...(userId === null ? [] : textFaults('userId', userId, API_KEY_LIMITS.userIdCharsMax)),
    ...(teamId === null ? [] : textFaults('teamId', teamId, API_KEY_LIMITS.teamIdCharsMax)),
    ...(expiresAtMs !== null && expiresAtMs <= nowMs
      ? [{ path: ['expiresAt'], message: 'must lie in the future' }]
      : []),
    ...limitFaults(wish.limits),
    ...grantFaults({ ...wish, scopes }, caller),
  ];
  return issues.length > 0 ? { kind: 'invalid', issues } : { kind: 'valid', scopes };
}

/** Why a caller may not replace a key so. */
export function rotationFaults(before: ApiKey, { overlapMs }: RotationWish, caller: Caller): readonly InputIssue[] {
  const { overlapMsMax } = API_KEY_LIMITS;
  const isKept = Number.isInteger(overlapMs) && overlapMs >= 0 && overlapMs <= overlapMsMax;
  return [
    ...(isKept ? [] : [{ path: ['overlap'], message: `must be from 0 seconds to ${overlapMsMax / 86_400_000} days` }]),
    ...scopeFaults(before.scopes, caller),
    // Another line has an account and a log of its own, whoever's user it spends the money of.
    ...(before.line === lineOf(caller) ? [] : [...foreignFaults(before.scopes, caller), ...teamFaults(before, caller)]),
  ];
}

/**
 * Why a caller may not hold such a new key in their hands: nobody gets more by making a key than they have. That is also so of whose
 * money it spends and whose requests it shows. A new key without a user shows its own requests only, but it also has a new budget and limits
 * of its own, so that whoever may not set budgets may only make keys that are held as theirs is.
 */
function grantFaults(grant: Grant, caller: Caller): readonly InputIssue[] {
  const { scopes, userId } = grant;
  const isOwn = userId === null || userId === userIdOf(caller);
  return [
    ...scopeFaults(scopes, caller),
    ...(isOwn ? [] : foreignFaults(scopes, caller)),
    ...teamFaults(grant, caller),
    ...(may(caller, 'budgets:admin') ? [] : looseFaults(grant, caller)),
  ];
}

function scopeFaults(scopes: readonly Scope[], caller: Caller): readonly InputIssue[] {
  const beyond = scopes.filter((scope) => !mayGrant(scopesOf(caller), [scope]));
  if (beyond.length === 0) return [];
  return [{ path: ['scopes'], message: `${beyond.join(', ')}: nobody can give away more than they have` }];
}

/** Why a caller may not hold a key that spends others' money, and shows their requests. */
function foreignFaults(scopes: readonly Scope[], caller: Caller): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  if (!may(caller, 'chat:on-behalf-of')) {
    issues.push({
      path: ['userId'],
      message: 'a key that bills somebody else than yours does needs chat:on-behalf-of',
    });
  }
  const isSeen = allows(scopes, 'requests:read') || allows(scopes, 'content:read');
  if (isSeen && !may(caller, 'requests:read-all')) {
    issues.push({ path: ['userId'], message: "a key that reads somebody else's requests needs requests:read-all" });
  }
  return issues;
}

function teamFaults({ teamId }: Pick<Grant, 'teamId'>, caller: Caller): readonly InputIssue[] {
  const isOwn = teamId === null || (caller.kind === 'key' && caller.key.teamId === teamId);
  if (isOwn || may(caller, 'chat:on-behalf-of')) return [];
  return [{ path: ['teamId'], message: 'a key that bills another team than your own needs chat:on-behalf-of' }];
}

/** Why such a key would get around what holds its maker: the user and the team that pay, the limits, the expiry. */
function looseFaults(grant: Grant, caller: Caller): readonly InputIssue[] {
  if (caller.kind !== 'key') return [];
  const own = caller.key;
  const issues: InputIssue[] = [];
  const refuse = (field: string, rule: string) =>
    issues.push({ path: [field], message: `${rule}: anything else needs budgets:admin` });
  if (own.userId === null)
    refuse('userId', 'your own key has no user, so a key that you make would have a budget of its own');
  else if (grant.userId !== own.userId) refuse('userId', `must be ${shown(own.userId)}, the user of your own key`);
  if (grant.teamId !== own.teamId) {
    refuse(
      'teamId',
      own.teamId === null
        ? 'must be none, as of your own key'
        : `must be ${shown(own.teamId)}, the team of your own key`,
    );
  }
  if (own.expiresAtMs !== null && isLooser(grant.expiresAtMs, own.expiresAtMs)) {
    refuse('expiresAt', `must be at latest ${new Date(own.expiresAtMs).toISOString()}, when your own key expires`);
  }
  for (const field of ['requestsPerMinute', 'tokensPerMinute', 'concurrency'] as const) {
    const max = own.limits[field];
    if (isLooser(grant.limits[field], max)) refuse(field, `must be ${max} at most, as of your own key`);
  }
  return issues;
}

/** Null: no bound. */
function isLooser(wanted: number | null, own: number | null): boolean {
  return own !== null && (wanted === null || wanted > own);
}

function textFaults(field: string, text: string, charsMax: number): readonly InputIssue[] {
  if (text.trim().length === 0 || text.length > charsMax) {
    return [{ path: [field], message: `must have 1 to ${charsMax} characters, and not only white space` }];
  }
  const isStorable = text.isWellFormed() && !text.includes('\u0000');
  return isStorable ? [] : [{ path: [field], message: 'holds characters that cannot be stored' }];
}

function limitFaults(limits: CallerLimits): readonly InputIssue[] {
  const { requestsPerMinuteMax, tokensPerMinuteMax, concurrencyMax } = API_KEY_LIMITS;
  const bounds = [
    ['requestsPerMinute', limits.requestsPerMinute, requestsPerMinuteMax],
    ['tokensPerMinute', limits.tokensPerMinute, tokensPerMinuteMax],
    ['concurrency', limits.concurrency, concurrencyMax],
  ] as const;
  return bounds.flatMap(([field, value, max]) =>
    value === null || (Number.isInteger(value) && value >= 1 && value <= max)
      ? []
      : [{ path: [field], message: `must be from 1 to ${max}, got ${value}` }],
  );
}

const SHOWN_CHARS_MAX = 40;

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);
}
