/** Resolves after the event loop has had a turn: timers, input, other promises' work. */
export const breathe: () => Promise<void> = chooseTurn();

function chooseTurn(): () => Promise<void> {
  // Node. A MessageChannel would do there too, but keeps the process alive while it waits.
  if (typeof setImmediate === 'function') return () => new Promise((resolve) => void setImmediate(resolve));
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
