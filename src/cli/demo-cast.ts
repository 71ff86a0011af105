import type { Chance } from '../ports/clock.ts';

/** Somebody who asks in the demonstration. */
export interface Actor {
  readonly userId: string;
  readonly app: string;
  /** How much of the traffic is theirs, beside the others' shares. */
  readonly share: number;
  /** What they ask, each with a share. */
  readonly asks: readonly (keyof typeof PROMPTS)[];
  /** The budget they begin with, in US dollars. */
  readonly limitUsd: string;
  /**
   * Their budget is raised when more than `above` of it is spent, such that `to` of it is. Null: it stays as it is, and they are refused
   * when it is spent.
   */
  readonly raise: { readonly above: number; readonly to: number } | null;
}

/** Budgets in every state: hardly touched, half spent, nearly spent, and one that is refused. */
export const CAST: readonly Actor[] = [
  {
    userId: 'ana',
    app: 'editor',
    share: 4,
    asks: ['code', 'code', 'general'],
    limitUsd: '1.00',
    raise: { above: 0.4, to: 0.2 },
  },
  {
    userId: 'ben',
    app: 'newsroom',
    share: 3,
    asks: ['writing', 'writing', 'analysis'],
    limitUsd: '0.10',
    raise: { above: 0.75, to: 0.5 },
  },
  { userId: 'chloe', app: 'reports', share: 2, asks: ['analysis'], limitUsd: '0.02', raise: { above: 0.97, to: 0.88 } },
  {
    userId: 'support-bot',
    app: 'helpdesk',
    share: 3,
    asks: ['general', 'writing'],
    limitUsd: '0.50',
    raise: { above: 0.6, to: 0.3 },
  },
  { userId: 'intern', app: 'playground', share: 1, asks: ['general', 'code'], limitUsd: '0.002', raise: null },
];

/** Beginnings of prompts of every category. */
const PROMPTS = {
  code: [
    'Write a function in TypeScript that removes duplicates from a list of objects by id.',
    'Fix this bug: the loop reads one element beyond the end of the array.',
    'Refactor this SQL query, it scans the whole table.',
    'Write a unit test for a class that parses dates.',
  ],
  writing: [
    'Write a short poem about a night train.',
    'Draft an email that tells our customers about the new timetable.',
    'Write a blog post about switching points in winter.',
    'Rewrite this paragraph in a friendlier tone.',
  ],
  analysis: [
    'Compare these two timetables and explain which one loses less time.',
    'Analyze the causes of the delays in this report.',
    'Summarize the pros and cons of single-track lines.',
    'Evaluate whether the second platform pays for itself.',
  ],
  general: [
    'What is the capital of Portugal?',
    'How long does it take from Bern to Milan?',
    'Translate "the next train leaves in five minutes" into Spanish.',
    'Who invented the block signal?',
  ],
} as const;

/** What is handed over with a prompt, to make it longer: costs are by its length. */
const NOTES = [
  'The 07:14 left four minutes late because the point heater at the north end had failed.',
  'Two freight trains were waiting on the loop until the passing train had cleared the section.',
  'Passengers on platform three were told twice, and most of them changed to the local service.',
  'The signal at kilometre 41 was repaired in the afternoon and tested before the evening peak.',
  'A spare set was sent from the depot, and the timetable was back in order by half past nine.',
];

const NOTES_MAX = 24;

/** Somebody of the cast, by their shares. */
export function drawActor(chance: Chance): Actor | undefined {
  const sum = CAST.reduce((all, { share }) => all + share, 0);
  let left = chance.next() * sum;
  return CAST.find(({ share }) => {
    left -= share;
    return left < 0;
  });
}

/** Something that they might ask. */
export function drawPrompt({ asks }: Actor, chance: Chance): string {
  const kind = drawOne(asks, chance) ?? 'general';
  const start = drawOne(PROMPTS[kind], chance) ?? '';
  const notes = Array.from({ length: Math.floor(chance.next() * NOTES_MAX) }, () => drawOne(NOTES, chance));
  return [start, ...notes].join(' ');
}

export function drawOne<Item>(items: readonly Item[], chance: Chance): Item | undefined {
  return items[Math.floor(chance.next() * items.length)];
}
