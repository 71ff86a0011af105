import '../style/control-room.css';
import { useEffect } from 'preact/hooks';
import type { Room } from '../model/room.ts';
import { BreakerNews } from './breaker-news.tsx';
import { BudgetList } from './budget-list.tsx';
import { ChartRow } from './chart-row.tsx';
import { DecisionTable } from './decision-table.tsx';
import { Figures } from './figures.tsx';
import { HeadlineBand } from './headline-band.tsx';
import { KeyGate } from './key-gate.tsx';
import { NoticeList } from './notice-list.tsx';
import { ProviderGrid } from './provider-grid.tsx';
import { linkedRequest } from './request-link.ts';
import { RoomProvider, useRoom } from './room-context.ts';
import { StaleBand } from './stale-band.tsx';
import { TopBar } from './top-bar.tsx';
import { TryIt } from './try-it.tsx';
import { WhySheet } from './why-sheet.tsx';

/** The whole page. */
export function ControlRoom({ room }: { readonly room: Room }) {
  return (
    <RoomProvider value={room}>
      <a class="skip" href="#main">
        Skip to the state of the providers
      </a>
      <TopBar />
      <Floor />
      <NoticeList />
      <BreakerNews />
    </RoomProvider>
  );
}

function Floor() {
  const { connection } = useRoom().see;
  if (connection.value.kind === 'locked') return <KeyGate why={connection.value.why} />;
  return <OpenFloor />;
}

function OpenFloor() {
  useLinkedRequest(useRoom());
  return (
    <main id="main" tabIndex={-1}>
      <StaleBand />
      <HeadlineBand />
      <Figures />
      <ProviderGrid />
      <div class="floor">
        <DecisionTable />
        <BudgetList />
        <TryIt />
      </div>
      <ChartRow />
      <WhySheet />
    </main>
  );
}

/** Follows the address: what it names is looked at, as soon as whoever came may look. */
function useLinkedRequest({ acts }: Room): void {
  useEffect(() => {
    const follow = () => {
      const id = linkedRequest(location.hash);
      if (id === null) acts.deselect();
      else acts.select(id);
    };
    if (linkedRequest(location.hash) !== null) follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [acts]);
}
