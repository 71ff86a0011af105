import { closeSync, openSync } from 'node:fs';

/**
 * Answers whether SIGHUP says that the terminal was closed, and asks for nothing. Without one at the start, as under a supervisor or
 * `nohup`, it never does.
 */
export function makeHangUpCheck(of: { readonly hadTerminal: boolean; readonly terminal?: string }): () => boolean {
  const { hadTerminal, terminal = '/dev/tty' } = of;
  return () => hadTerminal && !isThere(terminal);
}

/** The terminal of a process has this name for itself alone, and cannot be opened when it was closed. */
function isThere(terminal: string): boolean {
  try {
    closeSync(openSync(terminal, 'r'));
    return true;
  } catch {
    return false;
  }
}
