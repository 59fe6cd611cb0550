import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { writeDigits } from '../support/digits.ts';
import { COMMAND, run, start, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
const inFolder = (name: string) => join(folder, name);
const DATA = () => ['--data', inFolder('digits'), '--patch', '4'];
// 100 steps an epoch, so that a signal falls within one; epochs enough that it falls before the end.
const OPTIONS = [
  '--rank',
  '8',
  '--features',
  '8',
  '--batch',
  '20',
  '--epochs',
  '40',
  '--learning-rate',
  '0.003',
];
const MODEL = 'm.safetensors';
const CHECKPOINT = 'm.safetensors.checkpoint.safetensors';

const straight: Record<string, Buffer> = {};
beforeAll(async () => {
  folder = temporaryFolder();
  writeDigits(inFolder('digits'), { train: 2000, test: 100 });
  for (const dtype of ['float32', 'float64']) {
    const output = inFolder(`${dtype}.safetensors`);
    const outcome = await xitensor([
      'train',
      ...DATA(),
      ...OPTIONS,
      '--dtype',
      dtype,
      '-o',
      output,
      '--json',
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    straight[dtype] = readFileSync(output);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  for (const name of readdirSync(folder)) if (!/digits|float/.test(name)) rmSync(inFolder(name));
});

const train = (...more: string[]) =>
  start([
    COMMAND,
    'train',
    '-o',
    inFolder(MODEL),
    ...(more.includes('--resume') ? [] : [...DATA(), ...OPTIONS]),
    ...more,
  ]);

/** Starts a training and sends it a signal when so many epochs are done. */
async function interrupted(signal: NodeJS.Signals, epoch: number, ...more: string[]) {
  const running = train(...more);
  await running.until(new RegExp(`epoch +${epoch} of 40`));
  running.child.kill(signal);
  return running.done;
}

describe('Ctrl-C', () => {
  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s leaves a checkpoint and no model, with status %d', async (signal, status) => {
    const { code, stdout, stderr } = await interrupted(signal, 2);
    expect({ code, stderr }).toEqual({
      code: status,
      stderr: 'stopping after this step and saving a checkpoint; Ctrl-C again ends at once\n',
    });
    expect(stdout).toMatch(
      /\nstopped after step \d+ of 4000; --resume goes on from .*m\.safetensors\.checkpoint\.safetensors\n$/,
    );
    expect(existsSync(inFolder(CHECKPOINT))).toBe(true);
    expect(existsSync(inFolder(MODEL))).toBe(false);
  });

  it.each(['float32', 'float64'])('twice, then --resume: the same bytes as without, %s', async (dtype) => {
    await interrupted('SIGINT', 2, '--dtype', dtype);
    const again = await interrupted('SIGINT', 9, '--resume');
    expect(again.code).toBe(0);
    const end = await train('--resume', '--json').done;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(inFolder(MODEL)).equals(straight[dtype])).toBe(true);
    expect(existsSync(inFolder(CHECKPOINT))).toBe(false);
  });

  it('twice at once ends at once, whole: a checkpoint or none, and no temporary file', async () => {
    const running = train();
    await running.until(/epoch +2 of 40/);
    running.child.kill('SIGINT');
    await running.until(/stopping after this step/);
    running.child.kill('SIGINT');
    const { code, signal } = await running.done;
    // The second may come when the checkpoint is already written and the process about to end.
    expect([0, 'SIGINT']).toContain(code ?? signal);
    expect(readdirSync(folder).filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([]);
    const resumed = await train('--resume', '--json').done;
    expect(resumed.code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });

  it('twice ends a command that waits for a pipe that nobody writes to', async () => {
    const pipe = inFolder('digits.csv');
    await run(['-e', `require('node:child_process').spawnSync('mkfifo', [${JSON.stringify(pipe)}])`]);
    const running = start([COMMAND, 'train', '--data', pipe, '-o', inFolder(MODEL)]);
    while (!existsSync(inFolder(`${MODEL}.lock`))) await new Promise((resolve) => setTimeout(resolve, 20));
    // Loads the rest of the command, then waits.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    running.child.kill('SIGINT');
    await running.until(/stopping after this step/);
    running.child.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(existsSync(inFolder(`${MODEL}.lock`))).toBe(false);
    rmSync(pipe);
  });

  it('of two trainings to one file, the second is refused and costs the first nothing', async () => {
    const running = train('--epochs', '100000');
    await running.until(/epoch +2 of 100000/);
    const held = new RegExp(`m\\.safetensors: expected no other process .* process ${running.child.pid} `);
    for (const more of [[], ['--force'], ['--resume']]) {
      const { code, stderr } = await train(...more).done;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(held) });
    }
    running.child.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: 0 });
    expect(readdirSync(folder).filter((name) => name.startsWith('m.'))).toEqual([CHECKPOINT]);
  });

  it('a reader that goes away does not cost the model', async () => {
    const running = train();
    await running.until(/epoch +1 of 40/);
    running.child.stdout?.destroy();
    expect((await running.done).code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });

  it('a reader of messages that goes away with Ctrl-C costs no checkpoint', async () => {
    const running = train();
    await running.until(/epoch +1 of 40/);
    running.child.stdout?.destroy();
    running.child.stderr?.destroy();
    running.child.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: 0, signal: null });
    expect(existsSync(inFolder(CHECKPOINT))).toBe(true);
    expect((await train('--resume').done).code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });

  it('--json tells where it stopped', async () => {
    const running = train('--json');
    // Nothing is printed on the way; the first epoch's checkpoint shows that training is under way.
    while (!existsSync(inFolder(CHECKPOINT)) && running.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    running.child.kill('SIGINT');
    const { code, stdout } = await running.done;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      stopped: true,
      steps: 4000,
      checkpoint: inFolder(CHECKPOINT),
    });
  });
});

describe('SIGKILL', () => {
  it('leaves the checkpoint of the last epoch, and --resume ends with the same bytes', async () => {
    expect(await interrupted('SIGKILL', 3)).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(existsSync(inFolder(MODEL))).toBe(false);
    const killedAgain = await interrupted('SIGKILL', 7, '--resume');
    expect(killedAgain.signal).toBe('SIGKILL');
    expect((await train('--resume').done).code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });
});

describe('a checkpoint', () => {
  it('is not thrown away unasked, decides all that decides the result, and fits its data only', async () => {
    await interrupted('SIGINT', 1);
    const before = readFileSync(inFolder(CHECKPOINT));
    const refuses = async (message: RegExp, ...args: string[]) => {
      const { code, stdout, stderr } = await xitensor(['train', '-o', inFolder(MODEL), ...args]);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(readFileSync(inFolder(CHECKPOINT)).equals(before)).toBe(true);
    };
    await refuses(/expected --resume to go on or --force to start anew/, ...DATA(), ...OPTIONS);
    for (const option of ['--rank', '--epochs', '--seed', '--learning-rate', '--features']) {
      await refuses(/--resume: expected no option that the checkpoint decides/, '--resume', option, '3');
    }
    await refuses(/expected no option that the checkpoint decides/, '--resume', '--xi', 'max');
    await refuses(/decides, received \['--patch'\]/, ...DATA().slice(0, -1), '7', '--resume');
    const other = /--data: expected what the checkpoint was begun with, mnist:.*digits, received 'splice'/;
    await refuses(other, '--resume', '--data', 'splice');
    await refuses(/decides, received \['--limit'\]/, '--resume', '--limit', '50');
    const images = inFolder('digits/train-images-idx3-ubyte');
    const bytes = readFileSync(images);
    writeFileSync(images, Buffer.from(bytes).fill(bytes[16] ^ 1, 16, 17));
    const others = /expected the values it was trained on, received .*\(E_ARGUMENT\)/;
    await refuses(others, '--resume', ...DATA())
      .then(() => refuses(others, '--resume'))
      .finally(() => writeFileSync(images, bytes));
  });

  it('goes on where its data have moved, and remembers where', async () => {
    await interrupted('SIGINT', 1);
    const elsewhere = temporaryFolder();
    renameSync(inFolder('digits'), join(elsewhere, 'digits'));
    try {
      const gone = await train('--resume').done;
      expect(gone).toMatchObject({ code: 1, stdout: '' });
      expect(gone.stderr).toMatch(
        /--resume: expected data at .*digits, or --data that says where they are now.*\(E_FILE\)/,
      );
      const moved = ['--data', join(elsewhere, 'digits'), '--patch', '4'];
      expect((await interrupted('SIGINT', 3, '--resume', ...moved)).code).toBe(0);
      expect(await train('--resume').done).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
    } finally {
      renameSync(join(elsewhere, 'digits'), inFolder('digits'));
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('--resume without one, or with a broken one, fails', async () => {
    const none = await train('--resume').done;
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /--resume: expected a checkpoint at .*m\.safetensors\.checkpoint\.safetensors.*\(E_FILE\)/,
    );
    copyFileSync(inFolder('float32.safetensors'), inFolder(MODEL));
    const ended = await train('--resume').done;
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(
      /received no such file, but .*m\.safetensors: its training has ended \(E_FILE\)/,
    );
    // A model is no checkpoint.
    const model = readFileSync(inFolder('float32.safetensors'));
    writeFileSync(inFolder(CHECKPOINT), model);
    const broken = await train('--resume').done;
    expect(broken).toMatchObject({ code: 1, stdout: '' });
    expect(broken.stderr).toMatch(/a checkpoint's state under the key 'training'.*\(E_FILE\)/);
  });

  it('of another training is replaced before the first step of --force', async () => {
    await interrupted('SIGINT', 2, '--seed', '5');
    const running = train('--force');
    await running.until(/2000 examples of/);
    running.child.kill('SIGKILL');
    await running.done;
    expect((await train('--resume').done).code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });

  it('--force starts anew', async () => {
    await interrupted('SIGINT', 2);
    expect((await train('--force').done).code).toBe(0);
    expect(readFileSync(inFolder(MODEL)).equals(straight.float32)).toBe(true);
  });
});

const haveScript = (await run(['-e', ''], { program: 'script' }).catch(() => undefined)) !== undefined;
if (!haveScript)
  console.warn('the progress bar is not covered: there is no script (util-linux) for a terminal');

describe.runIf(haveScript)('on a terminal', () => {
  const terminal = (data = DATA()) => {
    const quoted = [process.execPath, COMMAND, 'train', ...data, ...OPTIONS, '-o', inFolder(MODEL)];
    // Without exec a shell that does not leave by itself, as dash, is in the terminal's foreground too, and dies of Ctrl-C.
    const command = `exec ${quoted.map((part) => `'${part}'`).join(' ')}`;
    return start(['-qefc', command, '/dev/null'], { program: 'script', stdin: 'pipe' });
  };
  const HIDE = '\x1b[?25l';
  const SHOW = '\x1b[?25h';

  it('a bar shows loss, accuracy and time left', async () => {
    const { code, stdout } = await terminal().done;
    expect(code).toBe(0);
    expect(stdout).toMatch(/[█░]{24} \d+% · epoch \d+ · loss \d+\.\d{4} · accuracy \d+\.\d\d % · \S+ left/);
    expect(stdout).toMatch(/epoch 40 of 40: loss/);
    expect(stdout.lastIndexOf(SHOW), 'the cursor is shown again').toBeGreaterThan(stdout.lastIndexOf(HIDE));
  });

  it('a bar shows no accuracy where there are real targets', async () => {
    await writeNpy(inFolder('x.npy'), tensor(new Float32Array(400).fill(1), [100, 2, 2]));
    await writeNpy(inFolder('y.npy'), tensor(new Float32Array(100), [100, 1]));
    const { code, stdout } = await terminal(['--data', `${inFolder('x.npy')}+${inFolder('y.npy')}`]).done;
    expect(code).toBe(0);
    expect(stdout).toMatch(/[█░]{24} \d+% · epoch \d+ · loss \d+\.\d{4} · \S+ left/);
    expect(stdout).not.toMatch(/accuracy|NaN/);
  });

  it('Ctrl-C, typed, stops it and gives the cursor back', async () => {
    const running = terminal();
    await running.until(/epoch +2 of 40/);
    running.child.stdin?.write('\x03');
    const { code, stdout } = await running.done;
    expect(code).toBe(0);
    expect(stdout).toMatch(/stopped after step \d+ of 4000/);
    expect(stdout.lastIndexOf(SHOW)).toBeGreaterThan(stdout.lastIndexOf(HIDE));
  });

  it('Ctrl-C, typed twice, ends it, gives the cursor back and leaves no temporary file', async () => {
    const running = terminal();
    await running.until(/epoch +2 of 40/);
    running.child.stdin?.write('\x03');
    await running.until(/stopping after this step and saving a checkpoint/);
    running.child.stdin?.write('\x03');
    const { code, stdout } = await running.done;
    // The second may come when the checkpoint is already written and the process about to end.
    expect([0, 130]).toContain(code);
    expect(stdout.lastIndexOf(SHOW)).toBeGreaterThan(stdout.lastIndexOf(HIDE));
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
