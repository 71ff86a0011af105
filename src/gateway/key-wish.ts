import { API_KEY_LIMITS, type CallerLimits } from '../core/api-key.ts';
import type { ApiKeyId } from '../core/ids.ts';
import type { InputIssue } from '../core/outcome.ts';
import { allows, mayGrant, parseScope, type Scope } from '../core/scope.ts';
import type { EpochMs } from '../core/time.ts';
import { type Caller, lineOf, may, mayBill, scopesOf, userIdOf } from './caller.ts';
import type { KeyWish, RotationWish } from './key-directory.ts';

/** What a key stands for, however it was asked for. */
interface Grant {
  readonly scopes: readonly Scope[];
  /** Null: one that begins with this key. */
  readonly line: ApiKeyId | null;
  readonly userId: string | null;
  readonly teamId: string | null;
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
    ...grantFaults({ scopes, line: null, userId, teamId }, caller),
  ];
  return issues.length > 0 ? { kind: 'invalid', issues } : { kind: 'valid', scopes };
}

export function rotationFaults({ overlapMs }: RotationWish): readonly InputIssue[] {
  const { overlapMsMax } = API_KEY_LIMITS;
  if (Number.isInteger(overlapMs) && overlapMs >= 0 && overlapMs <= overlapMsMax) return [];
  return [{ path: ['overlap'], message: `must be from 0 seconds to ${overlapMsMax / 86_400_000} days` }];
}

/**
 * Why a caller may not hold such a key in their hands: nobody gets more by making a key than they have. That is also so of whose money
 * it spends and whose requests it shows.
 */
export function grantFaults({ scopes, line, userId, teamId }: Grant, caller: Caller): readonly InputIssue[] {
  const own = scopesOf(caller);
  const beyond = scopes.filter((scope) => !mayGrant(own, [scope]));
  const issues: InputIssue[] = [];
  if (beyond.length > 0) {
    issues.push({ path: ['scopes'], message: `${beyond.join(', ')}: nobody can give away more than they have` });
  }
  if (userId !== null && !mayBill(caller, userId)) {
    issues.push({ path: ['userId'], message: 'a key that bills another user than your own needs chat:on-behalf-of' });
  }
  const isOwnLine = line === null || line === lineOf(caller);
  if (!isOwnLine && !may(caller, 'chat:on-behalf-of')) {
    issues.push({ path: ['apiKeyId'], message: 'a key of another line than your own needs chat:on-behalf-of' });
  }
  const isSeen = allows(scopes, 'requests:read') || allows(scopes, 'content:read');
  const isOwnUser = userId === null || userId === userIdOf(caller);
  if (isSeen && !isOwnUser && !may(caller, 'requests:read-all')) {
    const message = "a key that reads another user's requests needs requests:read-all";
    issues.push({ path: ['userId'], message });
  }
  if (isSeen && !isOwnLine && !may(caller, 'requests:read-all')) {
    const message = "a key that reads another line's requests needs requests:read-all";
    issues.push({ path: ['apiKeyId'], message });
  }
  const isOwnTeam = teamId === null || (caller.kind === 'key' && caller.key.teamId === teamId);
  if (!isOwnTeam && !may(caller, 'chat:on-behalf-of')) {
    issues.push({ path: ['teamId'], message: 'a key that bills another team than your own needs chat:on-behalf-of' });
  }
  return issues;
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
