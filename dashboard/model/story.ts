import type {
  AllProvidersQuery,
  BreakerEventsSubscription,
  BudgetNowFragment,
  DecisionRowFragment,
  GatewayFactsQuery,
  ProviderNowFragment,
} from '../documents.generated.ts';
import { type AnswerPiece, brokenOff, NO_ANSWER, WAITING, withPiece } from './answer.ts';
import * as cards from './provider-cards.ts';
import { budgetOf, decisionOf, gatewayOf, pointOf, type Tick, totalsOf } from './reading.ts';
import {
  type BudgetRow,
  type Connection,
  type Decision,
  type Fault,
  LIMITS,
  type Notice,
  type Part,
  type PartName,
  type Preview,
  type RoomState,
  type Selected,
  type WindowName,
} from './room-state.ts';
import { kept } from './same.ts';

/** What is known, and what stood there when the user stopped the picture. */
export interface Story {
  readonly live: RoomState;
  /** Null: the picture moves. */
  readonly still: RoomState | null;
}

export type RoomEvent =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'part'; readonly name: PartName; readonly part: Part }
  | { readonly kind: 'gateway'; readonly facts: GatewayFactsQuery; readonly atMs: number }
  | { readonly kind: 'providers'; readonly told: AllProvidersQuery }
  | { readonly kind: 'provider'; readonly now: ProviderNowFragment }
  | { readonly kind: 'tick'; readonly tick: Tick }
  | { readonly kind: 'breaker'; readonly event: BreakerEventsSubscription['breakerEvents'] }
  | { readonly kind: 'requests'; readonly rows: readonly DecisionRowFragment[] }
  | { readonly kind: 'request'; readonly row: DecisionRowFragment; readonly dropped: number }
  /** The replica that is there now knows neither its end nor that it runs. If it runs on another one, its next event brings it back. */
  | { readonly kind: 'requestGone'; readonly id: string }
  | { readonly kind: 'budgets'; readonly budgets: readonly BudgetNowFragment[] }
  | { readonly kind: 'budget'; readonly budget: BudgetNowFragment }
  | { readonly kind: 'window'; readonly window: WindowName }
  | { readonly kind: 'pause'; readonly atMs: number }
  | { readonly kind: 'resume' }
  | { readonly kind: 'select'; readonly selected: Selected | null }
  | { readonly kind: 'detail'; readonly selected: Selected }
  | { readonly kind: 'prompt'; readonly text: string }
  | { readonly kind: 'preview'; readonly prompt: string; readonly preview: Preview }
  | { readonly kind: 'send' }
  | { readonly kind: 'piece'; readonly piece: AnswerPiece }
  | { readonly kind: 'stopping'; readonly isStopping: boolean }
  | { readonly kind: 'brokenOff'; readonly error: Fault }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | { readonly kind: 'dismiss'; readonly noticeId: number }
  /** The key is forgotten, or works no more: nothing of what it showed stays. */
  | { readonly kind: 'forget' };

const WAITING_PARTS: RoomState['parts'] = {
  gateway: { kind: 'waiting' },
  providers: { kind: 'waiting' },
  ticks: { kind: 'waiting' },
  breakers: { kind: 'waiting' },
  decisions: { kind: 'waiting' },
  budgets: { kind: 'waiting' },
};

export const BLANK: RoomState = {
  connection: { kind: 'connecting' },
  gateway: null,
  window: '1m',
  paused: null,
  totals: null,
  series: [],
  providers: [],
  decisions: [],
  missedDecisions: 0,
  selected: null,
  budgets: [],
  parts: WAITING_PARTS,
  tryIt: { prompt: '', preview: null, isPreviewStale: false, answer: NO_ANSWER },
  notices: [],
};

export const BEGINNING: Story = { live: BLANK, still: null };

/** What the user sees: all of it as it is, or while the picture stands still, what happens as it was. */
export function seen({ live, still }: Story): RoomState {
  if (still === null) return live;
  const { totals, series, providers, decisions, missedDecisions, budgets } = still;
  return { ...live, totals, series, providers, decisions, missedDecisions, budgets };
}

/** The story after one more event. */
export function next({ live, still }: Story, event: RoomEvent): Story {
  switch (event.kind) {
    case 'pause':
      return still === null
        ? { live: { ...live, paused: { sinceMs: event.atMs, newEvents: 0 } }, still: live }
        : { live, still };
    // Other figures are wanted than those that stand there: what was counted over the old window has no name any more.
    case 'window':
      return event.window === live.window
        ? { live, still }
        : { live: afterWindow({ ...live, paused: null }, event.window), still: null };
    case 'resume':
      return { live: { ...live, paused: null }, still: null };
    case 'forget': {
      const { window, connection, tryIt } = live;
      return { live: { ...BLANK, window, connection, tryIt: { ...BLANK.tryIt, prompt: tryIt.prompt } }, still: null };
    }
    default:
      return { live: counted(told(live, event), event), still };
  }
}

type Told = Exclude<RoomEvent, { readonly kind: 'pause' | 'resume' | 'window' | 'forget' }>;

/** While the picture stands still, what the user does not see is counted. */
function counted(room: RoomState, event: Told): RoomState {
  const { paused } = room;
  if (paused === null) return room;
  const isNews = event.kind === 'request' || (event.kind === 'breaker' && !event.event.snapshot);
  return isNews ? { ...room, paused: { ...paused, newEvents: paused.newEvents + 1 } } : room;
}

function told(room: RoomState, event: Told): RoomState {
  switch (event.kind) {
    case 'connection':
      return { ...room, connection: kept(room.connection, event.connection) };
    case 'part':
      return { ...room, parts: kept(room.parts, { ...room.parts, [event.name]: event.part }) };
    case 'gateway':
      return {
        ...room,
        gateway: kept(room.gateway, gatewayOf(event.facts, { before: room.gateway, atMs: event.atMs })),
      };
    case 'providers':
    case 'provider':
    case 'breaker':
      return { ...room, providers: providersAfter(room, event) };
    case 'tick':
      return afterTick(room, event.tick);
    case 'requests':
      return event.rows.map(decisionOf).reduceRight(afterDecision, room);
    case 'request': {
      const missedDecisions = room.missedDecisions + event.dropped;
      return afterDecision({ ...room, missedDecisions }, decisionOf(event.row));
    }
    case 'requestGone':
      return { ...room, decisions: room.decisions.filter(({ id }) => id !== event.id) };
    case 'budgets':
      return { ...room, budgets: afterBudgets(room.budgets, event.budgets.map(budgetOf)) };
    case 'budget':
      return { ...room, budgets: withBudget(room.budgets, budgetOf(event.budget)) };
    case 'select':
      return { ...room, selected: event.selected };
    case 'detail':
      return room.selected?.id === event.selected.id
        ? { ...room, selected: kept(room.selected, event.selected) }
        : room;
    case 'notice':
      return { ...room, notices: [...room.notices, event.notice].slice(-LIMITS.noticesMax) };
    case 'dismiss':
      return { ...room, notices: room.notices.filter(({ id }) => id !== event.noticeId) };
    case 'prompt':
    case 'preview':
    case 'send':
    case 'piece':
    case 'stopping':
    case 'brokenOff':
      return { ...room, tryIt: tryItAfter(room.tryIt, event) };
    default:
      return event satisfies never;
  }
}

function providersAfter(
  { providers }: RoomState,
  event: Extract<Told, { readonly kind: 'providers' | 'provider' | 'breaker' }>,
): RoomState['providers'] {
  switch (event.kind) {
    case 'providers':
      return cards.withProviders(providers, event.told);
    case 'provider':
      return cards.withStanding(providers, event.now);
    case 'breaker':
      return cards.withBreakerEvent(providers, event.event);
    default:
      return event satisfies never;
  }
}

function afterTick(room: RoomState, tick: Tick): RoomState {
  return {
    ...room,
    totals: totalsOf(tick, room),
    series: [...room.series, pointOf(tick)].slice(-LIMITS.seriesMax),
    providers: cards.withTick(room.providers, tick),
  };
}

function afterWindow(room: RoomState, window: WindowName): RoomState {
  return { ...room, window, totals: null, series: [], providers: cards.withoutNumbers(room.providers) };
}

function afterDecision(room: RoomState, decision: Decision): RoomState {
  return {
    ...room,
    decisions: withDecision(room.decisions, decision),
    providers: cards.withFailures(room.providers, decision),
  };
}

/** In the order of their beginnings. What is over does not run again, whichever way the older news came. */
function withDecision(decisions: readonly Decision[], decision: Decision): readonly Decision[] {
  const at = decisions.findIndex(({ id }) => id === decision.id);
  const old = decisions[at];
  if (old !== undefined) {
    const isOlder =
      decision.status === 'RUNNING' && (old.status !== 'RUNNING' || decision.path.length < old.path.length);
    return isOlder ? decisions : decisions.with(at, kept(old, decision));
  }
  const before = decisions.findIndex(({ atMs }) => atMs <= decision.atMs);
  return decisions.toSpliced(before === -1 ? decisions.length : before, 0, decision).slice(0, LIMITS.decisionsMax);
}

/** Of all that are there, the fullest; those that are read no more are gone. */
function afterBudgets(old: readonly BudgetRow[], fresh: readonly BudgetRow[]): readonly BudgetRow[] {
  return kept(old, fullest(fresh.map((row) => kept(old.find(({ id }) => id === row.id) ?? row, row))));
}

function withBudget(budgets: readonly BudgetRow[], budget: BudgetRow): readonly BudgetRow[] {
  return kept(budgets, fullest([...budgets.filter(({ id }) => id !== budget.id), budget]));
}

function fullest(budgets: readonly BudgetRow[]): readonly BudgetRow[] {
  return budgets
    .toSorted((one, other) => other.utilization - one.utilization || (one.owner < other.owner ? -1 : 1))
    .slice(0, LIMITS.budgetsMax);
}

function tryItAfter(
  tryIt: RoomState['tryIt'],
  event: Extract<Told, { readonly kind: 'prompt' | 'preview' | 'send' | 'piece' | 'stopping' | 'brokenOff' }>,
): RoomState['tryIt'] {
  switch (event.kind) {
    case 'prompt': {
      const prompt = event.text.slice(0, LIMITS.promptCharsMax);
      return prompt.trim() === ''
        ? { ...tryIt, prompt, preview: null, isPreviewStale: false }
        : { ...tryIt, prompt, isPreviewStale: true };
    }
    case 'preview':
      return event.prompt === tryIt.prompt ? { ...tryIt, preview: event.preview, isPreviewStale: false } : tryIt;
    case 'send':
      return { ...tryIt, answer: WAITING };
    case 'piece':
      return { ...tryIt, answer: withPiece(tryIt.answer, event.piece) };
    case 'stopping':
      return tryIt.answer.kind === 'streaming'
        ? { ...tryIt, answer: { ...tryIt.answer, isStopping: event.isStopping } }
        : tryIt;
    case 'brokenOff':
      return { ...tryIt, answer: brokenOff(tryIt.answer, event.error) };
    default:
      return event satisfies never;
  }
}
