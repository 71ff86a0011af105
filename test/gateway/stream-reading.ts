import { userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import type { StreamPiece } from '../../src/gateway/stream-log.ts';
import { type GatewayKit, quiet } from '../support/gateway-kit.ts';

export const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };
export const KEYED: RawChat = { ...CHEAPEST, idempotencyKey: 'once' };
/** A piece that never comes. */
export const NEVER = new Promise<string>(() => undefined);
export const SILENT = { kind: 'stream', pieces: ['Hel', NEVER], after: { kind: 'hang' } } as const;
export const ANSWER = { kind: 'stream', pieces: ['Hello', ', ', 'Ann'], after: { kind: 'answer' } } as const;

export interface OpenStream {
  readonly pieces: AsyncIterator<StreamPiece>;
  readonly leave: AbortController;
}

export function open(kit: GatewayKit, raw: RawChat, resumeAfter: number | null = null): OpenStream {
  const leave = new AbortController();
  const { onDelta: _none, ...call } = kit.callOf(raw);
  const stream = kit.gateway.stream({ ...call, signal: leave.signal, resumeAfter });
  return { pieces: stream[Symbol.asyncIterator](), leave };
}

export async function all({ pieces }: OpenStream): Promise<readonly StreamPiece[]> {
  const found: StreamPiece[] = [];
  for (;;) {
    const step = await pieces.next();
    if (step.done === true) return found;
    found.push(step.value);
  }
}

/** As a client does that goes away. */
export async function goAway({ pieces, leave }: OpenStream): Promise<void> {
  leave.abort();
  await pieces.return?.();
  await quiet();
}

export function kindsOf(pieces: readonly StreamPiece[]): readonly string[] {
  return pieces.map((piece) => ('kind' in piece ? piece.kind : piece.event.kind));
}

export function textOf(pieces: readonly StreamPiece[]): string {
  return pieces
    .map((piece) =>
      !('kind' in piece) && piece.event.kind === 'delta' && piece.event.delta.kind === 'text'
        ? piece.event.delta.text
        : '',
    )
    .join('');
}

export function sequencesOf(pieces: readonly StreamPiece[]): readonly number[] {
  return pieces.flatMap((piece) => ('kind' in piece ? [] : [piece.sequence]));
}

export async function moneyOf({ store }: GatewayKit) {
  const { posted, held } = await store.account(userAccount('ann'));
  return { posted, held };
}

export function endOf(pieces: readonly StreamPiece[]) {
  const last = pieces.at(-1);
  if (last === undefined || 'kind' in last || last.event.kind !== 'ended') throw new RangeError('it has not ended');
  return last.event.outcome;
}
