import type { ProviderCard } from '../model/room-state.ts';
import { listText } from './number-text.ts';
import { reasonOf, type Standing, standingOf } from './provider-words.ts';

/** What the page says first, in words. */
export interface Headline {
  readonly tone: 'calm' | 'warned' | 'broken';
  readonly title: string;
  /** One sentence for each provider that is not as it should be, when there are several. */
  readonly details: readonly string[];
}

/** The state of all providers in a sentence. */
export function headlineOf(providers: readonly ProviderCard[]): Headline {
  const inUse = providers.filter(({ isEnabled }) => isEnabled);
  const out = inUse.filter((card) => OUT.includes(standingOf(card)));
  const held = inUse.filter((card) => HELD.includes(standingOf(card)));
  const others = restText(inUse.length, inUse.length - out.length - held.length);
  if (inUse.length === 0)
    return { tone: 'broken', title: 'Every provider is switched off: nobody answers.', details: [] };
  if (out.length > 0) return { tone: 'broken', ...troubleText({ out, held, others }) };
  if (held.length > 0) return { tone: 'warned', ...heldText(held, others) };
  return calmHeadline(providers, inUse);
}

/** These are out of use for a while. */
const OUT: readonly Standing[] = ['OPEN', 'SET_ASIDE'];
/** These take little, or nothing for a moment. */
const HELD: readonly Standing[] = ['HALF_OPEN', 'WAITING'];

function troubleText(how: {
  /** Who takes no traffic. */
  readonly out: readonly ProviderCard[];
  /** Who is not as it should be either. */
  readonly held: readonly ProviderCard[];
  readonly others: string;
}): Pick<Headline, 'title' | 'details'> {
  const { out, held, others } = how;
  const [first] = out;
  if (out.length === 1 && held.length === 0 && first !== undefined) {
    return { title: `${first.name} takes no traffic: ${reasonOf(first)}. ${others}`, details: [] };
  }
  const names = listText(out.map(({ name }) => name));
  const title = `${names} ${out.length === 1 ? 'takes' : 'take'} no traffic. ${others}`;
  return { title, details: [...out, ...held].map((card) => `${card.name}: ${reasonOf(card)}.`) };
}

function heldText(held: readonly ProviderCard[], others: string): Pick<Headline, 'title' | 'details'> {
  const waiting = held.filter((card) => standingOf(card) === 'WAITING');
  const probing = held.filter((card) => standingOf(card) === 'HALF_OPEN');
  if (waiting.length > 0) return troubleText({ out: waiting, held: probing, others });
  const names = listText(probing.map(({ name }) => name));
  const title = `${names} ${probing.length === 1 ? 'is' : 'are'} being tried again: one probe at a time. ${others}`;
  return { title, details: [] };
}

function calmHeadline(providers: readonly ProviderCard[], inUse: readonly ProviderCard[]): Headline {
  const off = providers.filter(({ isEnabled }) => !isEnabled).map(({ name }) => name);
  const simulated = inUse.filter(({ simulation }) => simulation !== null).map(({ name }) => name);
  const all = inUse.length === 1 ? 'The only provider in use answers' : `All ${inUse.length} providers answer`;
  const title =
    off.length === 0 ? `${all}.` : `${all}; ${listText(off)} ${off.length === 1 ? 'is' : 'are'} switched off.`;
  if (simulated.length === 0) return { tone: 'calm', title, details: [] };
  const verb = simulated.length === 1 ? 'fails' : 'fail';
  return { tone: 'warned', title: `${listText(simulated)} ${verb} on purpose.`, details: [] };
}

function restText(inUse: number, answering: number): string {
  if (answering === 0) return inUse === 1 ? 'No other is in use.' : 'Nobody else answers.';
  if (answering === 1) return 'One other answers.';
  return `The other ${answering} answer.`;
}
