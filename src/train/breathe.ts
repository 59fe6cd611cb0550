/** Resolves after the event loop has had a turn: timers, input, other promises' work. */
export function breathe(): Promise<void> {
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
