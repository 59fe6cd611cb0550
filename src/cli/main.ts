#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { XiError } from '../core/errors.ts';
import { COMMANDS } from './commands.ts';
import { asTyped } from './options.ts';

const { version, description } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string; description: string };

const program = new Command('xitensor')
  .description(description)
  .version(version)
  .showHelpAfterError('(xitensor --help, or xitensor <command> --help)')
  .addHelpText(
    'after',
    '\nExit status: 0 done, 1 failed, 2 bad arguments. What Ctrl-C stops so that it can go on ends with 0,\nwhat SIGTERM or SIGHUP stop so with 143 or 129.',
  )
  .exitOverride();
for (const command of COMMANDS) program.addCommand(command().exitOverride());
let running = program;
program.hook('preAction', (_, command) => {
  running = command;
});

// Work that runs for its files is not lost with its output. A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  const isFailure = error.code !== 'EPIPE';
  if (isFailure && process.exitCode !== 1) {
    process.stderr.write(`xitensor: cannot write to the standard output: ${error.message} (E_FILE)\n`);
    process.exitCode = 1;
  }
  if (!['train', 'reproduce'].includes(process.argv[2])) process.exit(isFailure ? 1 : 0);
});

// A message that nobody reads must not end the work that it tells of: with `2>&1 | tee`, Ctrl-C ends the reader too.
process.stderr.on('error', () => {});

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/**
 * A message whose control characters are escaped: from a file or its name they would move the cursor. Only the reasons against
 * backends, which are ours, have lines.
 */
function printable({ message, code }: XiError): string {
  const control = code === 'E_BACKEND' ? /[^\P{Cc}\n]/gu : /\p{Cc}/gu;
  const text = code === 'E_ARGUMENT' ? asTyped(message, running) : message;
  return text.replace(control, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Prints a failure as a message, not a stack, and returns the exit status. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof XiError) {
    process.stderr.write(`xitensor: ${printable(error)} (${error.code})\n`);
    return error.code === 'E_ARGUMENT' ? 2 : 1;
  }
  process.stderr.write(
    `xitensor: unexpected failure, please report it\n${(error as Error)?.stack ?? error}\n`,
  );
  return 1;
}
