import { hashOf } from '../chance.ts';
import type { Streaming } from './streaming.ts';
import { readAsked, type Usage } from './wire.ts';

/** A request as an upstream sees it when its last byte has come. */
export interface Receipt {
  readonly number: number;
  readonly provider: string;
  readonly tag: string;
  /** The output limit that was sent. */
  readonly outputTokensMax: number;
  readonly promptBytes: number;
}

/** What an upstream does with a request. It is decided, and billed, on receipt. */
export type Reaction = {
  /** Waited for before anything is said. */
  readonly after?: Promise<unknown>;
  readonly delayMs?: number;
} & (
  | { readonly kind: 'answer'; readonly usage?: Usage }
  /** Only the input is billed on receipt: each token of the answer is billed as it goes out. */
  | { readonly kind: 'stream'; readonly streaming: Streaming }
  /** `isBilled` is by default what the contract with providers says: a 4xx other than 408 is never billed. */
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly isBilled?: boolean;
    }
  | { readonly kind: 'hang' }
  /** The connection breaks: before the first byte of the answer, or in the middle of it. */
  | { readonly kind: 'cut'; readonly place: 'beforeHeaders' | 'inBody' }
);

const TAG = /\[arena:([\w.-]+)\]/;
const OUTPUT_TOKENS_USUAL = 40;

/** The text by which a client marks its prompt. */
export function taggedPrompt(tag: string): string {
  return `[arena:${tag}] Is the line clear?`;
}

export function receiptOf(of: { readonly number: number; readonly provider: string; readonly body: string }): Receipt {
  const { promptBytes, outputTokensMax } = readAsked(of.body);
  return {
    number: of.number,
    provider: of.provider,
    tag: TAG.exec(of.body)?.[1] ?? '',
    promptBytes,
    outputTokensMax: outputTokensMax ?? OUTPUT_TOKENS_USUAL,
  };
}

/** Some use within what was asked for, always the same for the same tag. */
export function usageOf(reaction: Reaction, receipt: Receipt): Usage {
  if (reaction.kind === 'answer' && reaction.usage !== undefined) return reaction.usage;
  const hash = hashOf(receipt.tag);
  const inputTokens = 1 + (hash % Math.max(receipt.promptBytes, 1));
  if (reaction.kind === 'stream') return { inputTokens, outputTokens: 0 };
  return { inputTokens, outputTokens: 1 + (hash % Math.min(receipt.outputTokensMax, OUTPUT_TOKENS_USUAL)) };
}

export function isBilled(reaction: Reaction): boolean {
  if (reaction.kind !== 'refuse') return true;
  const { status } = reaction;
  return reaction.isBilled ?? !(status >= 400 && status < 500 && status !== 408);
}
