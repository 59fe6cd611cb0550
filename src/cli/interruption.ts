import { removePending } from '../io/atomic.ts';

/**
 * What asks to stop, with the exit status of work that did. Ctrl-C is the user's, who knows what is left to do; a scheduler that
 * sends SIGTERM, or a terminal that is closed, must not take the work for done.
 */
const STATUS = { SIGINT: 0, SIGTERM: 128 + 15, SIGHUP: 128 + 1 } as const;

type StopSignal = keyof typeof STATUS;
const NAMES = Object.keys(STATUS) as StopSignal[];

export interface Interruption {
  readonly signal: AbortSignal;
  /** Sets the exit status of work that has stopped, and can go on later. */
  stopped(): void;
  /** Lets signals end the process again. */
  end(): void;
}

/**
 * The first Ctrl-C asks to stop where work can go on later; a second one, which is heard whenever the event loop turns,
 * ends the process at once. So do SIGTERM and SIGHUP.
 */
export function interruption(asked: () => void): Interruption {
  const controller = new AbortController();
  let status = 0;
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      removePending();
      // Not by process.exit, which waits for system calls: to open a pipe that nobody writes to may take forever.
      process.removeAllListeners(name);
      process.kill(process.pid, name);
      return;
    }
    status = STATUS[name as StopSignal];
    asked();
    controller.abort();
  };
  for (const name of NAMES) process.on(name, stop);
  return {
    signal: controller.signal,
    stopped: () => {
      if (status > 0) process.exitCode = status;
    },
    end: () => {
      for (const name of NAMES) process.off(name, stop);
    },
  };
}
