/** Runs acts one after the other, each once the one before it has ended, however that went. */
export type Turns = <Result>(act: () => Promise<Result>) => Promise<Result>;

/** Whoever uses it sees to it that few wait at once. */
export function makeTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };
}
