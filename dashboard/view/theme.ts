import { computed, signal } from '@preact/signals';

export const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const STORED_AS = 'switchyard-theme';
const chosen = signal<Theme>(storedTheme());

// The style sheet does the rest: each colour has a value for either look.
chosen.subscribe((theme) => {
  document.documentElement.dataset.theme = theme;
});

export const theme = computed(() => chosen.value);

export function chooseTheme(wanted: Theme): void {
  chosen.value = wanted;
  try {
    localStorage.setItem(STORED_AS, wanted);
  } catch {
    // A browser that keeps nothing: the choice lasts until the page is closed.
  }
}

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(STORED_AS);
    return THEMES.find((name) => name === stored) ?? 'auto';
  } catch {
    return 'auto';
  }
}
