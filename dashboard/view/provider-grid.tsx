import { useState } from 'preact/hooks';
import { BARS, operationBar, simulationBar } from './permission.ts';
import { ProviderCardView } from './provider-card.tsx';
import { type Question, QuestionDialog } from './question-dialog.tsx';
import { useRoom } from './room-context.ts';

export function ProviderGrid() {
  const { providers, gateway, parts } = useRoom().see;
  const [question, ask] = useState<Question | null>(null);
  const simulation = simulationBar(gateway.value);
  const operation = operationBar(gateway.value);
  const part = parts.value.breakers;
  return (
    <section class="providers" aria-labelledby="providers-title">
      <h2 id="providers-title">Providers</h2>
      {part.kind === 'refused' ? <p class="note">Changes of breakers are not shown: {part.why}</p> : null}
      <div class="provider-grid">
        {providers.value.map((card) => (
          <ProviderCardView
            key={card.key}
            card={card}
            isSimulationBarred={simulation !== null}
            isOperationBarred={operation !== null}
            ask={ask}
          />
        ))}
      </div>
      {providers.value.length === 0 ? null : (
        <div class="bars">
          {simulation === null ? null : <p id={BARS.simulation}>{simulation}</p>}
          {operation === null ? null : <p id={BARS.operation}>{operation}</p>}
        </div>
      )}
      {question === null ? null : <QuestionDialog question={question} close={() => ask(null)} />}
    </section>
  );
}
