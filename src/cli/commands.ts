import type { Command } from 'commander';
import { benchCommand } from './bench.ts';
import { certifyCommand } from './certify.ts';
import { decomposeCommand } from './decompose.ts';
import { infoCommand } from './info.ts';
import { ranksCommand } from './ranks.ts';
import { realizeCommand } from './realize.ts';
import { reproduceCommand } from './reproduce.ts';
import { scoreCommand } from './score.ts';
import { trainCommand } from './train.ts';
import { verifyCommand } from './verify.ts';

/** What makes each command, in the order of the help. */
export const COMMANDS: readonly (() => Command)[] = [
  ...[infoCommand, trainCommand, scoreCommand, decomposeCommand],
  ...[ranksCommand, certifyCommand, realizeCommand, verifyCommand],
  ...[benchCommand, reproduceCommand],
];
