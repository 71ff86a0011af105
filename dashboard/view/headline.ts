import type { ProviderCard } from '../model/room-state.ts';
import { listText } from './number-text.ts';
import { reasonOf, standingOf } from './provider-words.ts';

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
  const open = inUse.filter((card) => standingOf(card) === 'OPEN');
  const probing = inUse.filter((card) => standingOf(card) === 'HALF_OPEN');
  const others = restText(inUse.length, inUse.length - open.length - probing.length);
  if (inUse.length === 0)
    return { tone: 'broken', title: 'Every provider is switched off: nobody answers.', details: [] };
  if (open.length > 0) return { tone: 'broken', ...brokenText({ open, probing, others }) };
  if (probing.length > 0) {
    const names = listText(probing.map(({ name }) => name));
    const title = `${names} ${probing.length === 1 ? 'is' : 'are'} being tried again: one probe at a time. ${others}`;
    return { tone: 'warned', title, details: [] };
  }
  return calmHeadline(providers, inUse);
}

function brokenText(how: {
  readonly open: readonly ProviderCard[];
  readonly probing: readonly ProviderCard[];
  readonly others: string;
}): Pick<Headline, 'title' | 'details'> {
  const { open, probing, others } = how;
  const [first] = open;
  if (open.length === 1 && probing.length === 0 && first !== undefined) {
    return { title: `${first.name} takes no traffic: ${reasonOf(first)}. ${others}`, details: [] };
  }
  const names = listText(open.map(({ name }) => name));
  const title = `${names} ${open.length === 1 ? 'takes' : 'take'} no traffic. ${others}`;
  return { title, details: [...open, ...probing].map((card) => `${card.name}: ${reasonOf(card)}.`) };
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
