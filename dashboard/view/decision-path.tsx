import type { Decision, PathStep } from '../model/room-state.ts';
import { OUTCOME_WORDS } from './provider-words.ts';

/** Who was tried and who answered: `anthropic ✗ timed out → openai ✓`. */
export function DecisionPath({ decision }: { readonly decision: Decision }) {
  const { path, status, error } = decision;
  if (status === 'REFUSED')
    return (
      <span class="path">
        <span class="path-bad">⊘ refused</span> <span class="path-what">{error?.code ?? ''}</span>
      </span>
    );
  return (
    <span class="path">
      <Steps path={path} />
      {status === 'RUNNING' ? <span class="path-what">{path.length === 0 ? '' : '→ '}running…</span> : null}
      {status === 'CANCELLED' && path.length === 0 ? <span class="path-what">cancelled</span> : null}
      {status === 'FAILED' && path.length === 0 ? <span class="path-bad">✗ {error?.code ?? 'failed'}</span> : null}
    </span>
  );
}

export function Steps({ path }: { readonly path: readonly PathStep[] }) {
  return (
    <>
      {path.map((step, index) => (
        <span key={index} class="path-step">
          {index === 0 ? '' : '→ '}
          {step.provider} <Outcome step={step} />{' '}
        </span>
      ))}
    </>
  );
}

function Outcome({ step: { outcome } }: { readonly step: PathStep }) {
  if (outcome === 'SUCCEEDED')
    return (
      <span class="path-good">
        ✓<span class="unseen"> answered</span>
      </span>
    );
  return <span class={outcome === 'CANCELLED' ? 'path-what' : 'path-bad'}>✗ {OUTCOME_WORDS[outcome]}</span>;
}
