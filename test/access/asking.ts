import { type ExecutionResult, graphql, parse, subscribe } from 'graphql';
import { expect } from 'vitest';
import { requestId } from '../../src/core/ids.ts';
import { makeContext } from '../../src/graphql/context.ts';
import { schema } from '../../src/graphql/schema.ts';
import { NO_SPAN } from '../../src/telemetry/no-traces.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { quiet } from '../support/gateway-kit.ts';
import { CALLERS, type CallerName, OWNERS, type Owner, type Scene, type Target, UNKNOWN } from './scene.ts';
import { documentOf, type RootKind } from './selection.ts';
import type { Call, Row } from './table.ts';

/** What a caller was answered: the values of the field, one for each event of a subscription; or why there are none. */
type Answer =
  | { readonly kind: 'told'; readonly values: readonly unknown[] }
  | { readonly kind: 'refused'; readonly code: unknown };

interface Question {
  readonly caller: CallerName;
  readonly row: Row;
  readonly call: Call;
  readonly name: string;
  readonly target: Target;
}

const FIRST_OF_KIND = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' } as const;

/** Asks, and holds the answer against the table. What is not the caller's must come out of it as it went in. */
export async function check(scene: Scene, question: Question): Promise<void> {
  const { caller, call, target, row } = question;
  const args = call.args(target);
  if (args === null) return;
  const others = OWNERS.filter((owner) => owner !== caller && caller !== 'admin');
  const fortunes = async () =>
    Object.fromEntries(await Promise.all(others.map(async (owner) => [owner, await scene.fortuneOf(owner)])));
  const before = await fortunes();
  const answer = await ask(scene, question, args);
  if (row.isStirred === undefined) expect(await fortunes()).toEqual(before);

  const refusal = refusalOf(question);
  if (refusal !== null || answer.kind === 'refused') {
    expect(answer).toEqual({ kind: 'refused', code: refusal });
    return;
  }
  const told = call.tells(caller, target.owner);
  const found = ownersIn(scene, answer.values, told, args);
  expect(found).toEqual(call.isAtMost ? told.filter((owner) => found.includes(owner)) : told);
  await checkCount(scene, question, answer.values);
  if (call.isLikeUnknown && told.length === 0) {
    const unknownArgs = call.args(UNKNOWN)!;
    const unknown = await ask(scene, { ...question, target: UNKNOWN }, unknownArgs);
    expect(anonymous(answer, args)).toBe(anonymous(unknown, unknownArgs));
  }
}

/** The code of the error that the table foresees. Null: none. */
function refusalOf({ caller, row, call, target }: Question): string | null {
  if (caller === 'nobody') return 'UNAUTHENTICATED';
  if (caller === 'admin') return null;
  const isForeign = target.owner !== caller && (call.othersNeed !== undefined || call.isBilled === true);
  return isForeign || !['any key', 'chat', 'requests:read'].includes(row.needs) ? 'FORBIDDEN' : null;
}

/** Those whose marks are in an answer. What the caller said itself is no news, unless it is meant to be answered with it. */
function ownersIn(scene: Scene, values: readonly unknown[], told: readonly Owner[], args: object): readonly Owner[] {
  const text = JSON.stringify(values);
  const unsaid = anonymous(values, args);
  return OWNERS.filter((owner) =>
    scene.marksOf(owner).some((mark) => (told.includes(owner) ? text : unsaid).includes(mark)),
  );
}

async function checkCount(scene: Scene, { call, caller, target }: Question, values: readonly unknown[]): Promise<void> {
  if (call.count === undefined) return;
  const { of, what, read } = call.count;
  const whose = of(caller, target.owner);
  const counts = await Promise.all(whose.map((owner) => (what === 'running' ? 1 : scene.endedCount(owner))));
  const ownOfAdmin =
    caller === 'admin' && whose.length === OWNERS.length && what === 'ended' ? await scene.endedCount('admin') : 0;
  expect(read(values[0] as Parameters<typeof read>[0])).toBe(counts.reduce((sum, count) => sum + count, ownOfAdmin));
}

/** Without the texts that were sent along. */
function anonymous(answer: unknown, args: object): string {
  return textsIn(args).reduce(
    (text, said) => text.replaceAll(said, '<said>').replaceAll(said.replace(/^req_/, ''), '<said>'),
    JSON.stringify(answer),
  );
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.length > 3 ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

async function ask(scene: Scene, question: Question, args: object): Promise<Answer> {
  const [root = '', field = ''] = question.name.split('.');
  const kind: RootKind = FIRST_OF_KIND[root as keyof typeof FIRST_OF_KIND];
  // A window that ends now does not hold what arrives now.
  scene.kit.clock.advance(1);
  const leave = new AbortController();
  const id = requestId(newUuid());
  scene.noteSent(question.caller, id);
  const contextValue = makeContext({
    span: NO_SPAN,
    gateway: scene.kit.gateway,
    caller: CALLERS[question.caller],
    requestId: id,
    signal: leave.signal,
  });
  const source = documentOf(kind, field, args);
  const operation = { schema, contextValue, variableValues: { ...args } };
  if (kind !== 'subscription') return answerOf(field, await graphql({ ...operation, source }));
  const results = await subscribe({ ...operation, document: parse(source) });
  if (!(Symbol.asyncIterator in results)) return answerOf(field, results);
  return listen(scene, question, { field, results, leave });
}

function answerOf(field: string, { data, errors }: ExecutionResult): Answer {
  if (errors === undefined) return { kind: 'told', values: [data?.[field]] };
  const code = errors[0]?.extensions.code;
  // A bug has no code: its message says more.
  return { kind: 'refused', code: code ?? errors[0]?.message };
}

/** Reads as many events as the table foresees, and makes sure that no more come by themselves. */
async function listen(
  scene: Scene,
  { caller, row, call, target }: Question,
  of: { readonly field: string; readonly results: AsyncGenerator<ExecutionResult>; readonly leave: AbortController },
): Promise<Answer> {
  const { field, results, leave } = of;
  const values: unknown[] = [];
  const take = (result: ExecutionResult) => {
    const answer = answerOf(field, result);
    if (answer.kind === 'refused') throw new RangeError(`an event is an error: ${answer.code}`);
    values.push(...answer.values);
  };
  if (row.events === undefined) {
    for await (const result of results) take(result);
    return { kind: 'told', values };
  }
  if (row.isStirred) {
    // The caller's own comes last: whatever of others were told, was told before.
    for (const owner of OWNERS.toSorted((one, other) => Number(one === caller) - Number(other === caller))) {
      await scene.chat(owner);
    }
  }
  const countWanted = row.events(call.tells(caller, target.owner).length);
  while (values.length < countWanted) {
    const { value, done } = await results.next();
    if (done) break;
    take(value);
  }
  const next = results.next();
  const more = await Promise.race([next, quiet()]);
  if (typeof more === 'object' && !more.done) take(more.value);
  leave.abort();
  await next;
  await results.return(undefined);
  return { kind: 'told', values };
}
