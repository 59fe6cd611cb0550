// What the set-up scripts share: commands, steps that are skipped while nothing they read has changed, system packages.
// Node built-ins only, because set-up runs before node_modules exists.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The absolute path of something in the project. */
export const inProject = (...parts) => join(root, ...parts);

/** True for the script that was started, false for one that was imported. */
export const isMain = (url) =>
  Boolean(process.argv[1]) && realpathSync(process.argv[1]) === fileURLToPath(url);

/** A path in `.setup/`, where nothing lies that may not be thrown away at any time. */
export function scratchPath(...parts) {
  const path = inProject('.setup', ...parts);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

/**
 * Runs a command quietly and resolves with what it printed; the error of a failure has the last lines in its message
 * and everything in `output`. With `inherit` the command speaks for itself: resolves with its exit code.
 */
export function run(command, args, { cwd = root, env = {}, inherit = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => reject(Object.assign(error, { output })));
    child.on('close', (code, signal) => {
      if (inherit) return resolve(code ?? 1);
      if (code === 0) return resolve(output);
      const tail = output.trimEnd().split('\n').slice(-40).join('\n');
      const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
      const message = `${command} ${args.join(' ')}\n${how}${tail ? `; its last lines:\n${tail}` : ''}`;
      reject(Object.assign(new Error(message), { output }));
    });
  });
}

/** Runs npm: the one that runs this script, if one does. */
export function npm(args, options) {
  const cli = process.env.npm_execpath ?? '';
  return /npm-cli\.c?js$/.test(cli)
    ? run(process.execPath, [cli, ...args], options)
    : run('npm', args, options);
}

/** The path of an executable, or '' if there is none. */
export function have(command) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this folder
    }
  }
  return '';
}

const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

function digest(paths, key = '') {
  const hash = createHash('sha256').update(key);
  for (const file of paths.flatMap((path) => filesUnder(inProject(path)))) {
    hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * Runs `make`, unless the stamp of an earlier run says that the `inputs` and the `outputs` (files or folders of the
 * project) and the `key` (whatever else decides: versions, flags) are as they were. Says what it does and how long.
 */
export async function step(name, { does, inputs, outputs, key = '' }, make) {
  const stamp = scratchPath(`${name}.stamp`);
  const wanted = digest(inputs, key);
  const made = () => `${wanted} ${digest(outputs)}\n`;
  const present = outputs.every((path) => existsSync(inProject(path)));
  if (present && existsSync(stamp) && readFileSync(stamp, 'utf8') === made()) {
    console.log(`${name}: up to date`);
    return;
  }
  rmSync(stamp, { force: true });
  console.log(`${name}: ${does} …`);
  const start = performance.now();
  await make();
  writeFileSync(stamp, made());
  console.log(`${name}: done in ${seconds(start)}`);
}

/** Puts a file in place in one move, so that nobody ever loads half of it. */
export function install(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const partial = `${to}.${process.pid}.part`;
  copyFileSync(from, partial);
  renameSync(partial, to);
}

/** Puts a folder in the place of another: what is running finds the old one or the new one, but for a moment between two moves. */
export function replaceFolder(from, to) {
  const old = `${to}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(to)) renameSync(to, old);
  renameSync(from, to);
  rmSync(old, { recursive: true, force: true });
}

/** The folder that holds the headers of this Node, with which node-gyp has nothing to download; '' if there is none. */
export function nodePrefix() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : '';
}

/** Runs node-gyp's commands one after the other over the binding.gyp in `folder`. */
export async function nodeGyp(folder, commands, { args = [], env = {} } = {}) {
  const program = inProject('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const nodedir = nodePrefix() ? [`--nodedir=${nodePrefix()}`] : [];
  for (const command of commands) {
    const options = [command, '--jobs=max', '--loglevel=warn', ...nodedir, ...args];
    await run(process.execPath, [program, ...options], { cwd: folder, env });
  }
}

async function aptPrefix() {
  if (process.env.XITENSOR_NO_APT === '1') return { reason: 'XITENSOR_NO_APT=1 forbids to install it' };
  if (process.platform !== 'linux' || !have('apt-get')) return { reason: 'there is no apt-get here' };
  if (process.getuid() === 0) return { prefix: [] };
  const allowed = have('sudo') && (await run('sudo', ['-n', 'true']).catch(() => null)) !== null;
  return allowed ? { prefix: ['sudo', '-n'] } : { reason: 'neither root nor sudo without a password' };
}

let updated = false;

async function aptInstallNow(packages, why) {
  const { prefix, reason } = await aptPrefix();
  if (!prefix) return { ok: false, reason };
  const apt = (...args) => {
    const line = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=300',
    ];
    return run(line[0], [...line.slice(1), ...args]);
  };
  console.log(`apt-get: installing ${packages.join(', ')}, ${why} …`);
  const start = performance.now();
  try {
    // A failed update need not matter: the lists that are there may do.
    if (!updated) await apt('update').catch(() => {});
    updated = true;
    await apt('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    return { ok: false, reason: /^E: .*/m.exec(error.output ?? '')?.[0] ?? error.message };
  }
  console.log(`apt-get: installed ${packages.join(', ')} in ${seconds(start)}`);
  return { ok: true, reason: '' };
}

let aptQueue = Promise.resolve();

/** Installs system packages where that is allowed, one call at a time. Resolves with { ok, reason }, never rejects. */
export function aptInstall(packages, why) {
  const result = aptQueue.then(() => aptInstallNow(packages, why));
  aptQueue = result;
  return result;
}
