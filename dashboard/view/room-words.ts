import type { Category, WindowName } from '../model/room-state.ts';

export const WINDOW_WORDS: Readonly<Record<WindowName, string>> = {
  '1m': 'the last minute',
  '5m': 'the last 5 minutes',
  '15m': 'the last 15 minutes',
  '1h': 'the last hour',
};

export const CATEGORY_WORDS: Readonly<Record<Category, string>> = {
  CODE: 'code',
  WRITING: 'writing',
  ANALYSIS: 'analysis',
  GENERAL: 'general',
};
