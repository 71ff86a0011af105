import type { ComponentChildren } from 'preact';
import { type Connection, type GatewayFacts, WINDOWS } from '../model/room-state.ts';
import { counted, countText } from './number-text.ts';
import { useRoom } from './room-context.ts';
import { chooseTheme, THEMES, theme } from './theme.ts';
import { clockText, countdownText } from './time-text.ts';

const STORES: Readonly<Record<GatewayFacts['storeKind'], string>> = {
  POSTGRES: 'PostgreSQL',
  EMBEDDED: 'embedded PostgreSQL',
  MEMORY: 'memory',
};
const HASH_DIGITS = 7;

export function TopBar() {
  return (
    <header class="top">
      <div class="top-name">
        <h1>Switchyard</h1>
        <Facts />
      </div>
      <div class="top-tools">
        <ConnectionMark />
        <WindowChoice />
        <PauseButton />
        <ThemeChoice />
        <ForgetKey />
      </div>
    </header>
  );
}

function Facts() {
  const gateway = useRoom().see.gateway.value;
  if (gateway === null) return null;
  const hash = gateway.configHash.replace(/^sha256:/, '').slice(0, HASH_DIGITS);
  return (
    <ul class="facts" aria-label="This gateway">
      <li>version {gateway.version}</li>
      <li>store: {STORES[gateway.storeKind]}</li>
      <li>{counted(gateway.replicas, 'replica')}</li>
      <li>
        config <code title={gateway.configHash}>{hash}</code>
      </li>
      {gateway.isConfigStale ? <Alarm>the configuration written last is not in force</Alarm> : null}
      {gateway.configsDifferUntilMs === null ? null : <Alarm>replicas run different configurations</Alarm>}
      {gateway.storeMode === 'SLICES' ? <Alarm>database out of reach: budgets in slices</Alarm> : null}
      {gateway.storeMode === 'REFUSING' ? <Alarm>database out of reach: requests are refused</Alarm> : null}
    </ul>
  );
}

function Alarm({ children }: { readonly children: ComponentChildren }) {
  return <li class="facts-alarm">{children}</li>;
}

function ConnectionMark() {
  const connection = useRoom().see.connection.value;
  return (
    <p class="connection" data-kind={connection.kind}>
      <svg class="connection-shape" viewBox="0 0 12 12" aria-hidden="true">
        {connection.kind === 'live' ? <circle cx="6" cy="6" r="5" /> : <path d="M2 2l8 8M10 2l-8 8" />}
      </svg>
      {connection.kind === 'lost' ? <LostText {...connection} /> : textOf(connection)}
    </p>
  );
}

function textOf(connection: Exclude<Connection, { kind: 'lost' }>): string {
  switch (connection.kind) {
    case 'connecting':
      return 'Connecting';
    case 'locked':
      return 'Locked';
    case 'live':
      return connection.roundTripMs === null ? 'Live' : `Live, ${countText(Math.round(connection.roundTripMs))} ms`;
  }
}

function LostText({ sinceMs, retryAtMs }: { readonly sinceMs: number; readonly retryAtMs: number | null }) {
  // Once a second; the moments themselves are by the browser's clock.
  void useRoom().now.value;
  const leftMs = retryAtMs === null ? 0 : retryAtMs - Date.now();
  return (
    <span>
      Lost since {clockText(sinceMs)}, {leftMs > 0 ? `again in ${countdownText(leftMs)}` : 'trying again'}
    </span>
  );
}

function WindowChoice() {
  const { see, acts } = useRoom();
  return (
    <fieldset class="segments">
      <legend class="unseen">Window of all figures</legend>
      {WINDOWS.map((name) => (
        <label key={name}>
          <input
            type="radio"
            name="window"
            value={name}
            checked={see.window.value === name}
            onChange={() => acts.setWindow(name)}
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function PauseButton() {
  const { see, acts } = useRoom();
  const paused = see.paused.value;
  if (paused === null)
    return (
      <button type="button" class="pause" onClick={acts.pause}>
        Pause
      </button>
    );
  return (
    <button type="button" class="pause pause-on" onClick={acts.resume}>
      Resume{paused.newEvents === 0 ? '' : `, ${countText(paused.newEvents)} new`}
    </button>
  );
}

function ThemeChoice() {
  return (
    <label class="theme">
      <span class="unseen">Theme</span>
      <select
        value={theme.value}
        onChange={({ currentTarget }) => {
          const wanted = THEMES.find((name) => name === currentTarget.value);
          if (wanted !== undefined) chooseTheme(wanted);
        }}
      >
        <option value="auto">Auto theme</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function ForgetKey() {
  const { hasKey, acts } = useRoom();
  if (!hasKey.value) return null;
  return (
    <button type="button" onClick={acts.forgetKey}>
      Forget the key
    </button>
  );
}
