import {
  AllProviders,
  type AllProvidersQuery,
  BreakerEvents,
  type BreakerEventsSubscription,
  BudgetEvents,
  FullestBudgets,
  type FullestBudgetsQuery,
  GatewayFacts,
  LatestRequests,
  OneRequest,
  RequestEvents,
  Ticks,
} from '../documents.generated.ts';
import type { Tick } from '../model/reading.ts';
import { type Fault, LIMITS, type Part, type WindowName } from '../model/room-state.ts';
import { type Asking, makeAsking } from './asking.ts';
import type { Board } from './board.ts';
import type { Link } from './link.ts';
import { every, type World } from './world.ts';

/** How often what nobody tells of itself is read: all budgets of everybody are sorted for that, so more seldom than the rest. */
const PACE = { gatewayMs: 10_000, budgetsMs: 12_000, providersMs: 5_000 } as const;

/** Of requests that seemed to run when the connection was lost, so many are asked for: the newest. */
const RUNNING_READ_MAX = 25;

/** Events of budgets come in crowds: they are gathered for this long before what they changed is read. */
const BUDGETS_REST_MS = 1_000;

const SPANS: Readonly<Record<WindowName, string>> = { '1m': 'PT1M', '5m': 'PT5M', '15m': 'PT15M', '1h': 'PT1H' };

const NOTHING = (): Record<string, never> => ({});

/** All that is asked for over one link, until it is gone. */
export interface Feeds {
  /** Summaries of another window from now on: the one that the board has. */
  changeWindow(): void;
  stop(): void;
}

interface FeedDeps {
  readonly world: World;
  readonly board: Board;
  readonly link: Link;
  /** Outlives the link, so that the next one goes on where this one ended. */
  readonly bookmark: Bookmark;
  /** What time it is by the gateway's clock. */
  readonly timeTold: (atMs: number) => void;
  /** Something happened to this request. */
  readonly requestTold: (id: string) => void;
}

export interface Bookmark {
  /** Id of the last breaker event that was told. Null: none was. */
  after: string | null;
}

export function startFeeds(deps: FeedDeps): Feeds {
  const { world } = deps;
  const asking = makeAsking(deps);
  const readProviders = () => askProviders(deps, asking);
  const readGateway = () => askGateway(deps, asking);
  const budgets = makeBudgetReader(deps);
  let stopTicks = () => {};
  const changeWindow = () => {
    stopTicks();
    stopTicks = followTicks(deps, asking, readProviders);
  };

  readGateway();
  // What happens, happens to providers: these come first.
  askProviders(deps, asking, () => {
    changeWindow();
    followBreakers(deps, asking, readProviders);
    followRequests(deps, asking);
    followBudgets(deps, asking, budgets.readSoon);
    budgets.read();
  });
  const whenInView = (act: () => void) => () => {
    if (world.isInView()) act();
  };
  const stops = [
    every(world, PACE.gatewayMs, whenInView(readGateway)),
    every(world, PACE.budgetsMs, whenInView(budgets.read)),
    // With ticks they come along.
    every(
      world,
      PACE.providersMs,
      whenInView(() => deps.board.known().parts.ticks.kind === 'refused' && readProviders()),
    ),
  ];
  return {
    changeWindow,
    stop() {
      asking.stop();
      budgets.stop();
      for (const stop of stops) stop();
    },
  };
}

function askGateway({ world, board }: FeedDeps, asking: Asking): void {
  asking.read({
    part: 'gateway',
    document: GatewayFacts,
    variables: NOTHING,
    data: (facts) => board.tell({ kind: 'gateway', facts, atMs: world.now() }),
  });
}

function askProviders({ board }: FeedDeps, asking: Asking, done?: () => void): void {
  const question = {
    part: 'providers',
    document: AllProviders,
    variables: NOTHING,
    data: (told: AllProvidersQuery) => board.tell({ kind: 'providers', told }),
  } as const;
  asking.read(question, done);
}

function followTicks(deps: FeedDeps, asking: Asking, readProviders: () => void): () => void {
  const { board } = deps;
  const { window } = board.known();
  const take = (tick: Tick) => {
    deps.timeTold(Date.parse(tick.at));
    board.tell({ kind: 'tick', tick });
    if (areOthers(board, tick)) readProviders();
  };
  return asking.follow({
    part: 'ticks',
    document: Ticks,
    variables: () => ({ window: SPANS[window] }),
    data: ({ analyticsTicks }) => take(analyticsTicks),
  });
}

/** The registry was changed while the page was open. */
function areOthers(board: Board, { providers }: Tick): boolean {
  const known = new Set(board.known().providers.map(({ key }) => key));
  return providers.length !== known.size || providers.some(({ provider }) => !known.has(provider.key));
}

function followBreakers({ board, bookmark }: FeedDeps, asking: Asking, readProviders: () => void): void {
  const take = (event: BreakerEventsSubscription['breakerEvents']) => {
    bookmark.after = event.id;
    board.tell({ kind: 'breaker', event });
    // The history has a gap, which is read.
    if (event.dropped > 0) readProviders();
  };
  asking.follow({
    part: 'breakers',
    document: BreakerEvents,
    variables: () => ({ after: bookmark.after }),
    data: ({ breakerEvents }) => take(breakerEvents),
    failed: () => {
      // What happened since may be gone: it begins anew, with how each breaker stands.
      bookmark.after = null;
    },
  });
}

function followRequests({ board, requestTold }: FeedDeps, asking: Asking): void {
  asking.follow({
    part: 'decisions',
    document: RequestEvents,
    variables: NOTHING,
    data: ({ requestEvents: { request: row, dropped } }) => {
      board.tell({ kind: 'request', row, dropped });
      requestTold(row.id);
    },
  });
  asking.read({
    part: 'decisions',
    document: LatestRequests,
    variables: NOTHING,
    data: ({ requests }) => {
      board.tell({ kind: 'requests', rows: requests.nodes });
      readRunning(board, asking, new Set(requests.nodes.map(({ id }) => id)));
    },
  });
}

/** What still seems to run may have ended while nobody listened, or with the replica that it ran on. */
function readRunning(board: Board, asking: Asking, justRead: ReadonlySet<string>): void {
  const running = board.known().decisions.filter(({ id, status }) => status === 'RUNNING' && !justRead.has(id));
  for (const { id } of running.slice(0, RUNNING_READ_MAX)) {
    asking.read({
      part: 'decisions',
      document: OneRequest,
      variables: () => ({ id }),
      data({ request }) {
        board.tell(request === null ? { kind: 'requestGone', id } : { kind: 'requests', rows: [request] });
      },
    });
  }
}

function followBudgets({ board }: FeedDeps, asking: Asking, readSoon: () => void): void {
  asking.follow({
    part: 'budgets',
    document: BudgetEvents,
    variables: NOTHING,
    data: ({ budgetEvents: { budget } }) => {
      board.tell({ kind: 'budget', budget });
      readSoon();
    },
  });
}

/** Reads how full budgets are, never twice at once. */
interface BudgetReader {
  read(): void;
  /** After events of budgets, if the page can be seen. */
  readSoon(): void;
  stop(): void;
}

/** Spending is told at thresholds only: how full budgets are is read. Whoever may see only their own is content with what is told. */
function makeBudgetReader({ world, board, link }: FeedDeps): BudgetReader {
  let isRefused = false;
  let isReading = false;
  let isDue = false;
  let cancel = () => {};
  const tell = (part: Part) => board.tell({ kind: 'part', name: 'budgets', part });
  const read = () => {
    if (isRefused || isReading) return;
    isReading = true;
    const taker = {
      data({ budgets }: FullestBudgetsQuery) {
        // Where there are no budgets, nothing is ever told of one.
        tell({ kind: 'ok' });
        board.tell({ kind: 'budgets', budgets: budgets.nodes });
      },
      failed({ code, message: why }: Fault) {
        isRefused = code === 'FORBIDDEN';
        if (!isRefused) tell({ kind: 'refused', code, why });
      },
      ended() {
        isReading = false;
      },
    };
    link.run(FullestBudgets, { first: LIMITS.budgetsMax }, taker);
  };
  return {
    read,
    readSoon() {
      if (isDue) return;
      isDue = true;
      cancel = world.after(BUDGETS_REST_MS, () => {
        isDue = false;
        if (world.isInView()) read();
      });
    },
    stop: () => cancel(),
  };
}
