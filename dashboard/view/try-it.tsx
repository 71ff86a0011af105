import { useEffect, useRef } from 'preact/hooks';
import { type Answer, LIMITS, type Preview } from '../model/room-state.ts';
import { Steps } from './decision-path.tsx';
import { moneyText, moneyTextShort } from './money-text.ts';
import { requestLink } from './request-link.ts';
import { useRoom } from './room-context.ts';
import { spanText } from './time-text.ts';

const PROMPT_ID = 'prompt';

export function TryIt() {
  const { see, acts } = useRoom();
  const { prompt, preview, isPreviewStale, answer } = see.tryIt.value;
  const isStreaming = answer.kind === 'streaming';
  const send = (event: Event) => {
    event.preventDefault();
    if (prompt.trim() !== '' && !isStreaming) acts.send();
  };
  return (
    <section class="panel try" aria-labelledby="try-title">
      <h2 id="try-title">Try it</h2>
      <form onSubmit={send}>
        <div class="field">
          <label for={PROMPT_ID}>Prompt</label>
          <PromptBox send={send} />
        </div>
        <PreviewText preview={preview} isStale={isPreviewStale} isEmpty={prompt.trim() === ''} />
        <div class="try-buttons">
          <button type="submit" class="first" aria-disabled={prompt.trim() === '' || isStreaming ? true : undefined}>
            Send
          </button>
          {isStreaming ? (
            <button type="button" aria-disabled={answer.isStopping ? true : undefined} onClick={acts.stopAnswer}>
              {answer.isStopping ? 'Stopping…' : 'Stop'}
            </button>
          ) : null}
          <span class="try-hint">Ctrl + Enter sends. It spends money, like every chat.</span>
        </div>
      </form>
      <AnswerText answer={answer} />
    </section>
  );
}

/** Who types owns the text: a picture that comes a moment later never puts it back. */
function PromptBox({ send }: { readonly send: (event: Event) => void }) {
  const { see, acts } = useRoom();
  const ref = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (ref.current !== null) ref.current.value = see.tryIt.peek().prompt;
  }, [see]);
  return (
    <textarea
      id={PROMPT_ID}
      ref={ref}
      rows={3}
      maxLength={LIMITS.promptCharsMax}
      placeholder="Write a function that reverses a list"
      onInput={({ currentTarget }) => acts.setPrompt(currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send(event);
      }}
    />
  );
}

interface PreviewProps {
  readonly preview: Preview | null;
  readonly isStale: boolean;
  readonly isEmpty: boolean;
}

/** What would happen, as one types. */
function PreviewText({ preview, isStale, isEmpty }: PreviewProps) {
  if (isEmpty) return <p class="preview">Type to see who would answer, and what it would cost.</p>;
  if (preview === null) return <p class="preview">Asking who would answer…</p>;
  if (preview.kind === 'refused') return <p class="preview">No preview: {preview.why}</p>;
  const { selected, blockedBy, reservationUsd } = preview;
  return (
    <div class="preview" data-stale={isStale ? 'yes' : 'no'}>
      {blockedBy !== null || selected === null ? (
        <p class="preview-blocked">✗ It would be refused. {blockedBy?.message ?? preview.summary}</p>
      ) : (
        <>
          <p>
            → <strong>{selected.provider}</strong>/{selected.model}, about {moneyTextShort(selected.estimatedCostUsd)}
            {selected.estimatedLatencyMs === null ? '' : ` and ${spanText(selected.estimatedLatencyMs)}`};{' '}
            {moneyTextShort(reservationUsd)} would be held.
          </p>
          <p class="preview-summary">{preview.summary}</p>
        </>
      )}
    </div>
  );
}

function AnswerText({ answer }: { readonly answer: Answer }) {
  if (answer.kind === 'idle') return null;
  return (
    <div class="answer" data-kind={answer.kind}>
      <h3>Answer</h3>
      {answer.text === '' ? null : <p class="answer-text">{answer.text}</p>}
      <AnswerEnd answer={answer} />
    </div>
  );
}

function AnswerEnd({ answer }: { readonly answer: Exclude<Answer, { kind: 'idle' }> }) {
  switch (answer.kind) {
    case 'streaming':
      return (
        <p class="answer-end">
          <Steps path={answer.path} />
          {answer.provider === null ? 'Being routed…' : `${answer.provider} is answering…`}
        </p>
      );
    case 'done':
      return (
        <>
          <p class="answer-end">
            <Steps path={answer.path} /> {moneyText(answer.costUsd)}, {spanText(answer.totalMs)}.{' '}
            <a href={requestLink(answer.requestId)}>Why it went there</a>
          </p>
          <p class="answer-end">{answer.summary}</p>
        </>
      );
    case 'failed':
      return (
        <p class="answer-end answer-failed">
          ✗ {answer.error.message} ({answer.error.code})
          {answer.costUsd === null ? '' : ` ${moneyText(answer.costUsd)} was spent.`}{' '}
          {answer.requestId === null ? null : <a href={requestLink(answer.requestId)}>Why</a>}
        </p>
      );
  }
}
