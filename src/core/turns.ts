import { aborted } from './errors.ts';
import type { Parts } from './parts.ts';

/** Resolves after the event loop has had a turn: timers, input, other promises' work. */
export function nextTurn(): Promise<void> {
  // Asked anew each time: a page may bring setImmediate along, and lose it.
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve));
  // Made on demand: in Node an open channel keeps the process alive.
  byMessage ??= chooseMessage();
  return byMessage();
}

let byMessage: (() => Promise<void>) | undefined;

function chooseMessage(): () => Promise<void> {
  // Browsers, which stretch nested timeouts to 4 ms each.
  if (typeof MessageChannel === 'function') {
    const { port1, port2 } = new MessageChannel();
    const waiting: (() => void)[] = [];
    port1.addEventListener('message', () => waiting.shift()?.());
    port1.start();
    return () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        port2.postMessage(null);
      });
  }
  return () => new Promise((resolve) => void setTimeout(resolve));
}

/** A turn of the event loop. @throws XiError E_ABORTED when `signal` says so. */
export async function turn(signal?: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal?.aborted) throw aborted('the computation was stopped', signal);
}

/** Does all parts with turns of the event loop in between. @throws XiError E_ABORTED when `signal` says so. */
export async function inTurns<T>(work: Parts<T>, signal?: AbortSignal): Promise<T> {
  try {
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      await turn(signal);
    }
  } finally {
    // Work that was stopped gives back the memory that it holds.
    work.return(undefined as T);
  }
}
