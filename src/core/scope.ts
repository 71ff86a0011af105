/** What a key may do. `admin` holds all the others. */
export const SCOPES = [
  'chat',
  'chat:on-behalf-of',
  'requests:read',
  'requests:read-all',
  'content:read',
  'budgets:read',
  'budgets:admin',
  'providers:admin',
  'keys:read',
  'keys:admin',
  'simulate',
  'metrics:read',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

/** Other spellings that the API's descriptions use. */
const SPELLINGS: ReadonlyMap<string, Scope> = new Map([
  ['budgets:write', 'budgets:admin'],
  ['providers:write', 'providers:admin'],
  ['keys:write', 'keys:admin'],
  ['chaos:write', 'simulate'],
]);

/** Who may change something may look at it, and who may see all may see their own. */
const IMPLIED: Partial<Readonly<Record<Scope, Scope>>> = {
  'budgets:read': 'budgets:admin',
  'keys:read': 'keys:admin',
  'requests:read': 'requests:read-all',
};

/** Null: there is no such scope. */
export function parseScope(text: string): Scope | null {
  return SCOPES.find((scope) => scope === text) ?? SPELLINGS.get(text) ?? null;
}

/** Whether these scopes allow what `wanted` stands for. */
export function allows(scopes: readonly Scope[], wanted: Scope): boolean {
  const implying = IMPLIED[wanted];
  return scopes.includes(wanted) || scopes.includes('admin') || (implying !== undefined && scopes.includes(implying));
}

/** Whether somebody with `own` scopes may give away `given`: nobody hands out more than they have. */
export function mayGrant(own: readonly Scope[], given: readonly Scope[]): boolean {
  return given.every((scope) => (scope === 'admin' ? own.includes('admin') : allows(own, scope)));
}
