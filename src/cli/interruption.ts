import { removePending } from '../io/atomic.ts';

/**
 * The first Ctrl-C asks to stop where work can go on later; a second one, which is heard whenever the event loop turns,
 * ends the process at once.
 */
export function interruption(asked: () => void): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      removePending();
      // Not by process.exit, which waits for system calls: to open a pipe that nobody writes to may take forever.
      process.removeAllListeners(name);
      process.kill(process.pid, name);
      return;
    }
    asked();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    end: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
